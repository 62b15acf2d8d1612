/**
 * The output of the client: columns, results and changes. compat: the form is that of supervisorctl, because scripts
 * parse these lines. Pure.
 */
import { faults } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import { type ActionWord, formatActionResult } from '../core/result-text.ts';
import { CtlError } from './errors.ts';
import type { ConfigChanges, ConfigInfo, ProcessInfo, ProcessResult } from './supervisor-client.ts';

const NAME_WIDTH = 33;
const STATE_WIDTH = 10;

/** Pads a text to a width in characters, as Python counts them. */
function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - [...text].length));
}

/** Formats the table of `status`, one line for each process. The first column grows with the longest name. */
export function formatStatuses(infos: readonly ProcessInfo[]): string[] {
  const rows = infos.map((info) => ({ info, name: formatNamespec(info.group, info.name) }));
  const width = Math.max(NAME_WIDTH, ...rows.map(({ name }) => [...name].length + 3));
  return rows.map(({ info, name }) => pad(name, width) + pad(info.statename, STATE_WIDTH) + info.description);
}

/** Formats the table of `avail`, one line for each configured process. Its columns do not grow. */
export function formatConfigs(configs: readonly ConfigInfo[]): string[] {
  return configs.map((config) => {
    const columns = [
      pad(formatNamespec(config.group, config.name), 32),
      pad(config.inuse ? 'in use' : 'avail', 9),
      pad(config.autostart ? 'auto' : 'manual', 9),
      `${config.groupPriority}:${config.processPriority}`,
    ];
    return columns.join(' ');
  });
}

/** Formats the lines of `reread`, sorted by name. */
export function formatChanges({ added, changed, removed }: ConfigChanges): string[] {
  const words = new Map([
    ...added.map((name) => [name, 'available'] as const),
    ...changed.map((name) => [name, 'changed'] as const),
    ...removed.map((name) => [name, 'disappeared'] as const),
  ]);
  if (words.size === 0) return ['No config updates to processes'];
  return [...words.keys()].sort().map((name) => `${name}: ${words.get(name)}`);
}

const TAIL_ERRORS: ReadonlyMap<number, string> = new Map([
  [faults.NO_FILE, 'no log file'],
  [faults.FAILED, 'unknown error reading log'],
]);

/** Formats the result of a start. Throws {@link CtlError} for a fault that a start does not have. */
export function formatStartResult(result: ProcessResult): string {
  return formatResult(result, 'started');
}

/** Formats the result of a stop or a signal. Throws {@link CtlError} for a fault that these do not have. */
export function formatSignalResult(result: ProcessResult, done: 'stopped' | 'signalled'): string {
  return formatResult(result, done);
}

/** Formats the result of clearing the logs of a process. Throws {@link CtlError} for another fault. */
export function formatClearResult(result: ProcessResult): string {
  return formatResult(result, 'cleared');
}

function formatResult(result: ProcessResult, done: ActionWord): string {
  const text = formatActionResult(result, done);
  if (text !== null) return text;
  const name = formatNamespec(result.group, result.name);
  throw new CtlError('ValueError', `Unknown result code ${result.status} for ${name}`);
}

/** Formats the line for a log that cannot be read; null for a fault that reading a log does not have. */
export function formatTailFault(name: string, code: number): string | null {
  const reason = TAIL_ERRORS.get(code);
  return reason === undefined ? null : `${name}: ERROR (${reason})`;
}
