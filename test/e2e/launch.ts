/**
 * Starts the built executable for a test, as PID 1 of a namespace of its own or as a plain process, and cleans up after
 * it. Its output comes through real pipes, since Node's own pipes are sockets, for which `open("/dev/stdout")` fails.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { constants as system, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { randomUUID } from 'node:crypto';
import { Lines } from './lines.ts';
import type { ChildProcess } from 'node:child_process';
import type { TestContext } from 'node:test';

const run = promisify(execFile);

/** The executable under test: $TEST_BIN, else the built one. */
export const EXECUTABLE = process.env['TEST_BIN'] ?? join(import.meta.dirname, '..', '..', 'dist', 'onevisor');

/** Libraries that the executable is to use, by $TEST_LIBC; programs do not get the variable. */
const LIBC = process.env['TEST_LIBC'] === undefined ? {} : { ONEVISOR_LIBC: process.env['TEST_LIBC'] };

/** Every process below a launched one has this variable with a value of its own, by which the clean-up finds it. */
const MARK = 'LAUNCHED_BY_TEST';

const LOOK_AGAIN_MS = 5;

export interface LaunchOptions {
  /** Text of supervisord.conf, which is written to the folder and passed with `-c`. `%FOLDER%` becomes the folder. */
  readonly config?: string;
  /** Further files in the folder, by relative path. `%FOLDER%` is replaced here too. */
  readonly files?: Readonly<Record<string, string>>;
  /** Arguments after `-c FILE`. */
  readonly args?: readonly string[];
  /** Variables besides PATH, HOME, TMPDIR and, without `config`, an empty ONEVISOR_CONF. Nothing else is inherited. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * `pid1`: PID 1 of a new namespace with its own /run and /proc (the default if allowed). `plain`: an ordinary
   * process; with `--container` it has its own /run.
   */
  readonly as?: 'pid1' | 'plain';
  /** Command line in front of the executable, such as `tini --`. Its first program is then PID 1. */
  readonly under?: readonly string[];
  /**
   * Shell commands that run before the executable, with its /run and namespaces, to mount or create parts of a
   * container.
   */
  readonly prepare?: string;
  /** Another program than {@link EXECUTABLE}, such as one of its links. */
  readonly executable?: string;
  readonly stdin?: 'ignore' | 'pipe';
}

/** The end of a process: code or signal; the other one is null. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Launched {
  /** Temporary folder and working directory, removed after the test. */
  readonly folder: string;
  /** Pid of the executable as seen from the test. */
  readonly pid: number;
  readonly stdout: Lines;
  readonly stderr: Lines;
  /** Null unless requested. */
  readonly stdin: NodeJS.WritableStream | null;
  /** Resolves when the process has ended and all its output was read. */
  readonly exit: Promise<Ending>;
  /** Waits for a line on stdout or stderr. */
  waitForLine(pattern: RegExp, options?: { count?: number; timeoutMs?: number }): Promise<RegExpExecArray>;
  signal(name: NodeJS.Signals): void;
  /**
   * Runs the executable again in the environment of the launched one (same /run, /proc and folder), as `docker exec`
   * does.
   */
  ctl(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }>;
  /** Runs any program there. */
  enter(command: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }>;
}

let namespaces: Promise<string | null> | undefined;

/** Returns the reason why no process can be PID 1 here, for `skip`; null if one can. */
export function pid1SkipReason(): Promise<string | null> {
  namespaces ??= run('unshare', [...namespaceFlags(), 'true']).then(
    () => null,
    (error: NodeJS.ErrnoException & { stderr?: string }) => `no namespaces: ${error.stderr?.trim() || error.message}`,
  );
  return namespaces;
}

function namespaceFlags(): string[] {
  return [...userFlags(), '--pid', '--fork', '--mount-proc', '--kill-child'];
}

/** Root creates namespaces directly. Another user needs one in which it is root. */
function userFlags(): string[] {
  return process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
}

/** Starts the executable. `test` owns it: everything that was started ends with the test. */
export async function launch(test: TestContext, options: LaunchOptions = {}): Promise<Launched> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-test-'));
  const mark = randomUUID();
  const isPid1 = (options.as ?? 'pid1') === 'pid1';
  const executable = options.executable ?? EXECUTABLE;
  const started: ChildProcess[] = [];
  test.after(async () => {
    for (const child of started) child.kill('SIGKILL');
    await killMarked(mark);
    await rm(folder, { recursive: true, force: true });
  });
  await writeFiles(folder, {
    ...options.files,
    ...(options.config === undefined ? {} : { 'supervisord.conf': options.config }),
  });
  const command = [
    ...(options.under ?? []),
    executable,
    ...(options.config === undefined ? [] : ['-c', join(folder, 'supervisord.conf')]),
    ...(options.args ?? []),
  ];
  // A /run of its own separates the private control sockets of parallel tests, and keeps that of a killed one out of
  // the machine's /run.
  const isAlone =
    isPid1 || ((command.includes('--container') || options.prepare !== undefined) && (await pid1SkipReason()) === null);
  const namespaces = isPid1 ? namespaceFlags() : [...userFlags(), '--mount'];
  const script = ['set -e', 'mount -t tmpfs tmpfs /run', options.prepare ?? ':', 'exec "$@"'].join('\n');
  const line = isAlone ? ['unshare', ...namespaces, 'sh', '-c', script, 'sh', ...command] : command;
  // The test must not use the machine's own configuration for a Supervisor.
  const own = options.config === undefined ? { ONEVISOR_CONF: '' } : {};
  const base = { PATH: process.env['PATH'] ?? '', HOME: folder, TMPDIR: folder, ...LIBC };
  const env = { ...base, ...own, ...options.env, [MARK]: mark };
  const [out, err] = await twoPipesIn(folder);
  const child = spawn(line[0] ?? '', line.slice(1), {
    cwd: folder,
    env,
    stdio: [options.stdin ?? 'ignore', out.writeEnd, err.writeEnd],
  });
  started.push(child);
  closeSync(out.writeEnd);
  closeSync(err.writeEnd);
  const ending = new Promise<Ending>((resolve, reject) => {
    child.on('exit', (code, signal) => resolve({ code, signal }));
    child.on('error', reject);
  });
  await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  const pid = isPid1 ? await onlyChildOf(child) : (child.pid ?? 0);
  const enter = (wanted: readonly string[]): ReturnType<Launched['enter']> => {
    const there = isAlone
      ? [
          'nsenter',
          '--target',
          String(pid),
          '--mount',
          ...(isPid1 ? ['--pid'] : []),
          `--wdns=${folder}`,
          '--',
          ...wanted,
        ]
      : [...wanted];
    return outcomeOf(there, folder, env);
  };
  return {
    folder,
    pid,
    stdout: out.lines,
    stderr: err.lines,
    stdin: child.stdin,
    exit: ending.then(async (result) => {
      await Promise.all([out.lines.ended, err.lines.ended]);
      return result;
    }),
    waitForLine: (pattern, wait) =>
      Promise.any([out.lines.waitFor(pattern, wait), err.lines.waitFor(pattern, wait)]).catch(
        (error: AggregateError) => {
          throw new Error(error.errors.map(String).join('\n'));
        },
      ),
    signal: (name) => void process.kill(pid, name),
    enter,
    ctl: (...args) => enter([executable, 'ctl', ...args]),
  };
}

async function writeFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), text.replaceAll('%FOLDER%', folder), {
      mode: text.startsWith('#!') ? 0o755 : 0o644,
    });
  }
}

interface Pipe {
  readonly lines: Lines;
  readonly writeEnd: number;
}

/** Creates two named pipes, since Node can create no others: their read ends as lines, their write ends for a child. */
async function twoPipesIn(folder: string): Promise<[Pipe, Pipe]> {
  const paths = [join(folder, '.stdout'), join(folder, '.stderr')] as const;
  await run('mkfifo', ['-m', '600', ...paths]);
  return [openPipe(paths[0]), openPipe(paths[1])];
}

function openPipe(path: string): Pipe {
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  rmSync(path);
  return { lines: new Lines(new Socket({ fd: readEnd, readable: true, writable: false })), writeEnd };
}

/**
 * Returns the pid of the only child of unshare, which is PID 1 inside. No event announces the child, but it exists
 * right after the fork.
 */
async function onlyChildOf(parent: ChildProcess): Promise<number> {
  const path = `/proc/${parent.pid}/task/${parent.pid}/children`;
  while (parent.exitCode === null && parent.signalCode === null) {
    const text = await readFile(path, 'utf8').catch(() => '');
    const child = Number.parseInt(text, 10);
    if (child > 0) return child;
    await sleep(2);
  }
  throw new Error('cannot launch: unshare ended without a child');
}

async function outcomeOf(
  command: readonly string[],
  cwd: string,
  env: Record<string, string>,
): Promise<{ code: number; stdout: string; stderr: string }> {
  return run(command[0] ?? '', command.slice(1), { cwd, env, maxBuffer: 1 << 26, timeout: 60_000 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: Error & { code?: number | string; signal?: NodeJS.Signals; stdout?: string; stderr?: string }) => {
      if (typeof error.code === 'number')
        return { code: error.code, stdout: error.stdout ?? '', stderr: error.stderr ?? '' };
      if (error.signal)
        return { code: 128 + system.signals[error.signal], stdout: error.stdout ?? '', stderr: error.stderr ?? '' };
      throw error;
    },
  );
}

/** Kills all processes with the mark of one launch, including daemons and orphans, until none is left. */
async function killMarked(mark: string): Promise<void> {
  for (let marked = pidsWith(`${MARK}=${mark}`); marked.length > 0; marked = pidsWith(`${MARK}=${mark}`)) {
    for (const pid of marked) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    // A killed process has its environment until the kernel has freed its memory.
    await sleep(LOOK_AGAIN_MS);
  }
}

/** Reads without promises: with hundreds of processes, they would take much more time than the reading. */
function pidsWith(variable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(variable);
      } catch {
        // The process has ended, or belongs to another user, so its environment cannot be read.
        return false;
      }
    });
}
