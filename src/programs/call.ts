/** The call of the executable: the chosen program, its arguments, and what every program gets; and its end. */
import { basename } from 'node:path';
import { messageOf } from '../core/error-text.ts';
import { releaseSignals } from '../process/signals.ts';
import { findCalledPath } from '../startup/called-path.ts';
import { type Choice, chooseProgram, type ProgramName } from '../startup/choose-program.ts';
import { environmentForPrograms, libcChoice, usesSystemLibc } from '../startup/own-libc.ts';
import { originalArguments, originalVariables } from '../startup/original-bytes.ts';
import { CLIENT_POOL_THREADS } from '../startup/pool-threads.ts';
import { codeAfterOutput, printError, printOut } from './standard-output.ts';
import type { SuperviseIo } from './supervisor-run.ts';

/** Version of package.json; the build defines it. */
declare const ONEVISOR_VERSION: string;

/** The program that was called, and its arguments. */
export interface Call {
  readonly program: ProgramName;
  readonly args: readonly string[];
  readonly io: SuperviseIo;
}

/** Programs that catch signals: those that came before they began are theirs. */
const CATCHING: ReadonlySet<ProgramName> = new Set(['supervise', 'demo', 'pidproxy']);

/** Reads the call from the process. */
export async function readCall(): Promise<Call> {
  const env = environmentForPrograms(originalVariables(process.env));
  const allArgs = originalArguments(process.argv.slice(2));
  const { program, args, calledAs } = await choose(allArgs, env);
  const { execPath: executable, pid, ppid: parent } = process;
  const io: SuperviseIo = {
    out: printOut,
    err: printError,
    env,
    libcChoice: libcChoice(process.env),
    self: { pid, parent, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 },
    executable,
    calledPath: findCalledPath(process.argv0, env['PATH'] ?? '', executable),
    calledAs,
    ownVersion: ONEVISOR_VERSION,
    args,
  };
  return { program, args, io };
}

/** Chooses the program. Looks at the container only if the choice depends on it, and PID 1 never does. */
async function choose(args: readonly string[], env: Readonly<NodeJS.ProcessEnv>): Promise<Choice> {
  let isUndecided = false;
  const choice = chooseProgram(process.argv0, args, () => {
    isUndecided = process.pid !== 1;
    return !isUndecided;
  });
  if (!isUndecided) return choice;
  const { isOwnContainerCommand } = await import('../startup/find-supervisor.ts');
  const isMain = isOwnContainerCommand(env, process.ppid);
  return chooseProgram(process.argv0, args, () => isMain);
}

/** Prepares the process for a program that supervises nothing: few threads, and signals that end PID 1. */
export async function prepareProcess({ program, io }: Call): Promise<void> {
  process.env['UV_THREADPOOL_SIZE'] = String(CLIENT_POOL_THREADS);
  if (io.self.pid !== 1 || CATCHING.has(program) || usesSystemLibc(process.env)) return;
  const { loadAddon } = await import('../native/load.ts');
  releaseSignals(loadAddon());
}

/** Ends the process with the exit code of its program, or after an error in it. */
export function endWith(code: Promise<number>): void {
  code.then(
    (value) => {
      process.exitCode = codeAfterOutput(value, basename(process.argv0));
    },
    (error: unknown) => {
      printError(`${basename(process.argv0)}: ${messageOf(error)}\n`);
      // A bug of ours may leave handles that keep the loop alive, and the container would never end.
      process.exit(1);
    },
  );
}
