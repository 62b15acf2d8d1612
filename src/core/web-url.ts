/** URLs with http or https. Pure. */

/** Returns a URL with http or https; null for another text. */
export function parseWebUrl(text: string): URL | null {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url : null;
}
