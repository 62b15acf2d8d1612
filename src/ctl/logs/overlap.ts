/**
 * Finds where the lines in memory begin in the file that has them, too. Both were written by the supervisor, but the
 * end of the file may be older, because it is written later, or newer, because it is read later. Pure.
 */

const NEWLINE = 0x0a;

/**
 * Returns the offset in `file` where `memory` begins, or null if it does not begin there: all of `memory`, or the end
 * of `file` with at least the first line of `memory`. Of several places the last counts. Takes linear time (the
 * algorithm of Knuth, Morris and Pratt).
 */
export function findOverlap(file: Uint8Array, memory: Uint8Array): number | null {
  if (memory.length === 0) return null;
  const fallback = fallbacksOf(memory);
  let matched = 0;
  let found: number | null = null;
  for (let at = 0; at < file.length; at++) {
    while (matched > 0 && (matched === memory.length || file[at] !== memory[matched]))
      matched = fallback[matched - 1] ?? 0;
    if (file[at] === memory[matched]) matched++;
    if (matched === memory.length) found = at + 1 - matched;
  }
  if (found !== null) return found;
  const firstLine = memory.indexOf(NEWLINE) + 1;
  return firstLine > 0 && matched >= firstLine ? file.length - matched : null;
}

/** Returns for each prefix of `text` the length of its longest end that `text` begins with, too. */
function fallbacksOf(text: Uint8Array): Int32Array {
  const fallback = new Int32Array(text.length);
  for (let at = 1, matched = 0; at < text.length; at++) {
    while (matched > 0 && text[at] !== text[matched]) matched = fallback[matched - 1] ?? 0;
    if (text[at] === text[matched]) matched++;
    fallback[at] = matched;
  }
  return fallback;
}
