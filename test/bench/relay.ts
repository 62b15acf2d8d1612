/**
 * 200 MB of lines of 95 bytes from one program through a relay to a reader on a pipe, and the processor time of the
 * relay. Lines and bytes are counted: a relay that loses any of them fails.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Contender, Contenders } from './contenders.ts';
import { MISSING } from './contenders.ts';
import type { Row, Sample } from './figures.ts';
import { sampleOf } from './figures.ts';
import type { Rig } from './rig.ts';
import { alternate } from './rounds.ts';

const run = promisify(execFile);

const LINE_BYTES = 95;
const PREFIX = 'flood | ';
/** s6-log adds a space. */
const S6_PREFIX = PREFIX.trimEnd();
/** Alone, so that only the lines of the program arrive. Otherwise both of its outputs would be read at the end. */
const SILENT =
  '[supervisord]\nnodaemon=true\nsilent=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%FOLDER%/pid\n';

interface Outcome {
  readonly lines: number;
  readonly bytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

interface Relay {
  readonly name: string;
  readonly prefix: string;
  /** Arguments of `drain` after the number of lines. */
  arguments(): Promise<readonly string[]>;
}

/** Measures three throughputs with a prefix and three without, and the processor times. */
export async function relayRows(
  rig: Rig,
  { ours, supervisor, s6Log }: Contenders,
  megabytes: number,
  rounds: number,
): Promise<Row[]> {
  const lines = Math.ceil((megabytes * 1e6) / LINE_BYTES);
  const supervised = (name: string, contender: Contender, format: string, prefix: string): Relay => ({
    name,
    prefix,
    arguments: async () => {
      const { configuration } = await rig.configure(
        `${SILENT}[program:flood]\ncommand=${rig.path('flood')} ${lines}\nstdout_logfile=/dev/stdout\n` +
          `stdout_logfile_maxbytes=0\nredirect_stderr=true\n${format}`,
      );
      return ['-', ...contender.command, configuration];
    },
  });
  const relays: Relay[] = [
    supervised('prefix', ours, 'log_format=prefix\n', PREFIX),
    ...(s6Log === null
      ? []
      : [
          {
            name: 's6',
            prefix: PREFIX,
            arguments: () => Promise.resolve([rig.path('flood'), s6Log, `p${S6_PREFIX}`, '1']),
          },
        ]),
    supervised('raw', ours, 'log_format=raw\n', ''),
    ...(supervisor === null ? [] : [supervised('supervisor', supervisor, '', '')]),
  ];
  const cpu = new Map<string, number[]>(relays.map(({ name }) => [name, []]));
  const attempts = relays.map((relay) => ({
    name: relay.name,
    measure: async (round: number) => {
      const outcome = await drain(rig, lines, relay);
      if (round >= 0) cpu.get(relay.name)?.push(outcome.cpuMs);
      return (lines * LINE_BYTES) / 1e3 / outcome.wallMs;
    },
  }));
  const speed = await alternate(attempts, rounds, true);
  const speedOf = (name: string): Sample | null => sampleOf(speed.get(name) ?? []);
  const cpuOf = (name: string): Sample | null => sampleOf(cpu.get(name) ?? []);
  const s6 = s6Log === null ? MISSING.s6Log : 's6-log, prefix';
  const raw = supervisor === null ? MISSING.supervisor : `${supervisor.name}, no prefix`;
  return [
    {
      what: `${megabytes} MB of lines, prefix`,
      unit: 'MB/s',
      ours: speedOf('prefix'),
      peer: speedOf('s6'),
      peerName: s6,
      target: { kind: 'ratio', atLeast: 3 },
    },
    {
      what: `${megabytes} MB of lines, prefix`,
      unit: 'MB/s',
      ours: speedOf('prefix'),
      peer: speedOf('supervisor'),
      peerName: raw,
      target: { kind: 'ratio', atLeast: 1 },
    },
    {
      what: `${megabytes} MB of lines, no prefix`,
      unit: 'MB/s',
      ours: speedOf('raw'),
      peer: speedOf('supervisor'),
      peerName: raw,
      target: null,
    },
    {
      what: '  processor time, prefix',
      unit: 'ms',
      ours: cpuOf('prefix'),
      peer: cpuOf('s6'),
      peerName: s6,
      target: null,
    },
    {
      what: '  processor time, no prefix',
      unit: 'ms',
      ours: cpuOf('raw'),
      peer: cpuOf('supervisor'),
      peerName: raw,
      target: null,
    },
  ];
}

async function drain(rig: Rig, lines: number, relay: Relay): Promise<Outcome> {
  const line = [String(lines), ...(await relay.arguments())];
  const { stdout } = await run(rig.path('drain'), line, {
    cwd: rig.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: rig.folder },
  }).catch((error: Error & { stdout?: string }) => {
    throw new Error(`${error.message}${error.stdout ?? ''}`);
  });
  const outcome = JSON.parse(stdout) as Outcome;
  const bytes = lines * (LINE_BYTES + relay.prefix.length);
  if (outcome.bytes !== bytes) throw new Error(`${relay.name} relayed ${outcome.bytes} bytes instead of ${bytes}`);
  return outcome;
}
