/** Runs a command for `onevisor run` as a child with our terminal, and waits for its end. */
import { isatty } from 'node:tty';
import { parseWaitStatus, shellExitCode } from '../core/exit-status.ts';
import { type SignalName, signalNumbers } from '../core/signals.ts';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import { type Addon, INHERITED } from '../native/addon.ts';
import { takeSignals } from '../process/signals.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { readNamespaceIds } from '../startup/find-supervisor.ts';
import { ChildWait } from './child-wait.ts';
import { spawnWithOwnStreams } from './own-streams.ts';
import type { ProgramIo } from './program-io.ts';

/** Signals that are passed on. A terminal sends SIGINT and SIGQUIT to the command itself. */
const FORWARDED: readonly SignalName[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'];
const FROM_TERMINAL: readonly SignalName[] = ['SIGINT', 'SIGQUIT'];

const OTHER_CONTAINER =
  'the supervisor is in another container, where the files of the program are; run this command there ' +
  '(docker exec -it CONTAINER onevisor run …)';

/** Runs a command with the settings of a program. Resolves with its exit code, as shells have it. */
export async function runWithSettings(
  addon: Addon,
  settings: ProgramSettings,
  argv: readonly string[],
  io: ProgramIo,
): Promise<number> {
  const { mount } = readNamespaceIds();
  if (settings.mountNamespace !== '' && mount !== '' && settings.mountNamespace !== mount) {
    io.err(`Error: cannot run ${argv[0] ?? ''}: ${OTHER_CONTAINER}\n`);
    return 1;
  }
  let child: number;
  try {
    child = spawnWith(addon, settings, argv);
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    io.err(`Error: ${error.message}\n`);
    return error.exitCode;
  }
  return waitFor(addon, child);
}

async function waitFor(addon: Addon, child: number): Promise<number> {
  const forward = (name: SignalName): void => void addon.kill(child, signalNumbers[name]);
  takeSignals(addon, FORWARDED, forward);
  takeSignals(addon, FROM_TERMINAL, (name) => {
    if (!isatty(0)) forward(name);
  });
  const wait = new ChildWait(addon, child);
  const status = await wait.ended;
  wait.stop();
  return shellExitCode(parseWaitStatus(status));
}

/** Starts the command in our process group. Throws {@link SpawnError}. */
function spawnWith(addon: Addon, settings: ProgramSettings, argv: readonly string[]): number {
  const { env, directory, umask, limits, nice, oomScoreAdj, capabilities, noNewPrivileges } = settings;
  const path = env.findLast((variable) => variable.startsWith('PATH='))?.slice('PATH='.length);
  // Only root can change to another user, and nothing has to change for our own.
  const isOwnUser = process.getuid?.() === settings.uid && process.getgid?.() === settings.gid;
  const { uid, gid, groups } = isOwnUser ? INHERITED : settings;
  return spawnWithOwnStreams(addon, {
    argv,
    env,
    search: { programPath: path ?? null, ownPath: undefined },
    settings: { directory, umask, uid, gid, groups, limits, nice, oomScoreAdj, capabilities, noNewPrivileges },
    uid: settings.uid,
  });
}
