/**
 * The command `restart`: stops processes, then starts them. With `--rolling` (an addition) it restarts one process
 * after the other, so that at most one is down at a time, and stops at the first process that does not come up.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec } from '../../core/namespec.ts';
import { ProcessState } from '../../core/states.ts';
import { ArgumentError, defineCommand, requireNames } from '../command.ts';
import { InterruptError } from '../errors.ts';
import { formatSignalResult, formatStartResult } from '../format.ts';
import { takeLogs, withLogs } from '../logs/after.ts';
import { showHints } from '../name-hint.ts';
import { selectNamed } from '../names.ts';
import type { Session } from '../session.ts';
import { type ProcessInfo, type ProcessResult, resultOf } from '../supervisor-client.ts';
import { takeTimeout, waitForStarts } from '../start-wait.ts';
import { findDependents, takeFlag, WITH_DEPENDENTS } from '../with-dependents.ts';
import { startNames } from './start.ts';
import { stopNames } from './stop.ts';

const ROLLING = '--rolling';
const HEALTH_INTERVAL_MS = 500;
const RESTING: ReadonlySet<number> = new Set([ProcessState.STOPPED, ProcessState.EXITED, ProcessState.FATAL]);

export const restart = defineCommand({
  name: 'restart',
  help: [
    'restart <name>\t\tRestart a process',
    'restart <gname>:*\tRestart all processes in a group',
    'restart <name> <name>\tRestart multiple processes or groups',
    'restart all\t\tRestart all processes',
    'Note: restart does not reread config files. For that, see reread and update.',
  ],
  upcheck: 'before arguments',
  parse(words, namesFrom) {
    const { rest: others, timeoutMs } = takeTimeout(words.slice(0, namesFrom));
    const { rest: more, hasLogs } = takeLogs(others);
    const { rest: without, hasFlag: hasDependents } = takeFlag(more, WITH_DEPENDENTS);
    const { rest, hasFlag: isRolling } = takeFlag(without, ROLLING);
    if (isRolling && hasDependents)
      throw new ArgumentError(`Error: ${ROLLING} and ${WITH_DEPENDENTS} exclude each other`, { isHelpShown: true });
    const names = requireNames('restart', [...rest, ...words.slice(namesFrom)]);
    return { names, isRolling, hasDependents, timeoutMs, hasLogs };
  },
  limitMs: ({ timeoutMs }) => timeoutMs,
  run: (session, { hasLogs, ...args }) => withLogs(session, args.names, hasLogs, () => restartNames(session, args)),
});

/** Arguments of `restart`. */
interface RestartArguments {
  readonly names: readonly string[];
  readonly isRolling: boolean;
  readonly hasDependents: boolean;
}

async function restartNames(session: Session, { names, isRolling, hasDependents }: RestartArguments): Promise<void> {
  if (isRolling) {
    await waitForStarts(session, names, () => restartInTurn(session, names));
    return;
  }
  const dependents = hasDependents ? await findDependents(session, names) : [];
  if (dependents === null) return;
  const processes = await listProcesses(session);
  const stop = (): Promise<void> =>
    stopNames(session, [...dependents.toReversed(), ...names], listResting(processes ?? []));
  await (session.limit === null ? stop() : session.limit.exempt(stop));
  // compat: Supervisor's client tests the connection again, and complains about an unknown name again.
  if (!(await session.upcheck())) return;
  const isKnown = (name: string): boolean => processes === null || selectNamed([name], processes).length > 0;
  const chosen = session.hasOwnViews ? names.filter(isKnown) : names;
  const started = [...chosen, ...dependents];
  if (started.length > 0) await startNames(session, started);
}

const isResting = ({ state }: ProcessInfo): boolean => RESTING.has(state);

/** Lists the namespecs of processes that do not run. */
function listResting(processes: readonly ProcessInfo[]): ReadonlySet<string> {
  return new Set(processes.filter(isResting).map(({ group, name }) => formatNamespec(group, name)));
}

/**
 * Lists the processes; null after a fault, because the calls that follow report it. Supervisor's client does not make
 * this call.
 */
async function listProcesses({ client }: Session): Promise<readonly ProcessInfo[] | null> {
  try {
    return await client.getAllProcessInfo();
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    return null;
  }
}

async function restartInTurn(session: Session, names: readonly string[]): Promise<void> {
  const processes = await session.client.getAllProcessInfo();
  const chosen = new Set<ProcessInfo>();
  const unknown: string[] = [];
  for (const name of names) {
    const found = selectNamed([name], processes);
    if (found.length === 0) {
      session.fail(`${name}: ERROR (no such process)`);
      unknown.push(name);
    }
    for (const proc of found) chosen.add(proc);
  }
  await showHints(session, unknown);
  for (const proc of chosen) {
    if (await restartOne(session, proc)) continue;
    session.output(
      `rolling restart stopped at ${formatNamespec(proc.group, proc.name)}: the processes after it were not restarted`,
    );
    return;
  }
}

/** Restarts a process and waits until it is up, and healthy if it has a health check. Returns true on success. */
async function restartOne(session: Session, proc: ProcessInfo): Promise<boolean> {
  const { client } = session;
  const { group, name } = proc;
  const namespec = formatNamespec(group, name);
  const outcome = await attempt(proc, () => client.stopProcess(namespec));
  const stopped =
    isResting(proc) && outcome.status === faults.SUCCESS ? { ...outcome, status: faults.NOT_RUNNING } : outcome;
  session.output(formatSignalResult(stopped, 'stopped'));
  session.noteFault(stopped.status, faults.NOT_RUNNING);
  if (stopped.status !== faults.SUCCESS && stopped.status !== faults.NOT_RUNNING) return false;
  const started = await attempt(proc, () => client.startProcess(namespec));
  session.output(formatStartResult(started));
  session.noteFault(started.status, faults.ALREADY_STARTED);
  if (started.status !== faults.SUCCESS && started.status !== faults.ALREADY_STARTED) return false;
  if (await becomesHealthy(session, namespec)) return true;
  session.fail(`${namespec}: ERROR (not healthy)`);
  return false;
}

/** Does an action on a process. A fault is a result, too. */
async function attempt(proc: ProcessInfo, action: () => Promise<void>): Promise<ProcessResult> {
  try {
    await action();
    return resultOf(proc, null);
  } catch (error) {
    if (error instanceof RpcFault) return resultOf(proc, error);
    throw error;
  }
}

/** Waits until the health is known. The server bounds the wait: a check that keeps failing becomes unhealthy. */
async function becomesHealthy(session: Session, namespec: string): Promise<boolean> {
  for (;;) {
    const { health } = await session.client.getProcessInfo(namespec);
    if (health !== 'starting') return health !== 'unhealthy';
    try {
      await delay(HEALTH_INTERVAL_MS, undefined, { signal: session.interrupt.signal });
    } catch (error) {
      throw new InterruptError('', { cause: error });
    }
  }
}
