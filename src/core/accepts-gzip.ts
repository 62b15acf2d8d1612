/** True if a client accepts gzip (RFC 9110, 12.5.3); `q=0` refuses it. */
export function takesGzip(accepted: string | readonly string[] | undefined): boolean {
  const codings = String(accepted ?? '')
    .split(',')
    .map((part) => part.trim().toLowerCase());
  return codings.some((coding) => /^(?:x-)?gzip(?:;|\s|$)/.test(coding) && !/;\s*q=0(?:\.0*)?\s*$/.test(coding));
}
