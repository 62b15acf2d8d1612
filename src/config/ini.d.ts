/** Types of the functions that we use of the package `ini`, which has no types. */
declare module 'ini' {
  export function parse(text: string): Record<string, unknown>;
}
