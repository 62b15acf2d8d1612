/** Reads the memory of a process, and measures it for several numbers of programs when the supervisors are at rest. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL, FOREGROUND, programSections } from './configurations.ts';
import type { Bench } from './context.ts';
import type { Contender } from './contenders.ts';
import { peerPart } from './contenders.ts';
import { atMost, ratioAtMost, sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import { nowMs } from './rig.ts';
import type { Running, Stamp } from './rig.ts';

/** Memory of a process in kB. */
export interface Memory {
  readonly privateDirty: number;
  readonly pss: number;
}

export async function memoryOf(pid: number): Promise<Memory> {
  const text = await readFile(`/proc/${pid}/smaps_rollup`, 'latin1');
  const field = (name: string): number => Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(text)?.[1]);
  return { privateDirty: field('Private_Dirty'), pss: field('Pss') };
}

/** Longest wait for a memory that keeps changing. */
const LATEST_MS = 30_000;

/**
 * Waits until the memory of a process no longer changes. A full run waits longer than we take to settle: the start is
 * seen at the end of the first 5 s, and a busy one at the end of the second.
 */
export async function settledMemory({ pick }: Bench, pid: number): Promise<Memory> {
  const [earliestMs, unchangedMs] = pick([17_000, 3000], [400, 400]) as [number, number];
  const beganMs = nowMs();
  let memory = await memoryOf(pid);
  let sinceMs = beganMs;
  while (nowMs() - beganMs < LATEST_MS) {
    await sleep(500);
    const next = await memoryOf(pid);
    if (next.privateDirty !== memory.privateDirty) sinceMs = nowMs();
    memory = next;
    if (nowMs() - beganMs > earliestMs && nowMs() - sinceMs > unchangedMs) break;
  }
  return memory;
}

/** Starts a supervisor with many programs, and waits until all run. */
export async function startMany(
  { rig }: Bench,
  contender: Contender,
  count: number,
): Promise<{ readonly running: Running; readonly last: Stamp }> {
  const head = FOREGROUND.replace('minfds=8192', `minfds=${Math.max(8192, count * 4)}`);
  const running = await rig.start(contender, head + CONTROL + programSections(count));
  return { running, last: await running.last(count) };
}

/** Measures the memory with few, many and very many programs. */
export async function memoryRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick } = bench;
  const { ours, supervisor } = contenders;
  const [few, many, most] = pick([3, 500, 2000], [3, 50, 100]) as [number, number, number];
  const figures = new Map<string, Memory[]>();
  const rounds = bench.rounds(3, 1);
  for (let round = 0; round < rounds; round += 1) {
    const started: Array<{ key: string; running: Running }> = [];
    const start = async (contender: Contender, count: number): Promise<void> => {
      started.push({ key: `${contender.name} ${count}`, ...(await startMany(bench, contender, count)) });
    };
    for (const count of [few, many]) {
      await start(ours, count);
      if (supervisor !== null) await start(supervisor, count);
    }
    if (round === 0) await start(ours, most);
    // They are at rest together.
    const all = started.map(async ({ key, running }) => {
      const memory = await settledMemory(bench, running.executed.pid);
      figures.set(key, [...(figures.get(key) ?? []), memory]);
    });
    await Promise.all(all);
    for (const { running } of started) await running.stop();
  }
  const sample = (name: string | undefined, count: number, kind: keyof Memory) =>
    sampleOf(figures.get(`${name ?? ''} ${count}`)?.map((memory) => memory[kind] / 1024));
  const row = (count: number, kind: keyof Memory) =>
    ({
      unit: 'MB',
      ours: sample(ours.name, count, kind),
      ...peerPart(supervisor, 'supervisord', sample(supervisor?.name, count, kind)),
    }) as const;
  const own = (count: number): number => (sample(ours.name, count, 'privateDirty')?.median ?? 0) * 1024;
  const each = (from: number, to: number): number => (own(to) - own(from)) / (to - from);
  const perProgram = sampleOf([each(many, most)]);
  return [
    { what: `private memory at rest, ${few} programs`, ...row(few, 'privateDirty'), goal: ratioAtMost(0.6) },
    { what: `private memory at rest, ${many} programs`, ...row(many, 'privateDirty'), goal: ratioAtMost(0.75) },
    {
      ...row(most, 'privateDirty'),
      what: `private memory at rest, ${most} programs`,
      peer: null,
      peerName: '',
      goal: null,
    },
    {
      what: `  each program from ${many} to ${most}`,
      unit: 'kB',
      ours: perProgram,
      peer: sampleOf([each(few, many)]),
      peerName: `each from ${few} to ${many}`,
      goal: ratioAtMost(1),
    },
    { what: `  the same`, unit: 'kB', ours: perProgram, peer: null, peerName: '', goal: atMost(10) },
    { what: `resident memory (PSS), ${few} programs`, ...row(few, 'pss'), goal: ratioAtMost(1.6) },
  ];
}
