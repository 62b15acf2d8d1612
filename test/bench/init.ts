/** PID 1 of a container: many orphans to collect, and the way of SIGTERM to the program. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Bench } from './context.ts';
import { peerPart } from './contenders.ts';
import type { Contenders } from './contenders.ts';
import { atMost, ratioAtMost, sampleOf } from './figures.ts';
import type { Row, Sample } from './figures.ts';
import { nowMs } from './rig.ts';
import { alternate } from './rounds.ts';

const run = promisify(execFile);

/** Time for an init to be at rest before the signal. */
const REST_MS = 300;

/** An init process with the words before its program. */
interface Init {
  readonly name: string;
  readonly words: readonly string[];
}

const OURS = 'onevisor';

/** Runs a command as PID 1 of a PID namespace, with a /run of its own for our control socket. */
function asPid1(command: readonly string[]): string[] {
  const script = 'set -e; mount -t tmpfs tmpfs /run; export ONEVISOR_CONF=; exec "$@"';
  const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
  return ['unshare', ...user, '--pid', '--fork', '--mount-proc', '--kill-child', 'sh', '-c', script, 'sh', ...command];
}

function initsOf({ executable, supervisor, peers, isOtherBuild }: Contenders): Init[] {
  const peerInits = [peers.tini, peers.dumbInit].filter((peer) => peer !== null);
  return [
    { name: OURS, words: [executable, '--'] },
    ...(isOtherBuild ? [{ name: 'other build', words: [supervisor?.command[0] ?? '', '--'] }] : []),
    ...peerInits.map(({ name, path }) => ({ name, words: [path, '--'] })),
  ];
}

/** Measures the time from the first fork to the collection of the last orphan. */
export async function orphanRows({ rig, contenders, pick, rounds }: Bench): Promise<Row[]> {
  const count = pick(20_000, 2000);
  const attempts = initsOf(contenders).map(({ name, words }) => ({
    name,
    measure: async () => {
      const result = join(await rig.makeFolder(), 'result');
      const [file = '', ...args] = asPid1([...words, rig.path('orphans'), String(count), result]);
      await run(file, args, { timeout: 120_000, killSignal: 'SIGKILL' });
      return Number(await readFile(result, 'latin1'));
    },
  }));
  const figures = await alternate(attempts, rounds(7, 1), true);
  return peerRows(contenders, figures, {
    what: `${count} orphans`,
    goals: { tini: ratioAtMost(1.2) },
  });
}

/** Measures the time from SIGTERM to PID 1 until the handler of its program runs. */
export async function termRows({ rig, contenders, rounds }: Bench): Promise<Row[]> {
  const attempts = initsOf(contenders).map(({ name, words }) => ({
    name,
    measure: async () => {
      const folder = await rig.makeFolder();
      const command = asPid1([...words, rig.path('told'), join(folder, 'stamps')]);
      const running = await rig.run({ name, folder, words: command });
      await running.next();
      const pid1 = Number.parseInt(
        await readFile(`/proc/${running.executed.pid}/task/${running.executed.pid}/children`, 'latin1'),
        10,
      );
      await sleep(REST_MS);
      const sentMs = nowMs();
      process.kill(pid1, 'SIGTERM');
      const handled = await running.next();
      await running.stop();
      return handled.atMs - sentMs;
    },
  }));
  const figures = await alternate(attempts, rounds(25, 2), true);
  const what = "TERM to PID 1 → program's handler";
  const own = sampleOf(figures.get(OURS));
  return [
    { what, unit: 'ms', ours: own, peer: null, peerName: '', goal: atMost(1) },
    ...peerRows(contenders, figures, { what, goals: {} }),
  ];
}

function peerRows(
  { peers, isOtherBuild }: Contenders,
  figures: ReadonlyMap<string, number[]>,
  { what, goals }: { readonly what: string; readonly goals: { readonly tini?: Row['goal'] } },
): Row[] {
  const row = { what, unit: 'ms', ours: sampleOf(figures.get(OURS)) } as const;
  const sample = (name: string | undefined): Sample | null => sampleOf(figures.get(name ?? ''));
  if (isOtherBuild) return [{ ...row, peer: sample('other build'), peerName: 'other build', goal: null }];
  return [
    { ...row, ...peerPart(peers.tini, 'tini', sample(peers.tini?.name)), goal: goals.tini ?? null },
    { ...row, ...peerPart(peers.dumbInit, 'dumb-init', sample(peers.dumbInit?.name)), goal: null },
  ];
}
