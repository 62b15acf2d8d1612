/**
 * The entry point of the executable: chooses the program, runs it, and ends the process with its exit code. No other
 * file ends the process.
 */
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { errnoOf, messageOf } from './core/error-text.ts';
import { type Choice, chooseProgram, type ProgramName } from './startup/choose-program.ts';
import { findCalledPath } from './startup/called-path.ts';
import { environmentForPrograms, libcChoice, usesSystemLibc } from './startup/own-libc.ts';
import { originalArguments, originalVariables } from './startup/original-bytes.ts';
import { firstSignals, releaseSignals, SignalIntake } from './process/signals.ts';
import { CLIENT_POOL_THREADS, MAX_TRIED_THREADS, NO_THREADS, poolThreads } from './startup/pool-threads.ts';
import type { SuperviseIo } from './programs/supervisor-run.ts';

/** Version of package.json; the build defines it. */
declare const ONEVISOR_VERSION: string;
/** Commit of the sources; the build defines it. Null if they are not in a checkout. */
declare const ONEVISOR_COMMIT: string | null;
/** Version of the glibc inside; the build defines it. */
declare const ONEVISOR_GLIBC: string;

const STDOUT = 1;
const STDERR = 2;

/** Writes a whole text, also to a full pipe. Ignores errors: without a reader they cannot be reported. */
function print(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') return;
    }
  }
}

/** The program that was called, and its arguments. */
interface Call {
  readonly program: ProgramName;
  readonly args: readonly string[];
  readonly io: SuperviseIo;
}

/** Reads the call from the process. */
async function readCall(): Promise<Call> {
  const env = environmentForPrograms(originalVariables(process.env));
  const allArgs = originalArguments(process.argv.slice(2));
  const { program, args, calledAs } = await choose(allArgs, env);
  const { execPath: executable, pid, ppid: parent } = process;
  const io: SuperviseIo = {
    out: (text) => print(STDOUT, text),
    err: (text) => print(STDERR, text),
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
  const { isOwnContainerCommand } = await import('./startup/find-supervisor.ts');
  const isMain = isOwnContainerCommand(env, process.ppid);
  return chooseProgram(process.argv0, args, () => isMain);
}

/** Programs that catch signals: those that came before they began are theirs. */
const CATCHING: ReadonlySet<ProgramName> = new Set(['supervise', 'demo', 'pidproxy']);

/** Returns the columns of the terminal on standard output; null if it is not a terminal. */
function terminalColumns(): number | null {
  return process.stdout.isTTY ? process.stdout.columns : null;
}

/** Runs the program that was called. Each program is loaded only when it is needed. */
async function run(): Promise<number> {
  const { program, args, io } = await readCall();
  process.env['UV_THREADPOOL_SIZE'] = String(CLIENT_POOL_THREADS);
  const { env, calledPath } = io;
  if (io.self.pid === 1 && !CATCHING.has(program) && !usesSystemLibc(process.env)) {
    const { loadAddon } = await import('./native/load.ts');
    releaseSignals(loadAddon());
  }
  switch (program) {
    case 'version': {
      const { runVersion } = await import('./programs/version.ts');
      const facts = { version: ONEVISOR_VERSION, commit: ONEVISOR_COMMIT, glibc: ONEVISOR_GLIBC };
      return runVersion(args, facts, io);
    }
    case 'check': {
      const { runCheck } = await import('./programs/check.ts');
      const { loadAddon } = await import('./native/load.ts');
      const users = args.includes('--static') ? null : loadAddon();
      return runCheck(args, env, { ...io, users, executable: calledPath });
    }
    case 'grafana': {
      const { runGrafana } = await import('./programs/grafana.ts');
      const { loadAddon } = await import('./native/load.ts');
      const users = args.includes('--static') ? null : loadAddon();
      return runGrafana(args, env, { ...io, users, executable: calledPath });
    }
    case 'alerts': {
      const { runAlerts } = await import('./programs/alerts.ts');
      const { loadAddon } = await import('./native/load.ts');
      const users = args.includes('--static') ? null : loadAddon();
      return runAlerts(args, env, { ...io, users, executable: calledPath });
    }
    case 'echo-conf': {
      const { runEchoConf } = await import('./programs/echo-conf.ts');
      return runEchoConf(args, env, io);
    }
    case 'help': {
      const { readManual, runHelp } = await import('./programs/help.ts');
      return runHelp(args, readManual(), { ...io, columns: terminalColumns() });
    }
    case 'overview': {
      const { runOverview } = await import('./programs/help.ts');
      return runOverview({ ...io, columns: terminalColumns() });
    }
    case 'unknown': {
      const { runUnknown } = await import('./programs/help.ts');
      return runUnknown(args, io);
    }
    case 'schema': {
      const { runSchema } = await import('./programs/schema.ts');
      return runSchema(args, io);
    }
    case 'completion': {
      const { runCompletion } = await import('./programs/completion.ts');
      // A look-up of a host name would keep the process alive while a person waits for the Tab key.
      return process.exit(await runCompletion(args, io));
    }
    case 'install': {
      const { runInstall } = await import('./programs/install.ts');
      return runInstall(args, io);
    }
    case 'unpack': {
      const { runUnpack } = await import('./programs/unpack.ts');
      return runUnpack(io);
    }
    case 'demo': {
      const { demoEnvironment, formatGreeting, shellProblem } = await import('./programs/demo.ts');
      const problem = shellProblem();
      if (problem !== null) {
        io.err(problem);
        return 1;
      }
      io.out(formatGreeting(io.executable));
      return supervise({ ...io, env: demoEnvironment(env), args: [] });
    }
    case 'supervise':
      return supervise(io);
    case 'ctl': {
      const { runControl } = await import('./programs/ctl.ts');
      return runControl(args, io);
    }
    case 'health': {
      const { runHealth } = await import('./programs/ctl.ts');
      return runHealth(args, io);
    }
    case 'pidproxy': {
      const { loadAddon } = await import('./native/load.ts');
      const { runPidproxy } = await import('./programs/pidproxy.ts');
      return runPidproxy(loadAddon(), args, io);
    }
  }
}

/** Starts the supervisor. Handles signals first: until then, PID 1 loses the signals that arrive. */
async function supervise(io: SuperviseIo): Promise<number> {
  const taken = firstSignals(io.self.pid);
  const signals = new SignalIntake(io.self.pid, taken);
  const { loadAddon } = await import('./native/load.ts');
  const addon = loadAddon();
  signals.attach(addon, taken);
  const threads = poolThreads(addon.countThreads(MAX_TRIED_THREADS));
  if (threads === 0) {
    io.err(NO_THREADS);
    return addon.exitNow(2);
  }
  process.env['UV_THREADPOOL_SIZE'] = String(threads);
  const { runSupervise } = await import('./programs/supervise.ts');
  const code = await runSupervise(addon, io, signals);
  // process.exit waits for threads, and a thread may hang in a write to a stalled reader.
  return addon.exitNow(code);
}

run().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    print(STDERR, `${basename(process.argv0)}: ${messageOf(error)}\n`);
    // A bug of ours may leave handles that keep the loop alive, and the container would never end.
    process.exit(1);
  },
);
