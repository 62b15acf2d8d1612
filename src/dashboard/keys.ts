/** The keys of the page, as in `onevisor top`. Pure. */

/** Something that a key does. */
export type KeyCommand =
  | 'next'
  | 'previous'
  | 'first'
  | 'last'
  | 'open'
  | 'logs'
  | 'start'
  | 'stop'
  | 'restart'
  | 'menu'
  | 'select'
  | 'fold'
  | 'filter'
  | 'palette'
  | 'help'
  | 'back';

const COMMANDS: Readonly<Record<string, KeyCommand>> = {
  j: 'next',
  ArrowDown: 'next',
  k: 'previous',
  ArrowUp: 'previous',
  g: 'first',
  G: 'last',
  d: 'open',
  l: 'logs',
  S: 'start',
  s: 'stop',
  r: 'restart',
  x: 'menu',
  v: 'select',
  z: 'fold',
  '/': 'filter',
  ':': 'palette',
  '?': 'help',
  Escape: 'back',
};

/** The part of a keyboard event that is used. */
export interface KeyStroke {
  readonly key: string;
  readonly ctrlKey: boolean;
  readonly metaKey: boolean;
  readonly altKey: boolean;
}

/** Returns the command of a key; null for none. `isTyping`: the focus is in a field. */
export function commandOf({ key, ctrlKey, metaKey, altKey }: KeyStroke, isTyping: boolean): KeyCommand | null {
  if ((ctrlKey || metaKey) && !altKey && key.toLowerCase() === 'k') return 'palette';
  if (ctrlKey || metaKey || altKey) return null;
  if (isTyping) return key === 'Escape' ? 'back' : null;
  return Object.hasOwn(COMMANDS, key) ? (COMMANDS[key] ?? null) : null;
}

/** Returns the index of the row that a command moves to, from a row (-1: none) of a number of rows. */
export function moveRow(command: KeyCommand, from: number, count: number): number {
  switch (command) {
    case 'next':
      return Math.min(from + 1, count - 1);
    case 'previous':
      return from === -1 ? count - 1 : Math.max(from - 1, 0);
    case 'first':
      return 0;
    default:
      return count - 1;
  }
}

/** Returns the items whose texts have all words of a search, those that begin with it first. */
export function searchItems<T>(items: readonly T[], textOf: (item: T) => string, search: string): T[] {
  const words = search.trim().toLowerCase().split(/\s+/);
  const found = items.filter((item) => words.every((word) => textOf(item).toLowerCase().includes(word)));
  const begins = (item: T): boolean =>
    textOf(item)
      .toLowerCase()
      .startsWith(words[0] ?? '');
  return [...found.filter(begins), ...found.filter((item) => !begins(item))];
}
