/** The entry point of the executable: runs the program that was called. client.ts is that of the client's piece. */
import { endWith, prepareProcess, readCall } from './programs/call.ts';
import { codeAfterOutput } from './programs/standard-output.ts';
import type { SuperviseIo } from './programs/supervisor-run.ts';
import { firstSignals, SignalIntake } from './process/signals.ts';
import { MAX_TRIED_THREADS, NO_THREADS, poolThreads } from './startup/pool-threads.ts';

/** Commit of the sources; the build defines it. Null if they are not in a checkout. */
declare const ONEVISOR_COMMIT: string | null;
/** Version of the glibc inside; the build defines it. */
declare const ONEVISOR_GLIBC: string;

/** Returns the columns of the terminal on standard output; null if it is not a terminal. */
function terminalColumns(): number | null {
  return process.stdout.isTTY ? process.stdout.columns : null;
}

/** Runs the program that was called. Each program is loaded only when it is needed. */
async function run(): Promise<number> {
  const call = await readCall();
  await prepareProcess(call);
  const { program, args, io } = call;
  const { env, calledPath } = io;
  switch (program) {
    case 'version': {
      const { runVersion } = await import('./programs/version.ts');
      const facts = { version: io.ownVersion, commit: ONEVISOR_COMMIT, glibc: ONEVISOR_GLIBC };
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
      return process.exit(codeAfterOutput(await runCompletion(args, io), io.calledAs));
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
  return addon.exitNow(codeAfterOutput(code, io.calledAs));
}

endWith(run());
