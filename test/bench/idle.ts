/**
 * An idle supervisor: the number of wakeups of its threads, and its private memory. The context switches of each thread
 * count. strace, if it may attach, shows the reasons.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contender, Contenders } from './contenders.ts';
import { findInPath, MISSING } from './contenders.ts';
import type { Row } from './figures.ts';
import { sampleOf } from './figures.ts';
import type { Rig } from './rig.ts';
import { FOREGROUND, programSections } from './startup.ts';

const PROGRAMS = 3;
/** Time from the attachment of strace, which interrupts every system call once, to the observation. */
const ATTACH_MS = 1000;

/** Time to settle, and time of the observation. */
export interface IdleTimes {
  readonly settleMs: number;
  readonly observeMs: number;
}

interface Observation {
  readonly wakeups: number;
  readonly privateDirtyKb: number;
  /** Threads that woke, with their system calls. */
  readonly culprits: readonly string[];
}

/** Measures wakeups and memory. `note` gets details about wakeups. */
export async function idleRows(
  rig: Rig,
  { ours, supervisor }: Contenders,
  times: IdleTimes,
  note: (text: string) => void,
): Promise<Row[]> {
  // Both at the same time, since neither does anything.
  const [own, peer] = await Promise.all([
    observe(rig, ours, times),
    supervisor === null ? null : observe(rig, supervisor, times),
  ]);
  for (const culprit of own.culprits) note(`woke while idle: ${culprit}`);
  const peerName = supervisor?.name ?? MISSING.supervisor;
  return [
    {
      what: `idle for ${times.observeMs / 1000} s, ${PROGRAMS} programs`,
      unit: 'wakeups',
      ours: sampleOf([own.wakeups]),
      peer: peer === null ? null : sampleOf([peer.wakeups]),
      peerName,
      target: { kind: 'limit', atMost: 0 },
    },
    {
      what: '  private dirty memory',
      unit: 'kB',
      ours: sampleOf([own.privateDirtyKb]),
      peer: peer === null ? null : sampleOf([peer.privateDirtyKb]),
      peerName,
      target: { kind: 'ratio', atLeast: 1 },
    },
  ];
}

async function observe(rig: Rig, contender: Contender, { settleMs, observeMs }: IdleTimes): Promise<Observation> {
  const running = await rig.start(contender, FOREGROUND + programSections(PROGRAMS));
  const { pid } = running.executed;
  for (let seen = 0; seen < PROGRAMS; seen += 1) await running.next();
  await sleep(settleMs);
  const trace = await Trace.attach(pid, join(rig.folder, `trace-${pid}`));
  await sleep(ATTACH_MS);
  const before = await threadsOf(pid);
  const fromSeconds = Date.now() / 1000;
  await sleep(observeMs);
  const untilSeconds = Date.now() / 1000;
  const after = await threadsOf(pid);
  const privateDirtyKb = await privateDirtyOf(pid);
  const calls = (await trace?.detach(fromSeconds, untilSeconds)) ?? new Map<number, string[]>();
  await running.stop();
  const woken = [...after]
    .map(([tid, thread]) => ({ tid, name: thread.name, switches: thread.switches - (before.get(tid)?.switches ?? 0) }))
    .filter(({ switches }) => switches > 0);
  return {
    wakeups: woken.reduce((sum, { switches }) => sum + switches, 0),
    privateDirtyKb,
    culprits: woken.map(
      ({ tid, name, switches }) =>
        `${contender.name}, thread ${name}, ${switches} times; system calls: ` +
        (calls.get(tid)?.join(', ') ?? 'not known'),
    ),
  };
}

/** Returns the name and the voluntary context switches of each thread. */
async function threadsOf(pid: number): Promise<Map<number, { name: string; switches: number }>> {
  const folder = `/proc/${pid}/task`;
  const threads = (await readdir(folder)).map(async (tid) => {
    const status = await readFile(join(folder, tid, 'status'), 'latin1');
    const name = /^Name:\t(.*)$/m.exec(status)?.[1] ?? '';
    const switches = Number(/^voluntary_ctxt_switches:\t(\d+)$/m.exec(status)?.[1]);
    return [Number(tid), { name, switches }] as const;
  });
  return new Map(await Promise.all(threads));
}

async function privateDirtyOf(pid: number): Promise<number> {
  return Number(/^Private_Dirty: +(\d+) kB$/m.exec(await readFile(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]);
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
