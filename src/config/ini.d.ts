/** What we use of the `ini` package, which ships no types. */
declare module 'ini' {
  export function parse(text: string): Record<string, unknown>;
}
