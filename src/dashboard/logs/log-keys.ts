/** The keys of the log view, for the sheet that `?` opens. */
import type { TextKey } from '../texts.ts';

/** Keys, as people read them, with the name of the text that explains them. */
export const LOG_KEYS: ReadonlyArray<readonly [keys: string, text: TextKey]> = [
  ['Space', 'logs.key.pause'],
  ['g G', 'logs.key.ends'],
  ['↓ ↑ j k', 'logs.key.move'],
  ['/ Ctrl-F', 'logs.key.find'],
  ['n N', 'logs.key.step'],
  ['f', 'logs.key.filter'],
  ['w', 'logs.key.wrap'],
  ['t', 'logs.key.times'],
  ['r', 'logs.key.raw'],
  ['c', 'logs.key.copy'],
  ['Esc', 'logs.key.clear'],
];
