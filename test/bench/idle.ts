/**
 * Idle supervisors: the number of wakeups of their threads while nothing happens. The context switches of each thread
 * count. strace, if it may attach, shows the reasons.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench } from './context.ts';
import { findInPath, peerPart } from './contenders.ts';
import { atMost, sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import { startMany } from './memory.ts';
import type { Running } from './rig.ts';

/** Time from the attachment of strace, which interrupts every system call once, to the observation. */
const ATTACH_MS = 1000;

/** Times of an observation. */
interface IdleTimes {
  /** Until the programs are RUNNING and the start is over. */
  readonly startMs: number;
  /** From then on until our memory has settled, at the end of the first quiet time. */
  readonly settleMs: number;
  readonly observeMs: number;
}

interface Observation {
  /** Wakeups before the observation, while the memory settled. */
  readonly settling: number;
  readonly wakeups: number;
  /** Threads that woke, with their system calls. */
  readonly culprits: readonly string[];
}

/** Measures wakeups of all supervisors at the same time, since none does anything. */
export async function idleRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick, note } = bench;
  const { ours, supervisor } = contenders;
  const times = pick(
    { startMs: 4000, settleMs: 12_000, observeMs: 60_000 },
    { startMs: 2000, settleMs: 1000, observeMs: 1000 },
  );
  const counts = pick([10, 500], [10, 50]);
  const watched: Array<{ key: string; name: string; running: Running }> = [];
  for (const count of counts) {
    for (const contender of supervisor === null ? [ours] : [ours, supervisor]) {
      const { running } = await startMany(bench, contender, count);
      watched.push({ key: `${contender.name} ${count}`, name: contender.name, running });
    }
  }
  await sleep(times.startMs);
  const observed = new Map(
    await Promise.all(
      watched.map(async ({ key, name, running }) => [key, await observe(bench, name, running, times)] as const),
    ),
  );
  for (const { running } of watched) await running.stop();
  return counts.map((count) => {
    const own = observed.get(`${ours.name} ${count}`);
    const peer = observed.get(`${supervisor?.name ?? ''} ${count}`);
    for (const culprit of own?.culprits ?? []) note(`woke while idle, ${count} programs: ${culprit}`);
    note(`idle, ${count} programs: ${own?.settling ?? '?'} wakeups before, while the memory settled once`);
    return {
      what: `idle for ${times.observeMs / 1000} s, socket open, ${count} programs`,
      unit: 'wakeups',
      ours: own === undefined ? null : sampleOf([own.wakeups]),
      ...peerPart(supervisor, 'supervisord', peer === undefined ? null : sampleOf([peer.wakeups])),
      goal: atMost(0),
    };
  });
}

async function observe({ rig }: Bench, name: string, running: Running, times: IdleTimes): Promise<Observation> {
  const { pid } = running.executed;
  const atStart = await threadsOf(pid);
  await sleep(times.settleMs);
  const settling = wokenSince(atStart, await threadsOf(pid)).reduce((sum, { switches }) => sum + switches, 0);
  const trace = await Trace.attach(pid, join(rig.folder, `trace-${pid}`));
  await sleep(ATTACH_MS);
  const before = await threadsOf(pid);
  const fromSeconds = Date.now() / 1000;
  await sleep(times.observeMs);
  const untilSeconds = Date.now() / 1000;
  const after = await threadsOf(pid);
  const calls = (await trace?.detach(fromSeconds, untilSeconds)) ?? new Map<number, string[]>();
  const woken = wokenSince(before, after);
  return {
    settling,
    wakeups: woken.reduce((sum, { switches }) => sum + switches, 0),
    culprits: woken.map(
      (thread) =>
        `${name}, thread ${thread.name}, ${thread.switches} times; system calls: ` +
        (calls.get(thread.tid)?.join(', ') ?? 'not known'),
    ),
  };
}

type Threads = ReadonlyMap<number, { name: string; switches: number }>;

function wokenSince(before: Threads, after: Threads): Array<{ tid: number; name: string; switches: number }> {
  return [...after]
    .map(([tid, { name, switches }]) => ({ tid, name, switches: switches - (before.get(tid)?.switches ?? 0) }))
    .filter(({ switches }) => switches > 0);
}

/** Returns the name and the voluntary context switches of each thread. */
async function threadsOf(pid: number): Promise<Threads> {
  const folder = `/proc/${pid}/task`;
  const threads = (await readdir(folder)).map(async (tid) => {
    const status = await readFile(join(folder, tid, 'status'), 'latin1');
    const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
    const switches = Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)?.[1]);
    return [Number(tid), { name, switches }] as const;
  });
  return new Map(await Promise.all(threads));
}

/** A run of strace on all threads of a process. */
class Trace {
  readonly #child: ReturnType<typeof spawn>;
  readonly #path: string;

  private constructor(child: ReturnType<typeof spawn>, path: string) {
    this.#child = child;
    this.#path = path;
  }

  /** Null if there is no strace, or it may not attach. */
  static async attach(pid: number, path: string): Promise<Trace | null> {
    const strace = await findInPath('strace');
    if (strace === null) return null;
    const child = spawn(strace, ['-f', '-ttt', '-o', path, '-p', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
    // "strace: Process 1 attached", or the reason of a failure.
    const [said] = (await once(child.stderr, 'data')) as [Buffer];
    child.stderr.resume();
    if (!said.includes('attached')) return null;
    return new Trace(child, path);
  }

  /** Ends the trace. Returns the calls of each thread between two times (seconds since 1970). */
  async detach(fromSeconds: number, untilSeconds: number): Promise<Map<number, string[]>> {
    this.#child.kill('SIGINT');
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    const calls = new Map<number, string[]>();
    for (const line of (await readFile(this.#path, 'latin1')).split('\n')) {
      const match = /^(\d+) +(\d+\.\d+) (?:<\.\.\. )?(\w+)/.exec(line);
      if (match === null) continue;
      const [tid, seconds, call] = [Number(match[1]), Number(match[2]), match[3] ?? ''];
      if (seconds < fromSeconds || seconds > untilSeconds) continue;
      calls.set(tid, [...(calls.get(tid) ?? []), call]);
    }
    return calls;
  }
}
