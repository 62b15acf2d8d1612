/** Splits a line typed in the shell of the client into words. Quotes keep spaces, as in other shells. Pure. */

const WORD = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*"|['"\\])+/g;
const PIECE = /'[^']*'|"(?:[^"\\]|\\.)*"|\\.|[\s\S]/g;

/** Splits a line at whitespace that is not quoted, and removes the quotes. A quote without its end stays. */
export function splitQuoted(line: string): string[] {
  return (line.match(WORD) ?? []).map((word) => word.replace(PIECE, unquote));
}

function unquote(piece: string): string {
  if (piece.length === 1) return piece;
  if (piece.startsWith("'")) return piece.slice(1, -1);
  return piece.startsWith('"') ? piece.slice(1, -1).replace(/\\(["\\])/g, '$1') : piece.slice(1);
}
