/**
 * The command `restart`: stops what is named, then starts it. With `--rolling` (an addition) one process after the
 * other, so that never more than one is away; it ends at the first that does not come up.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec } from '../../core/namespec.ts';
import { ProcessState } from '../../core/states.ts';
import type { Command } from '../command.ts';
import { InterruptError } from '../errors.ts';
import { formatSignalResult, formatStartResult } from '../format.ts';
import { ExitCode } from '../exit-codes.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import { type ProcessInfo, type ProcessResult, resultOf } from '../supervisor-client.ts';
import { selectNamed, takeTimeout, waitForStarts } from '../start-wait.ts';
import { startNames } from './start.ts';
import { stopNames } from './stop.ts';

const ROLLING = '--rolling';
const HEALTH_INTERVAL_MS = 500;
const RESTING: ReadonlySet<number> = new Set([ProcessState.STOPPED, ProcessState.EXITED, ProcessState.FATAL]);

export const restart: Command = {
  name: 'restart',
  help: [
    'restart <name>\t\tRestart a process',
    'restart <gname>:*\tRestart all processes in a group',
    'restart <name> <name>\tRestart multiple processes or groups',
    'restart all\t\tRestart all processes',
    'Note: restart does not reread config files. For that, see reread and update.',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const words = takeTimeout(splitNames(argument));
    if (typeof words === 'string') {
      session.fail(`Error: ${words}`, ExitCode.INVALID_ARGS);
      return false;
    }
    const names = words.names.filter((word) => word !== ROLLING);
    if (names.length === 0) {
      session.fail('Error: restart requires a process name');
      session.outputAll(restart.help);
    } else if (words.names.length > names.length) {
      await waitForStarts(session, names, words.timeoutMs, () => rollNames(session, names));
    } else {
      await stopNames(session, names, await listResting(session));
      // compat: starting asks again whether the supervisor is there.
      if (await session.upcheck()) await startNames(session, names, words.timeoutMs);
    }
    return false;
  },
};

const isResting = ({ state }: ProcessInfo): boolean => RESTING.has(state);

/**
 * Namespecs of what does not run. Supervisor's client does not ask, so a fault in the answer is no news: what follows
 * says what is wrong.
 */
async function listResting({ client }: Session): Promise<ReadonlySet<string>> {
  try {
    const processes = await client.getAllProcessInfo();
    return new Set(processes.filter(isResting).map(({ group, name }) => formatNamespec(group, name)));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    return new Set();
  }
}

async function rollNames(session: Session, names: readonly string[]): Promise<void> {
  const processes = await session.client.getAllProcessInfo();
  const chosen = new Set<ProcessInfo>();
  for (const name of names) {
    const found = selectNamed([name], processes);
    if (found.length === 0) session.fail(`${name}: ERROR (no such process)`);
    for (const proc of found) chosen.add(proc);
  }
  for (const proc of chosen) {
    if (await roll(session, proc)) continue;
    session.output(
      `rolling restart ended at ${formatNamespec(proc.group, proc.name)}: the processes after it were left as they are`,
    );
    return;
  }
}

/** Restarts one process and waits until it is up, and healthy where that is checked. Whether it came up. */
async function roll(session: Session, proc: ProcessInfo): Promise<boolean> {
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

/** The server ends the waiting: a check that goes on failing becomes unhealthy. */
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
