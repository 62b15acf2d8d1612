/**
 * What the Tab key offers in the shell: commands, groups, processes, as supervisorctl offers them. Pure.
 */
import { offeredNames } from './command-table.ts';

/** A process as far as its names go. */
interface Named {
  readonly name: string;
  readonly group: string;
}

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
 * What a line can be completed to: the word at its end, and what may stand in its place. `listProcesses` is asked only
 * where it matters.
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
    return { word, choices: pick(offeredNames) };
  if (WITH_GROUPS.has(action)) return { word, choices: pick((await listProcesses()).map((info) => info.group)) };
  if (!WITH_PROCESSES.has(action)) return { word, choices: [] };
  const names = (await listProcesses()).flatMap(({ group, name }) =>
    word.includes(':') || name !== group ? [`${group}:${name}`, `${group}:*`] : [name],
  );
  return { word, choices: pick(names) };
}
