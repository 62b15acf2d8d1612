/**
 * `pidproxy PIDFILE CMD [ARG…]`: stays in the foreground for a program that goes to the background and writes a
 * pidfile. Forwards signals to the process in the pidfile. Watches only its own child.
 */
import { type SignalName, signalNumbers } from '../core/signals.ts';
import { readPidFile } from '../files/read-file.ts';
import type { Addon } from '../native/addon.ts';
import { takeSignals } from '../process/signals.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { ChildWait } from './child-wait.ts';
import { spawnWithOwnStreams } from './own-streams.ts';
import type { ProgramIo } from './program-io.ts';

/** compat: the signals that Supervisor's pidproxy forwards. */
const FORWARDED_SIGNALS: readonly SignalName[] = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'];
/** Signals after which it exits itself. */
const EXIT_SIGNALS: ReadonlySet<SignalName> = new Set<SignalName>(['SIGTERM', 'SIGINT', 'SIGQUIT']);

/** Input of the program. */
export interface PidproxyIo extends ProgramIo {
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly calledAs: string;
}

/** Runs the proxy. Resolves with the exit code when its child has ended, or after a signal on which it exits. */
export async function runPidproxy(addon: Addon, args: readonly string[], io: PidproxyIo): Promise<number> {
  const [pidfile, command, ...rest] = args;
  if (pidfile === undefined || command === undefined) {
    io.err(`Usage: ${io.calledAs} <pidfile name> <command> [<cmdarg1> ...]\n`);
    return 2;
  }
  let child: number;
  try {
    child = spawnWithOwnStreams(addon, {
      argv: [command, ...rest],
      env: Object.entries(io.env).map(([name, value]) => `${name}=${value ?? ''}`),
      search: { programPath: null, ownPath: io.env['PATH'] },
    });
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    io.err(`${io.calledAs}: ${error.message}\n`);
    return error.exitCode;
  }
  const { promise: isSignalled, resolve } = Promise.withResolvers<void>();
  takeSignals(addon, FORWARDED_SIGNALS, (name) => {
    const target = readPidFile(pidfile);
    if (target === null) io.err(`${io.calledAs}: cannot forward ${name}: ${pidfile} has no pid\n`);
    else addon.kill(target, signalNumbers[name]);
    if (EXIT_SIGNALS.has(name)) resolve();
  });
  const wait = new ChildWait(addon, child);
  await Promise.race([wait.ended, isSignalled]);
  wait.stop();
  return 0;
}
