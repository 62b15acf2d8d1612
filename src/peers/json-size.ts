/** A limit for JSON before it is parsed: parsing blocks the event loop, and 4 MB of `[]` take half a second. Pure. */

/** Most objects and arrays, and most commas: more than 5,000 processes have. */
const MAX_OPENED = 60_000;
const MAX_COMMAS = 400_000;

const COMMA = 0x2c;
const BRACKET = 0x5b;
const BRACE = 0x7b;

/** True if a text has few enough values to be parsed in one turn. Characters within strings count too. */
export function isQuickToParse(text: string): boolean {
  let opened = 0;
  let commas = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === COMMA) commas += 1;
    else if (code === BRACKET || code === BRACE) opened += 1;
  }
  return opened <= MAX_OPENED && commas <= MAX_COMMAS;
}
