/**
 * Time from the exec of the supervisor to the exec of its programs: the first one, and all of a fleet, and the time to
 * stop the fleet.
 */
import type { Bench } from './context.ts';
import { CONTROL, FOREGROUND, programSections } from './configurations.ts';
import type { Contender } from './contenders.ts';
import { emptyContender } from './empty-executable.ts';
import { peerPart } from './contenders.ts';
import { ratioAtMost, sampleOf } from './figures.ts';
import type { Row } from './figures.ts';
import type { Running } from './rig.ts';
import { alternate } from './rounds.ts';

/** Number of programs in a usual container. */
const FEW = 3;

/** Measures the start of a small configuration. */
export async function startRows({ rig, contenders, rounds }: Bench): Promise<Row[]> {
  const { ours, supervisor } = contenders;
  const empty = await emptyContender();
  const text = FOREGROUND + CONTROL + programSections(FEW);
  const measure = (contender: Contender) => async (): Promise<number> => {
    const running = await rig.start(contender, text);
    const first = await running.next();
    await running.stop();
    return first.atMs - running.executed.atMs;
  };
  const attempts = [ours, empty, ...(supervisor === null ? [] : [supervisor])].map((contender) => ({
    name: contender.name,
    measure: measure(contender),
  }));
  const figures = await alternate(attempts, rounds(15, 1), true);
  const row = { what: "exec → first program's exec", unit: 'ms', ours: sampleOf(figures.get(ours.name)) } as const;
  const emptySample = sampleOf(figures.get(empty.name));
  return [
    {
      ...row,
      ...peerPart(supervisor, 'supervisord', sampleOf(figures.get(supervisor?.name ?? ''))),
      goal: ratioAtMost(1 / 20),
    },
    { ...row, peer: emptySample, peerName: 'empty executable, its first statement', goal: ratioAtMost(2) },
  ];
}

/** Measures the start and the stop of many programs. */
export async function fleetRows({ rig, contenders, pick, rounds }: Bench): Promise<Row[]> {
  const { ours, supervisor } = contenders;
  const count = pick(500, 50);
  const down = new Map<string, number[]>();
  const measure = (name: string, start: () => Promise<Running>) => ({
    name,
    measure: async (round: number) => {
      const running = await start();
      const last = await running.last(count);
      const stopMs = await running.terminate();
      if (round >= 0) down.set(name, [...(down.get(name) ?? []), stopMs]);
      await running.stop();
      return last.atMs - running.executed.atMs;
    },
  });
  const supervised = (contender: Contender) =>
    measure(contender.name, () => rig.start(contender, FOREGROUND + programSections(count)));
  const loop = measure('C loop', async () => {
    const folder = await rig.makeFolder();
    const words = [rig.path('spawn-many'), String(count), rig.path('stamp'), `${folder}/stamps`];
    return rig.run({ name: 'C loop', folder, words });
  });
  const attempts = [supervised(ours), loop, ...(supervisor === null ? [] : [supervised(supervisor)])];
  const up = await alternate(attempts, rounds(5, 1), pick(true, false));
  const peer = (figures: ReadonlyMap<string, number[]>) =>
    peerPart(supervisor, 'supervisord', sampleOf(figures.get(supervisor?.name ?? '')));
  const upRow = { what: `${count} programs up`, unit: 'ms', ours: sampleOf(up.get(ours.name)) } as const;
  const downRow = { what: `${count} programs down`, unit: 'ms', ours: sampleOf(down.get(ours.name)) } as const;
  const loopPart = (figures: ReadonlyMap<string, number[]>) => ({
    peer: sampleOf(figures.get(loop.name)),
    peerName: 'C loop, posix_spawn',
  });
  return [
    { ...upRow, ...peer(up), goal: ratioAtMost(1 / 8) },
    { ...upRow, ...loopPart(up), goal: ratioAtMost(1.7) },
    { ...downRow, ...peer(down), goal: ratioAtMost(1 / 20) },
    { ...downRow, ...loopPart(down), goal: null },
  ];
}
