/** Returns the parameters in the target of a request. */
export function queryOf(target = ''): URLSearchParams {
  return new URLSearchParams(/\?([^#]*)/.exec(target)?.[1] ?? '');
}
