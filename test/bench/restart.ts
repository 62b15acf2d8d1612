/** Time from SIGKILL of a program that was up for more than a second to the exec of its successor. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Contenders } from './contenders.ts';
import { MISSING } from './contenders.ts';
import type { Row } from './figures.ts';
import { sampleOf } from './figures.ts';
import { nowMs } from './rig.ts';
import type { Rig, Running } from './rig.ts';
import { alternate } from './rounds.ts';
import { FOREGROUND, programSections } from './startup.ts';

/** Longer than startsecs, so that a killed program was RUNNING in both supervisors. */
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

/** Measures the ratio, and our absolute figure. */
export async function restartRows(rig: Rig, { ours, supervisor }: Contenders, rounds: number): Promise<Row[]> {
  const configuration = FOREGROUND + programSections(1, 'autorestart=true\nstartsecs=1\n');
  const contenders = supervisor === null ? [ours] : [ours, supervisor];
  const victims = await Promise.all(
    contenders.map(async (contender) => ({
      name: contender.name,
      victim: await Victim.make(await rig.start(contender, configuration)),
    })),
  );
  const attempts = victims.map(({ name, victim }) => ({
    name,
    measure: (round: number) => victim.kill((Math.max(round, 0) * TICK_MS) / rounds),
  }));
  const figures = await alternate(attempts, rounds, false);
  await Promise.all(victims.map(({ victim }) => victim.stop()));
  const own = sampleOf(figures.get(ours.name) ?? []);
  return [
    {
      what: "kill -9 -> its successor's exec",
      unit: 'ms',
      ours: own,
      peer: supervisor === null ? null : sampleOf(figures.get(supervisor.name) ?? []),
      peerName: supervisor?.name ?? MISSING.supervisor,
      target: { kind: 'ratio', atLeast: 50 },
    },
    {
      what: 'the same, longest of all',
      unit: 'ms',
      ours: own === null ? null : sampleOf([own.most]),
      peer: null,
      peerName: '',
      target: { kind: 'limit', atMost: 20 },
    },
  ];
}
