/** Throughput of lines from programs through a relay to a reader on a pipe, or to files, and its processor time. */
import type { Bench } from './context.ts';
import { peerPart } from './contenders.ts';
import { ratioAtLeast, ratioAtMost, sampleOf } from './figures.ts';
import type { Goal, Row, Sample } from './figures.ts';
import { npmPeers } from './npm-peers.ts';
import { compareRun, timedRun } from './relay-run.ts';
import type { Load, Relay } from './relay-run.ts';
import { CATS, concurrently, pm2Runtime, s6Files, s6Prefix, supervised, supervisedFiles } from './relays.ts';
import { alternate } from './rounds.ts';

/** Bytes of a usual line. */
const LINE_BYTES = 95;
const TAG = 'flood';
/** Bytes of `flood | `. */
const PREFIX_BYTES = TAG.length + 3;

/** Figures of one relay. */
interface Figures {
  readonly speed: Sample | null;
  readonly cpu: Sample | null;
}

/** Relays what is compared first, line by line, and then measured. */
async function measureRelays(
  { rig }: Bench,
  relays: readonly Relay[],
  loadOf: (relay: Relay) => Load,
  count: number,
): Promise<(name: string | undefined) => Figures> {
  for (const relay of relays) await compareRun(rig, relay, loadOf(relay));
  const cpu = new Map<string, number[]>(relays.map(({ name }) => [name, []]));
  const attempts = relays.map((relay) => ({
    name: relay.name,
    measure: async () => {
      const outcome = await timedRun(rig, relay, loadOf(relay));
      cpu.get(relay.name)?.push(outcome.cpuMsPerGb);
      return outcome.megabytesASecond;
    },
  }));
  const speed = await alternate(attempts, count, false);
  return (name = '') => ({ speed: sampleOf(speed.get(name)), cpu: sampleOf(cpu.get(name)) });
}

/** A line of the table in short form: our relay, the peer with its relay's name, and both goals. */
interface Comparison {
  readonly what: string;
  readonly ours: string;
  readonly peer: { readonly name: string } | null;
  readonly relay: string;
  readonly goal: Goal | null;
}

const CAT_PEER = { name: CATS.name };

/** One program, with a prefix, raw, as JSON and as logfmt. */
export async function relayRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick, rounds, note } = bench;
  const { ours, supervisor, peers, isOtherBuild } = contenders;
  const own = (form: 'raw' | 'prefix' | 'json' | 'logfmt'): Relay =>
    supervised(form, ours, form, { prefixBytes: PREFIX_BYTES });
  const npm = isOtherBuild ? null : await npmPeers(pick(true, false));
  if (npm !== null && npm.reason !== null) note(`pm2-runtime, concurrently: ${npm.reason}`);
  const { s6Log } = peers;
  const relays = [
    own('prefix'),
    CATS,
    own('raw'),
    ...(supervisor === null ? [] : [supervised('supervisor', supervisor, isOtherBuild ? 'raw' : 'default')]),
    own('json'),
    ...(s6Log === null ? [] : [s6Prefix(s6Log, TAG)]),
    own('logfmt'),
    ...(npm?.pm2 ? [pm2Runtime(npm.pm2.path)] : []),
    ...(npm?.concurrently ? [concurrently(npm.concurrently.path)] : []),
  ];
  const load: Load = { tags: [TAG], megabytes: pick(200, 10), bytes: LINE_BYTES };
  const figures = await measureRelays(bench, relays, () => load, rounds(9, 1));
  const raw = supervisor === null ? null : { name: `${supervisor.name}, no prefix` };
  const s6 = s6Log === null ? null : { name: `${s6Log.name}, prefix` };
  const pm2 = npm?.pm2 ?? null;
  const prefix = 'one program, prefix';
  const comparisons: Comparison[] = [
    { what: prefix, ours: 'prefix', peer: CAT_PEER, relay: CATS.name, goal: ratioAtLeast(1) },
    { what: prefix, ours: 'prefix', peer: s6, relay: 's6-log', goal: ratioAtLeast(5) },
    { what: prefix, ours: 'prefix', peer: raw, relay: 'supervisor', goal: ratioAtLeast(1.3) },
    { what: prefix, ours: 'prefix', peer: pm2, relay: 'pm2-runtime', goal: ratioAtLeast(30) },
    { what: prefix, ours: 'prefix', peer: npm?.concurrently ?? null, relay: 'concurrently', goal: null },
    { what: 'one program, JSON', ours: 'json', peer: CAT_PEER, relay: CATS.name, goal: ratioAtLeast(0.6) },
    { what: 'one program, logfmt', ours: 'logfmt', peer: CAT_PEER, relay: CATS.name, goal: ratioAtLeast(0.6) },
    { what: 'one program, raw', ours: 'raw', peer: raw, relay: 'supervisor', goal: ratioAtLeast(1) },
  ];
  const processor: Comparison[] = [
    { what: '  processor time, prefix', ours: 'prefix', peer: s6, relay: 's6-log', goal: ratioAtMost(1 / 4) },
    { what: '  processor time, prefix', ours: 'prefix', peer: CAT_PEER, relay: CATS.name, goal: null },
    { what: '  processor time, prefix', ours: 'prefix', peer: pm2, relay: 'pm2-runtime', goal: null },
    { what: '  processor time, JSON', ours: 'json', peer: CAT_PEER, relay: CATS.name, goal: null },
    { what: '  processor time, logfmt', ours: 'logfmt', peer: CAT_PEER, relay: CATS.name, goal: null },
    { what: '  processor time, raw', ours: 'raw', peer: raw, relay: 'supervisor', goal: null },
  ];
  return [...rowsOf(comparisons, 'speed', figures), ...rowsOf(processor, 'cpu', figures)];
}

/** One program with a rotating file. */
export async function fileRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick, rounds } = bench;
  const { ours, supervisor, peers } = contenders;
  const { s6Log } = peers;
  const relays = [
    supervisedFiles('raw', ours, ''),
    ...(supervisor === null ? [] : [supervisedFiles('supervisor', supervisor, '')]),
    ...(s6Log === null ? [] : [s6Files(s6Log, null)]),
    // As many bytes as s6-log gets, since gzip takes most of the time.
    { ...supervisedFiles('gzip', ours, 'compress=true\n'), share: 1 / 5 },
    ...(s6Log === null ? [] : [s6Files(s6Log, 'gzip -nc')]),
  ];
  const load: Load = { tags: [TAG], megabytes: pick(250, 25), bytes: LINE_BYTES };
  const figures = await measureRelays(bench, relays, () => load, rounds(5, 1));
  const gzip = s6Log === null ? null : { name: `${s6Log.name}, gzip` };
  const comparisons: Comparison[] = [
    { what: 'one program, rotating file', ours: 'raw', peer: supervisor, relay: 'supervisor', goal: ratioAtLeast(1) },
    { what: 'one program, rotating file', ours: 'raw', peer: s6Log, relay: 's6-log files', goal: null },
    { what: 'one program, rotation with gzip', ours: 'gzip', peer: gzip, relay: 's6-log gzip', goal: null },
  ];
  const processor: Comparison[] = [
    { what: '  processor time, file', ours: 'raw', peer: supervisor, relay: 'supervisor', goal: null },
    { what: '  processor time, gzip', ours: 'gzip', peer: gzip, relay: 's6-log gzip', goal: null },
  ];
  return [...rowsOf(comparisons, 'speed', figures), ...rowsOf(processor, 'cpu', figures)];
}

/** Short and long lines of one program. */
export async function lineRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick, rounds } = bench;
  const rows: Row[] = [];
  for (const bytes of [16, 4000]) {
    const relays = [
      supervised('prefix', contenders.ours, 'prefix', { prefixBytes: PREFIX_BYTES }),
      CATS,
      supervised('json', contenders.ours, 'json'),
    ];
    const load: Load = { tags: [TAG], megabytes: pick(bytes === 16 ? 50 : 200, 5), bytes };
    const figures = await measureRelays(bench, relays, () => load, rounds(5, 1));
    const comparisons: Comparison[] = [
      { what: `lines of ${bytes} bytes, prefix`, ours: 'prefix', peer: CAT_PEER, relay: CATS.name, goal: null },
      { what: `lines of ${bytes} bytes, JSON`, ours: 'json', peer: CAT_PEER, relay: CATS.name, goal: null },
    ];
    rows.push(...rowsOf(comparisons, 'speed', figures), ...rowsOf(comparisons.slice(0, 1), 'cpu', figures));
  }
  return rows;
}

/** A hundred programs at once, next to one. */
export async function manyRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick, rounds } = bench;
  const count = pick(100, 20);
  const tags = Array.from({ length: count }, (_, index) => `p${String(index).padStart(4, '0')}`);
  const relays = [
    supervised('one', contenders.ours, 'prefix', { prefixBytes: PREFIX_BYTES }),
    supervised('many', contenders.ours, 'prefix', { prefixBytes: PREFIX_BYTES }),
  ];
  const loadOf = ({ name }: Relay): Load => ({
    tags: name === 'one' ? [TAG] : tags,
    megabytes: pick(200, 10),
    bytes: LINE_BYTES,
  });
  const figures = await measureRelays(bench, relays, loadOf, rounds(9, 1));
  const comparison: Comparison = {
    what: `${count} programs at once, prefix`,
    ours: 'many',
    peer: { name: 'one program' },
    relay: 'one',
    goal: ratioAtLeast(0.8),
  };
  return [...rowsOf([comparison], 'speed', figures), ...rowsOf([{ ...comparison, goal: null }], 'cpu', figures)];
}

/** The lines in memory, next to none. */
export async function tailRows(bench: Bench): Promise<Row[]> {
  const { contenders, pick, rounds } = bench;
  const relays = [
    supervised('tail', contenders.ours, 'prefix', { prefixBytes: PREFIX_BYTES }),
    supervised('none', contenders.ours, 'prefix', { prefixBytes: PREFIX_BYTES, supervisor: 'tail_bytes=0\n' }),
  ];
  const load: Load = { tags: [TAG], megabytes: pick(400, 10), bytes: LINE_BYTES };
  const figures = await measureRelays(bench, relays, () => load, rounds(15, 1));
  const comparison: Comparison = {
    what: 'lines in memory, prefix',
    ours: 'tail',
    peer: { name: 'tail_bytes=0' },
    relay: 'none',
    goal: ratioAtLeast(0.95),
  };
  return [...rowsOf([comparison], 'speed', figures), ...rowsOf([{ ...comparison, goal: null }], 'cpu', figures)];
}

function rowsOf(
  comparisons: readonly Comparison[],
  kind: keyof Figures,
  figures: (name: string | undefined) => Figures,
): Row[] {
  return comparisons.map(({ what, ours, peer, relay, goal }) => ({
    what: kind === 'cpu' && !what.startsWith(' ') ? `  processor time` : what,
    unit: kind === 'cpu' ? 'ms/GB' : 'MB/s',
    ours: figures(ours)[kind],
    ...peerPart(peer, relay, figures(relay)[kind]),
    goal,
  }));
}
