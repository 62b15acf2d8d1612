/**
 * The words for the result of an action on a process: `web: started`, `web: ERROR (no such process)`. compat: the form
 * is that of supervisorctl, because scripts parse these lines. Pure.
 */
import { faults } from './faults.ts';
import { formatNamespec } from './namespec.ts';

/** The result of an action on one process. */
export interface ActionResult {
  readonly name: string;
  readonly group: string;
  /** Number of the fault; SUCCESS for none. */
  readonly status: number;
  readonly description: string;
  /** Reason for people; null for none. */
  readonly reason: string | null;
}

/** The word for an action that has succeeded. */
export type ActionWord = 'started' | 'stopped' | 'signalled' | 'cleared';

const START_ERRORS: ReadonlyMap<number, string> = new Map([
  [faults.BAD_NAME, 'no such process'],
  [faults.NO_FILE, 'no such file'],
  [faults.NOT_EXECUTABLE, 'file is not executable'],
  [faults.ALREADY_STARTED, 'already started'],
  [faults.SPAWN_ERROR, 'spawn error'],
  [faults.ABNORMAL_TERMINATION, 'abnormal termination'],
]);

const SIGNAL_ERRORS: ReadonlyMap<number, string> = new Map([
  [faults.BAD_NAME, 'no such process'],
  [faults.BAD_SIGNAL, 'bad signal name'],
  [faults.NOT_RUNNING, 'not running'],
]);

const CLEAR_ERRORS: ReadonlyMap<number, string> = new Map([
  [faults.BAD_NAME, 'no such process'],
  [faults.FAILED, 'failed'],
]);

const ERRORS: Readonly<Record<ActionWord, ReadonlyMap<number, string>>> = {
  started: START_ERRORS,
  stopped: SIGNAL_ERRORS,
  signalled: SIGNAL_ERRORS,
  cleared: CLEAR_ERRORS,
};

/** Faults that leave a process as the client wants it. */
const HARMLESS: { readonly [W in ActionWord]?: number } = {
  started: faults.ALREADY_STARTED,
  stopped: faults.NOT_RUNNING,
};

/** Formats the result of an action; null for a fault that the action does not have. */
export function formatActionResult(result: ActionResult, done: ActionWord): string | null {
  const { status, reason, description } = result;
  const name = formatNamespec(result.group, result.name);
  if (status === faults.SUCCESS) return `${name}: ${done}`;
  if (done === 'started' && status === faults.SPAWN_ERROR && reason !== null) return `${name}: ERROR (${reason})`;
  if ((done === 'stopped' || done === 'signalled') && status === faults.FAILED) return description;
  const error = ERRORS[done].get(status);
  return error === undefined ? null : `${name}: ERROR (${error})`;
}

/** True if the process is as the client wants it, by this action or before. */
export function isSatisfied({ status }: ActionResult, done: ActionWord): boolean {
  return status === faults.SUCCESS || status === HARMLESS[done];
}
