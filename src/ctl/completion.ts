/**
 * The completions of the Tab key in the shell: commands, options, groups and processes. compat: where Supervisor's
 * client has completions, ours are the same. Pure.
 */
import { findOffers } from '../cli/complete.ts';
import type { Named } from './names.ts';

/**
 * Finds the word at the end of a line, and the words that may replace it. Calls `listProcesses` only if the command
 * takes names of processes or groups.
 */
export async function completeLine(
  line: string,
  listProcesses: () => Promise<readonly Named[]>,
): Promise<{ word: string; choices: string[] }> {
  const parts = line.split(/\s+/);
  const word = parts.at(-1) ?? '';
  const words = parts.slice(0, -1).filter((part) => part !== '');
  const sources = { flags: [], listTopics: () => [], listProcesses };
  const { offers } = await findOffers(['supervisorctl', ...words, word], sources);
  return { word, choices: [...new Set(offers.map((offer) => `${offer.word} `))] };
}
