/**
 * One run of lines through a relay: the floods, the relay and the reader, and the comparison of the output. A relay
 * that loses, tears or mixes lines fails its case.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compareLines, compareTornText } from './lines.ts';
import type { Unpack } from './lines.ts';
import { nowMs } from './rig.ts';
import type { Rig } from './rig.ts';

const run = promisify(execFile);

/** Lines to be relayed. */
export interface Load {
  /** One for each program. */
  readonly tags: readonly string[];
  /** Bytes of all programs together, in millions. */
  readonly megabytes: number;
  /** Bytes of a line with its newline. */
  readonly bytes: number;
}

/** Settings with which a relay is started. */
export interface Job {
  readonly folder: string;
  readonly programs: ReadonlyArray<{ readonly tag: string; readonly words: readonly string[] }>;
}

/** A way to relay lines. */
export interface Relay {
  readonly name: string;
  /** True if the relay reads its standard input. Otherwise it starts the programs itself. */
  readonly isFilter?: boolean;
  /** Part of the load that a slow relay gets; 1 by default. */
  readonly share?: number;
  readonly unpack: Unpack;
  /** True for a relay that breaks lines where its reads end. Its text is compared without newlines. */
  readonly isTearing?: boolean;
  /** Bytes that the relay adds to each line, if that is always the same. */
  readonly adds?: number;
  /** Returns the command. */
  command(job: Job): Promise<readonly string[]> | readonly string[];
  /** For a relay to files: returns the bytes that have arrived, and the content of all files in order. */
  readonly files?: { arrived(folder: string): Promise<number>; content(folder: string): Promise<string> };
}

/** Result of a run. */
export interface Outcome {
  readonly megabytesASecond: number;
  readonly cpuMsPerGb: number;
}

interface Drained {
  readonly lines: number;
  readonly bytes: number;
  readonly wallMs: number;
  readonly cpuMs: number;
}

/** Megabytes whose every line is compared, before the measurement. */
const COMPARED_MB = 8;

/** Relays a part of the load, and compares every line. */
export async function compareRun(rig: Rig, relay: Relay, load: Load): Promise<void> {
  const small = { ...load, megabytes: Math.min(COMPARED_MB, load.megabytes) };
  const { job, gate, lines } = await prepare(rig, relay, small);
  let output: string;
  if (relay.files === undefined) {
    await drain(rig, 'keep', { relay, job, gate, lines });
    output = await readFile(`${gate}-output`, 'latin1');
  } else {
    await drain(rig, 'done', { relay, job, gate, lines });
    output = await relay.files.content(job.folder);
  }
  try {
    if (relay.isTearing === true) compareTornText(output, { tags: load.tags, lines, bytes: load.bytes });
    else compareLines(output, relay.unpack, { tags: load.tags, lines, bytes: load.bytes });
  } catch (error) {
    throw new Error(`${relay.name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Relays the load, and returns the speed in bytes of the programs. Lines and bytes are counted. */
export async function timedRun(rig: Rig, relay: Relay, load: Load): Promise<Outcome> {
  const own = { ...load, megabytes: load.megabytes * (relay.share ?? 1) };
  const { job, gate, lines } = await prepare(rig, relay, own);
  const total = lines * load.tags.length;
  const came = await drain(rig, relay.files === undefined ? 'lines' : 'done', { relay, job, gate, lines });
  const expected = total * (load.bytes + (relay.adds ?? 0));
  const isExact = relay.files === undefined && relay.isTearing !== true;
  if (isExact && came.lines !== total) throw new Error(`${relay.name} relayed ${came.lines} lines instead of ${total}`);
  if (isExact && (relay.adds === undefined ? came.bytes < expected : came.bytes !== expected))
    throw new Error(`${relay.name} relayed ${came.bytes} bytes instead of ${expected}`);
  const megabytes = (total * load.bytes) / 1e6;
  return { megabytesASecond: megabytes / (came.wallMs / 1e3), cpuMsPerGb: came.cpuMs / (megabytes / 1e3) };
}

interface Prepared {
  readonly job: Job;
  readonly gate: string;
  /** Lines of each program. */
  readonly lines: number;
}

async function prepare(rig: Rig, relay: Relay, load: Load): Promise<Prepared> {
  const folder = await rig.makeFolder();
  const gate = join(folder, 'gate');
  await run('mkfifo', ['-m', '600', `${gate}-ready`, `${gate}-go`, `${gate}-done`]);
  const lines = Math.ceil((load.megabytes * 1e6) / load.bytes / load.tags.length);
  const programs = load.tags.map((tag) => ({
    tag,
    words: [rig.path('flood'), String(lines), String(load.bytes), tag, gate],
  }));
  if (relay.isFilter === true && programs.length > 1) throw new Error('a filter has one program');
  return { job: { folder, programs }, gate, lines };
}

/** Runs `drain` (see programs/drain.c). */
async function drain(
  rig: Rig,
  mode: 'lines' | 'keep' | 'done',
  { relay, job, gate, lines }: Prepared & { readonly relay: Relay },
): Promise<Drained> {
  const total = lines * job.programs.length;
  const feeder = relay.isFilter === true ? `exec ${job.programs[0]?.words.join(' ') ?? ''}` : '-';
  const words = [mode, String(total), String(job.programs.length), gate, feeder, ...(await relay.command(job))];
  const child = spawn(rig.path('drain'), words, {
    cwd: job.folder,
    env: { PATH: process.env['PATH'] ?? '', HOME: job.folder, PM2_HOME: join(job.folder, 'pm2') },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  rig.onKill(() => child.kill('SIGKILL'));
  let problems = '';
  child.stderr.on('data', (bytes: Buffer) => void (problems = (problems + bytes.toString('latin1')).slice(-2000)));
  const ended = once(child, 'close');
  let answer: Drained | null = null;
  for await (const line of createInterface(child.stdout)) {
    if (line === 'done') {
      // The drain measures until it gets this line.
      await allArrived(relay, job);
      child.stdin.end('go on\n');
    } else answer = JSON.parse(line) as Drained;
  }
  const [code] = (await ended) as [number | null];
  if (answer === null || code !== 0) throw new Error(`${relay.name}: ${JSON.stringify(answer)} ${problems}`);
  return answer;
}

/** Waits until the files have every byte. */
async function allArrived(relay: Relay, job: Job): Promise<void> {
  const untilMs = nowMs() + 60_000;
  const expected = job.programs.reduce((sum, { words }) => sum + Number(words[1]) * Number(words[2]), 0);
  let bytes = 0;
  while (bytes !== expected) {
    bytes = (await relay.files?.arrived(job.folder)) ?? 0;
    if (bytes > expected || nowMs() > untilMs)
      throw new Error(`${relay.name}: ${bytes} bytes in the files instead of ${expected}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
