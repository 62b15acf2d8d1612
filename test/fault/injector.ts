/**
 * Runs the executable with system calls that fail or hang on order. `injector.c` has the rules. A process outside the
 * namespace answers the calls, so the process under test has no further child, and no tracer.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Lines } from '../e2e/lines.ts';
import { pid1SkipReason } from '../e2e/launch.ts';
import type { TestContext } from 'node:test';

const run = promisify(execFile);

/** Processes whose calls a rule is for: PID 1, its child between clone and exec, or all. */
export type Who = 'pid1' | 'child' | 'any';

/** One rule: calls that fail. */
export interface Failure {
  readonly call: string;
  readonly errno: number;
  /** Calls that go well before the first failure. */
  readonly skip: number;
  /** Number of calls that fail; Infinity until the rules are cleared. */
  readonly count: number;
  readonly who: Who;
  /** Part of the path, or of what the descriptor leads to; null for any. */
  readonly target: string | null;
}

/** Counts of calls since the last clearing. */
export interface Counts {
  readonly failed: number;
  readonly held: number;
  readonly seen: number;
}

/** The program that answers system calls. */
export interface Injector {
  /** Words before the command line of the process under test, for `under` of launch(). */
  readonly under: readonly string[];
  readonly fail: (failure: Failure) => Promise<void>;
  readonly hold: (call: string, who: Who, target: string) => Promise<void>;
  /** Counts calls until the next clearing. */
  readonly tally: () => Promise<void>;
  /** Forgets all rules, and lets held calls go on. */
  readonly clear: () => Promise<Counts>;
  /** Lines about the first call that each rule has changed (`hit CALL TARGET`), and tallies. */
  readonly lines: Lines;
}

/** Calls that rules may be about. Each call costs two switches of context, also without a rule. */
const CALLS =
  'execve,openat,open,chdir,statx,newfstatat,stat,lstat,unlink,unlinkat,rename,renameat,renameat2,mkdir,mkdirat,' +
  'chmod,fchmod,fchmodat,chown,fchown,fchownat,access,faccessat,faccessat2,readlink,readlinkat,rmdir,' +
  'inotify_add_watch,dup2,' +
  'dup3,dup,fork,vfork,clone,clone3,pipe,pipe2,read,write,readv,writev,pread64,pwrite64,close,fcntl,ioctl,fstat,' +
  'ftruncate,lseek,getdents64,epoll_pwait,epoll_wait,epoll_ctl,epoll_create1,eventfd2,timerfd_create,timerfd_settime,' +
  'inotify_init1,accept4,socket,bind,listen,connect,getsockopt,setsockopt,shutdown,setresuid,setresgid,setgroups,' +
  'setpgid,setsid,prctl,prlimit64,setpriority,close_range,capset,wait4,waitid,kill';

let program: Promise<string> | undefined;

/** Compiles a program of this folder once for a test file. */
async function build(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-fault-'));
  process.once('exit', () => void rm(folder, { recursive: true, force: true }));
  const path = join(folder, 'injector');
  await run(process.env['CC'] ?? 'cc', [
    '-O2',
    '-Wall',
    '-Wextra',
    '-o',
    path,
    join(import.meta.dirname, 'injector.c'),
  ]);
  return path;
}

/** Returns the reason why no call can be made to fail here; null if it can. */
export async function injectorSkipReason(): Promise<string | null> {
  const reason = await pid1SkipReason();
  if (reason !== null) return reason;
  return process.getuid?.() === 0 ? null : 'a filter with a listener needs root here';
}

/**
 * Starts the program that answers calls. Must be called before launch(), so that it ends after what was launched.
 * `calls`: names of the calls that rules may be about.
 */
export async function startInjector(test: TestContext, calls = CALLS): Promise<Injector> {
  program ??= build();
  const path = await program;
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-inject-'));
  const door = join(folder, 'door');
  const child = spawn(path, ['serve', door], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = new Lines(child.stdout);
  test.after(async () => {
    child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });
  await lines.waitFor(/^serving$/);
  let answers = 0;
  let busy: Promise<unknown> = Promise.resolve();
  const order = (text: string): Promise<string> => {
    const sent = busy.then(async () => {
      child.stdin.write(`${text}\n`);
      answers += 1;
      const [answer] = await lines.waitFor(/^(ok|cleared|not understood).*$/, { count: answers });
      if (answer.startsWith('not understood')) throw new Error(answer);
      return answer;
    });
    busy = sent.catch(() => undefined);
    return sent;
  };
  return {
    under: [path, 'enter', door, calls],
    lines,
    fail: async ({ call, errno, skip, count, who, target }) => {
      const left = count === Infinity ? -1 : count;
      await order(`fail ${call} ${errno} ${skip} ${left} ${who} ${target ?? '*'}`);
    },
    hold: async (call, who, target) => void (await order(`hold ${call} ${who} ${target}`)),
    tally: async () => void (await order('tally')),
    clear: async () => {
      const [, failed, held, seen] = (await order('clear')).split(' ').map(Number);
      return { failed: failed ?? 0, held: held ?? 0, seen: seen ?? 0 };
    },
  };
}
