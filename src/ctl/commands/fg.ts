/**
 * The command `fg`: shows what a process writes, and sends it what is typed, line by line, until Ctrl-C or the end of
 * the input.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import { ProcessState } from '../../core/states.ts';
import type { Command } from '../command.ts';
import { formatFault, InterruptError } from '../errors.ts';
import { announceFollowing, followLog } from '../follow.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';

export const fg: Command = {
  name: 'fg',
  help: ['fg <process>\tConnect to a process in foreground mode', '\t\tCtrl-C to exit'],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const [name, ...rest] = splitNames(argument);
    if (name === undefined) {
      session.fail('ERROR: no process name supplied');
      session.outputAll(fg.help);
    } else if (rest.length > 0) {
      session.fail('ERROR: too many process names supplied');
    } else if (await isAttachable(session, name)) {
      await attach(session, name);
    }
    return false;
  },
};

async function isAttachable(session: Session, name: string): Promise<boolean> {
  try {
    const { state } = await session.client.getProcessInfo(name);
    if (state === ProcessState.RUNNING) return true;
    session.fail('ERROR: process not running');
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    if (error.code === faults.BAD_NAME) session.fail('ERROR: bad process name supplied');
    else session.output(`ERROR: ${formatFault(error)}`);
  }
  return false;
}

async function attach(session: Session, name: string): Promise<void> {
  const end = new AbortController();
  const signal = AbortSignal.any([end.signal, session.interrupt.signal]);
  // The reading begins before anything is shown: what is typed as an answer is not to be echoed twice.
  const first = readAhead(session, signal);
  announceFollowing(session);
  const following = Promise.allSettled([
    followLog(session, `/logtail/${name}/stdout`, signal),
    followLog(session, `/logtail/${name}/stderr`, signal),
  ]);
  try {
    await forwardLines(session, name, first, signal);
  } catch (error) {
    if (!(error instanceof InterruptError)) throw error;
  } finally {
    end.abort();
    await following;
  }
  session.output('Exiting foreground');
}

/** The next line; whoever does not want it in the end need not wait for it. */
function readAhead(session: Session, signal: AbortSignal): Promise<string | null> {
  const line = session.lines.readLine('', signal);
  line.catch(() => undefined);
  return line;
}

/** Ends when the input does, or when the process is found not to run; Ctrl-C throws. */
async function forwardLines(
  session: Session,
  name: string,
  first: Promise<string | null>,
  signal: AbortSignal,
): Promise<void> {
  for (let line = await first; line !== null;) {
    const next = readAhead(session, signal);
    try {
      await session.client.sendProcessStdin(name, `${line}\n`);
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      session.output(error.code === faults.NOT_RUNNING ? 'Process got killed' : `ERROR: ${formatFault(error)}`);
      return;
    }
    const { state } = await session.client.getProcessInfo(name);
    if (state !== ProcessState.RUNNING) {
      session.output('Process got killed');
      return;
    }
    line = await next;
  }
}
