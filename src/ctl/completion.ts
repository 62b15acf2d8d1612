/**
 * The completions of the Tab key in the shell: commands, groups and processes, as in supervisorctl. Pure.
 */
import { completedNames } from './command-table.ts';
import type { Named } from './names.ts';

const WITH_GROUPS: ReadonlySet<string> = new Set(['add', 'remove', 'update']);
const WITH_PROCESSES: ReadonlySet<string> = new Set([
  'clear',
  'fg',
  'pid',
  'restart',
  'signal',
  'start',
  'status',
  'stop',
  'tail',
]);

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
  const words = parts.filter((part) => part !== '');
  const [action = ''] = words;
  const pick = (names: Iterable<string>): string[] =>
    [...new Set(names)].filter((name) => name.startsWith(word)).map((name) => `${name} `);
  if (words.length === 0 || (words.length === 1 && word !== '') || action === 'help')
    return { word, choices: pick(completedNames) };
  if (WITH_GROUPS.has(action)) return { word, choices: pick((await listProcesses()).map((info) => info.group)) };
  if (!WITH_PROCESSES.has(action)) return { word, choices: [] };
  const names = (await listProcesses()).flatMap(({ group, name }) =>
    word.includes(':') || name !== group ? [`${group}:${name}`, `${group}:*`] : [name],
  );
  return { word, choices: pick(names) };
}
