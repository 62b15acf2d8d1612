/**
 * The temporary folder of a bench with its compiled programs, and the supervisors in it, with the exec times of the
 * supervisors and their programs. Everything ends with the bench, however it ends.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChildProcess } from 'node:child_process';
import { hashOf, makeUnlessCurrent } from '../../build/cache.ts';
import { CACHE } from '../../build/platform.ts';
import type { Contender } from './contenders.ts';

const run = promisify(execFile);

/** The C programs in this folder. The header of each describes it. */
export const PROGRAMS = [
  'stamp',
  'flood',
  'drain',
  'spawn-loop',
  'spawn-many',
  'timed',
  'orphans',
  'told',
  'ask',
] as const;
export type Program = (typeof PROGRAMS)[number];

/** Folder of the compiled programs, which later runs use again. */
const COMPILED = join(CACHE, 'bench', 'programs');
/** Static, so that the time of the dynamic linker, which is the same for all, does not hide the difference. */
const FLAGS: readonly string[] = ['-O3', '-Wall', '-Wextra', '-static', '-D_GNU_SOURCE'];

/** Time limit for any wait, after which the case fails. */
const PATIENCE_MS = 60_000;
/** Limit for the stored output of a supervisor, which is shown if a case fails. */
const KEPT_OUTPUT = 4000;

/** Time of an exec in milliseconds of the monotonic clock, and the pid. */
export interface Stamp {
  readonly atMs: number;
  readonly pid: number;
}

/** Returns the current time of that clock. */
export function nowMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** A running supervisor. */
export interface Running {
  /** Time of its own exec. */
  readonly executed: Stamp;
  /** Its folder, and the path of its configuration there. */
  readonly folder: string;
  readonly configuration: string;
  /** Resolves with the next exec of one of its programs. */
  next(): Promise<Stamp>;
  /** Resolves with the last of the next `count` execs. */
  last(count: number): Promise<Stamp>;
  /** Kills it, and waits until its programs have ended. */
  stop(): Promise<void>;
  /** Sends SIGTERM, and resolves with the milliseconds until it has ended. {@link stop} must follow. */
  terminate(): Promise<number>;
}

/** A command to run in a folder of the rig. */
export interface Command {
  readonly name: string;
  readonly folder: string;
  readonly words: readonly string[];
}

/** The folder, programs and supervisors of a bench. */
export class Rig {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();
  readonly #stops = new Set<() => void>();
  #serial = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Creates the folder, and compiles the programs that have changed. */
  static async make(): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), 'onevisor-bench-')));
    await Promise.all(PROGRAMS.map((name) => compile(name, rig.path(name))));
    return rig;
  }

  path(program: Program): string {
    return join(COMPILED, program);
  }

  /** Kills the supervisors that a failed case has left. Their programs end with them. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
    for (const stopNow of this.#stops) stopNow();
  }

  /** Notes a function that ends processes of a case, for {@link killAll}. */
  onKill(stopNow: () => void): void {
    this.#stops.add(stopNow);
  }

  /** Removes the folder without waiting, since it also runs after a signal. */
  remove(): void {
    this.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes a folder of its own. */
  async makeFolder(): Promise<string> {
    this.#serial += 1;
    const folder = join(this.folder, `run-${this.#serial}`);
    await mkdir(folder);
    return folder;
  }

  /**
   * Writes a configuration to a folder of its own. `%STAMP%` in it becomes a command that reports its exec time and
   * waits.
   */
  async configure(text: string): Promise<{ folder: string; configuration: string }> {
    const folder = await this.makeFolder();
    const configuration = join(folder, 'supervisord.conf');
    await writeFile(
      configuration,
      text.replaceAll('%FOLDER%', folder).replaceAll('%STAMP%', `${this.path('stamp')} ${join(folder, 'stamps')}`),
    );
    return { folder, configuration };
  }

  /** Starts a supervisor with a configuration, see {@link configure}. */
  async start(contender: Contender, text: string): Promise<Running> {
    const { folder, configuration } = await this.configure(text);
    return this.run({ name: contender.name, folder, words: [...contender.command, configuration] });
  }

  /** Starts any supervisor. Its programs find the FIFO for their stamps in STAMP_FIFO, too. */
  async run({ name, folder, words }: Command): Promise<Running> {
    const stamps = await openFifo(join(folder, 'stamps'));
    const output = await openFifo(join(folder, 'output'));
    let tail = '';
    output.reader.on('data', (bytes: Buffer) => {
      tail = (tail + bytes.toString('latin1')).slice(-KEPT_OUTPUT);
    });
    const queue = new StampQueue(stamps.reader, () => `${name} said:\n${tail}`);
    const child = spawn(this.path('stamp'), [join(folder, 'stamps'), ...words], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder, STAMP_FIFO: join(folder, 'stamps') },
      stdio: ['ignore', output.writeEnd, output.writeEnd],
    });
    closeSync(output.writeEnd);
    this.#children.add(child);
    const exit = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#children.delete(child);
        queue.fail(`${name} ended with ${code ?? String(signal)}`);
        resolve();
      });
    });
    return {
      executed: await queue.next(),
      folder,
      configuration: join(folder, 'supervisord.conf'),
      next: () => queue.next(),
      last: async (count) => {
        let last = { atMs: 0, pid: 0 };
        for (let seen = 0; seen < count; seen += 1) {
          const stamp = await queue.next();
          if (stamp.atMs > last.atMs) last = stamp;
        }
        return last;
      },
      terminate: async () => {
        const beganMs = nowMs();
        child.kill('SIGTERM');
        await exit;
        return nowMs() - beganMs;
      },
      stop: async () => {
        child.kill('SIGKILL');
        await exit;
        // Each of its programs holds the FIFO open. This write end is the only other one.
        closeSync(stamps.writeEnd);
        await queue.ended();
        output.reader.destroy();
      },
    };
  }
}

/** Compiles a program unless it is current. */
async function compile(name: Program, path: string): Promise<void> {
  const cc = process.env['CC'] ?? 'cc';
  const source = join(import.meta.dirname, 'programs', `${name}.c`);
  const key = hashOf(await readFile(source), cc, FLAGS.join(' '));
  await makeUnlessCurrent(path, `${path}.key`, key, async (output) => {
    await run(cc, [...FLAGS, '-o', output, source]);
  });
}

/** Opens both ends of a named pipe, since Node can create no other. */
async function openFifo(path: string): Promise<{ reader: Socket; writeEnd: number }> {
  await run('mkfifo', ['-m', '600', path]);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY);
  return { reader: new Socket({ fd: readEnd, readable: true, writable: false }), writeEnd };
}

/** Stamps in the order of arrival. */
class StampQueue {
  readonly #stamps: Stamp[] = [];
  readonly #takers: Array<{ resolve: (stamp: Stamp) => void; reject: (error: Error) => void }> = [];
  readonly #ended: Promise<void>;
  readonly #describe: () => string;
  #rest = '';
  #failure: string | null = null;

  /** `describe`: text to add to the message of a failure. */
  constructor(source: Socket, describe: () => string) {
    this.#describe = describe;
    this.#ended = new Promise((resolve) => source.once('close', () => resolve()));
    source.on('data', (bytes: Buffer) => this.#take(bytes.toString('latin1')));
  }

  next(): Promise<Stamp> {
    const stamp = this.#stamps.shift();
    if (stamp !== undefined) return Promise.resolve(stamp);
    return this.#inTime(
      'no program was executed',
      new Promise((resolve, reject) => {
        if (this.#failure === null) this.#takers.push({ resolve, reject });
        else reject(this.#error(this.#failure));
      }),
    );
  }

  ended(): Promise<void> {
    return this.#inTime('programs live on after their supervisor', this.#ended);
  }

  /** Ends the queue: no further stamp will come. */
  fail(why: string): void {
    this.#failure = why;
    for (const { reject } of this.#takers.splice(0)) reject(this.#error(why));
  }

  #error(what: string): Error {
    return new Error(`${what}; ${this.#describe()}`);
  }

  #take(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      const [at = '', pid = ''] = line.split(' ');
      const stamp = { atMs: Number(at), pid: Number(pid) };
      const taker = this.#takers.shift();
      if (taker === undefined) this.#stamps.push(stamp);
      else taker.resolve(stamp);
    }
  }

  async #inTime<T>(what: string, result: Promise<T>): Promise<T> {
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(this.#error(`${what} within ${PATIENCE_MS / 1000} s`)), PATIENCE_MS);
    });
    return Promise.race([result, timeout]).finally(() => clearTimeout(timer));
  }
}
