/** Time from SIGKILL of a program that was up for more than a second to the exec of its successor. */
import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FOREGROUND, programSections } from './configurations.ts';
import type { Bench } from './context.ts';
import type { Peer } from './contenders.ts';
import { peerPart } from './contenders.ts';
import { atMost, ratioAtMost, sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import { nowMs } from './rig.ts';
import type { Rig, Running } from './rig.ts';
import { alternate } from './rounds.ts';

/**
 * Longer than startsecs, so that a killed program was RUNNING, and longer than the second between two starts of runit
 * and s6.
 */
const UP_MS = 1200;
/** Supervisor checks its programs once a second. The kills are spread over that second. */
const TICK_MS = 1000;

/** A supervisor with one program that is killed repeatedly. */
class Victim {
  readonly #running: Running;
  #pid: number;
  #sinceMs: number;

  private constructor(running: Running, pid: number) {
    this.#running = running;
    this.#pid = pid;
    this.#sinceMs = nowMs();
  }

  static async make(running: Running): Promise<Victim> {
    return new Victim(running, (await running.next()).pid);
  }

  /** Kills the program at `phaseMs` after the earliest time. Returns the milliseconds until the successor's exec. */
  async kill(phaseMs: number): Promise<number> {
    await sleep(Math.max(0, this.#sinceMs + UP_MS + phaseMs - nowMs()));
    const killedMs = nowMs();
    process.kill(this.#pid, 'SIGKILL');
    const successor = await this.#running.next();
    this.#pid = successor.pid;
    this.#sinceMs = nowMs();
    return successor.atMs - killedMs;
  }

  stop(): Promise<void> {
    return this.#running.stop();
  }
}

/** Measures the ratios, and our longest time. */
export async function restartRows({ rig, contenders, rounds }: Bench): Promise<Row[]> {
  const { ours, supervisor, peers } = contenders;
  const { runsv, s6Supervise } = peers;
  const times = rounds(11, 2);
  const configuration = FOREGROUND + programSections(1, 'autorestart=true\nstartsecs=1\n');
  const starts = new Map([[ours.name, () => rig.start(ours, configuration)]]);
  if (supervisor !== null) starts.set(supervisor.name, () => rig.start(supervisor, configuration));
  for (const peer of [runsv, s6Supervise]) if (peer !== null) starts.set(peer.name, () => startService(rig, peer));
  const victims = await Promise.all(
    [...starts].map(async ([name, start]) => ({ name, victim: await Victim.make(await start()) })),
  );
  const attempts = victims.map(({ name, victim }) => ({
    name,
    measure: (round: number) => victim.kill((Math.max(round, 0) * TICK_MS) / times),
  }));
  const figures = await alternate(attempts, times, false);
  await Promise.all(victims.map(({ victim }) => victim.stop()));
  const own = sampleOf(figures.get(ours.name));
  const row = { what: "kill -9 → successor's exec", unit: 'ms', ours: own } as const;
  const part = (peer: { readonly name: string } | null, program: string) =>
    peerPart(peer, program, sampleOf(figures.get(peer?.name ?? '')));
  return [
    { ...row, ...part(supervisor, 'supervisord'), goal: ratioAtMost(1 / 300) },
    { ...row, ...part(runsv, 'runit'), goal: ratioAtMost(1) },
    { ...row, ...part(s6Supervise, 's6'), goal: null },
    {
      what: '  longest of all',
      unit: 'ms',
      ours: own === null ? null : sampleOf([own.most]),
      peer: null,
      peerName: '',
      goal: atMost(20),
    },
  ];
}

/** Starts runsv or s6-supervise with the program itself as `run`, so that no shell is between them. */
async function startService(rig: Rig, { name, path }: Peer): Promise<Running> {
  const folder = await rig.makeFolder();
  const service = join(folder, 'service');
  await mkdir(service);
  await copyFile(rig.path('stamp'), join(service, 'run'));
  return rig.run({ name, folder, words: [path, service] });
}
