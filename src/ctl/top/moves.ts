/** Keys that move, in the table and in the pane alike. Pure. */

/**
 * Returns the number of lines that a key moves by; -Infinity and Infinity for the first and the last line. Null for
 * another key.
 *
 * @param rows - the height of what is moved in
 */
export function moveOf(name: string, rows: number): number | null {
  const page = Math.max(1, rows - 1);
  const half = Math.max(1, Math.floor(page / 2));
  switch (name) {
    case 'j':
    case 'down':
      return 1;
    case 'k':
    case 'up':
      return -1;
    case 'g':
    case 'home':
      return -Infinity;
    case 'G':
    case 'end':
      return Infinity;
    case 'ctrl-d':
      return half;
    case 'ctrl-u':
      return -half;
    case 'page-down':
    case 'ctrl-f':
      return page;
    case 'page-up':
    case 'ctrl-b':
      return -page;
    default:
      return null;
  }
}
