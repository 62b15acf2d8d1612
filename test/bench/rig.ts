/**
 * The temporary folder of a bench with its compiled programs, and the supervisors in it, with the exec times of the
 * supervisors and their programs. Everything ends with the bench, however it ends.
 */
import { execFile, spawn } from 'node:child_process';
import { closeSync, constants, openSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ChildProcess } from 'node:child_process';
import type { Contender } from './contenders.ts';

const run = promisify(execFile);

/** The C programs in this folder. The header of each describes it. */
export const PROGRAMS = ['stamp', 'flood', 'drain', 'spawn-loop'] as const;
export type Program = (typeof PROGRAMS)[number];

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
  /** Resolves with the next exec of one of its programs. */
  next(): Promise<Stamp>;
  /** Kills it, and waits until its programs have ended. */
  stop(): Promise<void>;
}

/** The folder, programs and supervisors of a bench. */
export class Rig {
  readonly folder: string;
  readonly #children = new Set<ChildProcess>();
  #serial = 0;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** Creates the folder and compiles the programs into it. */
  static async make(): Promise<Rig> {
    const rig = new Rig(await mkdtemp(join(tmpdir(), 'onevisor-bench-')));
    const cc = process.env['CC'] ?? 'cc';
    // Static, so that the time of the dynamic linker, which is the same for all, does not hide the difference.
    await Promise.all(
      PROGRAMS.map((name) =>
        run(cc, [
          '-O3',
          '-Wall',
          '-Wextra',
          '-static',
          '-D_GNU_SOURCE',
          '-o',
          rig.path(name),
          join(import.meta.dirname, 'programs', `${name}.c`),
        ]),
      ),
    );
    return rig;
  }

  path(program: Program): string {
    return join(this.folder, program);
  }

  /** Kills the supervisors that a failed case has left. Their programs end with them. */
  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  /** Removes the folder without waiting, since it also runs after a signal. */
  remove(): void {
    this.killAll();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /**
   * Writes a configuration to a folder of its own. `%STAMP%` in it becomes a command that reports its exec time and
   * waits.
   */
  async configure(text: string): Promise<{ folder: string; configuration: string }> {
    this.#serial += 1;
    const folder = join(this.folder, `run-${this.#serial}`);
    await mkdir(folder);
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
    const stamps = await openFifo(join(folder, 'stamps'));
    const output = await openFifo(join(folder, 'output'));
    let tail = '';
    output.reader.on('data', (bytes: Buffer) => {
      tail = (tail + bytes.toString('latin1')).slice(-KEPT_OUTPUT);
    });
    const queue = new StampQueue(stamps.reader, () => `${contender.name} said:\n${tail}`);
    const child = spawn(this.path('stamp'), [join(folder, 'stamps'), ...contender.command, configuration], {
      cwd: folder,
      env: { PATH: process.env['PATH'] ?? '', HOME: folder },
      stdio: ['ignore', output.writeEnd, output.writeEnd],
    });
    closeSync(output.writeEnd);
    this.#children.add(child);
    const exit = new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#children.delete(child);
        queue.fail(`${contender.name} ended with ${code ?? String(signal)}`);
        resolve();
      });
    });
    return {
      executed: await queue.next(),
      next: () => queue.next(),
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
