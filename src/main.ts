/**
 * The way in: which program of this executable is meant, what it needs from the machine, and the end of the process.
 * The only place that ends it; no logic of its own.
 */
import { writeSync } from 'node:fs';
import { basename } from 'node:path';
import { errnoOf, messageOf } from './core/error-text.ts';
import { SUPERVISOR_VERSION } from './core/supervisor-version.ts';
import { chooseProgram } from './startup/choice.ts';
import { findCalledPath } from './startup/called-path.ts';
import { cleanStart, originalStart, type Start } from './startup/clean-start.ts';
import { originalArguments, originalVariables } from './startup/original-bytes.ts';
import { firstSignals, hasOneShotFired, SignalIntake } from './process/signals.ts';
import { CLIENT_POOL_THREADS, MOST_TRIED, NO_THREADS, poolThreads } from './startup/pool-threads.ts';
import type { SuperviseIo } from './programs/supervise.ts';

/** Put in by the build (package.json). */
declare const ONEVISOR_VERSION: string;

const STDOUT = 1;
const STDERR = 2;

/** Writes all of a text, also to a pipe that is full; a reader that is gone is nobody to tell. */
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

async function run(): Promise<number> {
  const given: Start = { env: originalVariables(process.env), args: originalArguments(process.argv.slice(2)) };
  const clean = cleanStart(given);
  // The same process, once more: PID 1 stays PID 1, with the same streams.
  if (clean !== null && hasOneShotFired()) return 0;
  if (clean !== null) process.execve?.(process.execPath, [process.argv0, ...clean.args], clean.env);
  const { env, args: allArgs } = originalStart(given);
  process.env['UV_THREADPOOL_SIZE'] = String(CLIENT_POOL_THREADS);
  const { program, args, calledAs } = chooseProgram(process.argv0, allArgs);
  const io = { out: (text: string) => print(STDOUT, text), err: (text: string) => print(STDERR, text) };
  const { execPath: executable } = process;
  const calledPath = findCalledPath(process.argv0, env['PATH'] ?? '', executable);
  const self = { pid: process.pid, parent: process.ppid, uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
  switch (program) {
    case 'version':
      io.out(`onevisor ${ONEVISOR_VERSION} (compatible with Supervisor ${SUPERVISOR_VERSION})\n`);
      return 0;
    case 'check': {
      const { runCheck } = await import('./programs/check.ts');
      const { loadAddon } = await import('./native/load.ts');
      return runCheck(args, env, {
        ...io,
        users: args.includes('--static') ? null : loadAddon(),
        executable: calledPath,
        self,
      });
    }
    case 'echo-conf': {
      const { runEchoConf } = await import('./programs/echo-conf.ts');
      return runEchoConf(args, env, io);
    }
    case 'unpack': {
      const { runUnpack } = await import('./programs/unpack.ts');
      return runUnpack(args, io);
    }
    case 'demo': {
      const { demoEnvironment, formatGreeting } = await import('./programs/demo.ts');
      io.out(formatGreeting(executable));
      return supervise({
        ...io,
        env: demoEnvironment(env),
        self,
        executable,
        calledPath,
        calledAs,
        version: SUPERVISOR_VERSION,
        ownVersion: ONEVISOR_VERSION,
        args: [],
      });
    }
    case 'supervise':
      return supervise({
        ...io,
        env,
        self,
        executable,
        calledPath,
        calledAs,
        version: SUPERVISOR_VERSION,
        ownVersion: ONEVISOR_VERSION,
        args,
      });
    case 'ctl': {
      const { runControl } = await import('./programs/ctl.ts');
      return runControl(args, env, calledPath);
    }
    case 'health': {
      const { runHealth } = await import('./programs/ctl.ts');
      return runHealth(args, env, calledPath);
    }
    case 'pidproxy': {
      const { loadAddon } = await import('./native/load.ts');
      const { runPidproxy } = await import('./programs/pidproxy.ts');
      return runPidproxy(loadAddon(), args, { ...io, env, calledAs });
    }
  }
}

async function supervise(io: SuperviseIo): Promise<number> {
  // Before all else: what comes until our handlers are there is lost to PID 1.
  const taken = firstSignals(io.self.pid);
  const signals = new SignalIntake(io.self.pid, taken);
  const { loadAddon } = await import('./native/load.ts');
  const addon = loadAddon();
  signals.attach(addon, taken);
  const threads = poolThreads(addon.countThreads(MOST_TRIED));
  if (threads === 0) {
    io.err(NO_THREADS);
    return addon.exitNow(2);
  }
  process.env['UV_THREADPOOL_SIZE'] = String(threads);
  const { runSupervise } = await import('./programs/supervise.ts');
  const code = await runSupervise(addon, io, signals);
  // Not process.exit: it waits for threads, and one of ours may hang in a write to a reader that stalls.
  return addon.exitNow(code);
}

run().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    print(STDERR, `${basename(process.argv0)}: ${messageOf(error)}\n`);
    process.exitCode = 1;
  },
);
