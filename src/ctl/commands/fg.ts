/**
 * The command `fg`: shows the output of a process and sends typed lines to its standard input, until Ctrl-C or the end
 * of our input.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import { ProcessState } from '../../core/states.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { formatFault, InterruptError } from '../errors.ts';
import { announceFollowing, followLog } from '../follow.ts';
import type { LineSource } from '../line-source.ts';
import { showHints } from '../name-hint.ts';
import type { Session } from '../session.ts';

export const fg = defineCommand({
  name: 'fg',
  help: ['fg <process>\tConnect to a process in foreground mode', '\t\tCtrl-C to exit'],
  upcheck: 'before arguments',
  parse([name, ...rest]) {
    if (name === undefined) throw new ArgumentError('ERROR: no process name supplied', { isHelpShown: true });
    if (rest.length > 0) throw new ArgumentError('ERROR: too many process names supplied', { isHelpShown: false });
    return name;
  },
  async run(session, name) {
    if (await isAttachable(session, name)) await attach(session, name);
  },
});

/** Describes a fault that has no text of its own. */
function describeFault(session: Session, fault: RpcFault): readonly string[] {
  return session.isForPeople ? session.describe(fault) : [`ERROR: ${formatFault(fault)}`];
}

async function isAttachable(session: Session, name: string): Promise<boolean> {
  try {
    const { state } = await session.client.getProcessInfo(name);
    if (state === ProcessState.RUNNING) return true;
    session.fail('ERROR: process not running');
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    if (error.code === faults.BAD_NAME) {
      session.fail('ERROR: bad process name supplied');
      await showHints(session, [name]);
    } else session.outputAll(describeFault(session, error));
  }
  return false;
}

async function attach(session: Session, name: string): Promise<void> {
  const end = new AbortController();
  const signal = AbortSignal.any([end.signal, session.interrupt.signal]);
  // Start to read before anything is shown: the terminal would echo an early reply of the user a second time. The
  // input is open by then, because opening it takes turns of the loop.
  const lines = await session.lines();
  const first = readAhead(lines, signal);
  announceFollowing(session);
  const following = Promise.allSettled([
    followLog(session, `/logtail/${name}/stdout`, signal),
    // With a terminal or `redirect_stderr`, stdout is all there is. Scripts get the message of Supervisor's client.
    followLog(session, `/logtail/${name}/stderr`, signal, { isOptional: session.isForPeople }),
  ]);
  try {
    await forwardLines({ session, lines, name, signal }, first);
  } catch (error) {
    if (!(error instanceof InterruptError)) throw error;
  } finally {
    end.abort();
    await following;
  }
  session.output('Exiting foreground');
}

/** Reads the next line. The caller may drop the promise without handling its error. */
function readAhead(lines: LineSource, signal: AbortSignal): Promise<string | null> {
  const line = lines.readLine('', signal);
  line.catch(() => undefined);
  return line;
}

/** Sends lines until the input ends or the process no longer runs. Throws {@link InterruptError} at Ctrl-C. */
async function forwardLines(
  { session, lines, name, signal }: { session: Session; lines: LineSource; name: string; signal: AbortSignal },
  first: Promise<string | null>,
): Promise<void> {
  for (let line = await first; line !== null;) {
    const next = readAhead(lines, signal);
    try {
      await session.client.sendProcessStdin(name, `${line}\n`);
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.code === faults.NOT_RUNNING) session.output('Process got killed');
      else session.outputAll(describeFault(session, error));
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
