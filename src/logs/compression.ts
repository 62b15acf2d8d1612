/**
 * Compresses the backups of log files beside everything else: path.N becomes path.N.gz, which zcat reads (`compress`).
 * What is to be done is not kept in memory: it is every plain backup on the disk, so a supervisor that died in the
 * middle leaves nothing behind but work. Invariants: one file of all logs is compressed at a time, so that threads
 * remain for the writes; the plain file goes only after the compressed one has its name; names are shifted and given by
 * one at a time, and a file is known by its inode, since its number may change while it is compressed.
 */
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { describeSystemError } from '../files/system-error.ts';
import type { LogProblem } from './ports.ts';
import { COMPRESSED, findBackups, lstatIfThere, removeIfThere, shiftBackups } from './rotation.ts';

/** What a file is called until it is whole. */
const UNFINISHED = `${COMPRESSED}.tmp`;

/** What was put in the place of a backup, a link or a fifo, is neither followed nor waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

const CHUNK_BYTES = 64 * 1024;

/** What the backups of one log are made from. */
export interface BackupParts {
  /** Path of the log itself. */
  readonly path: string;
  readonly turns: CompressionTurns;
  readonly report: (problem: LogProblem) => void;
  /** Whether a file is being written to: after a rotation that failed halfway that may be the one named path.1. */
  readonly isWritten: (file: Stats) => boolean;
}

/** The backups of one log: they are shifted and compressed here, never both at once. */
export class Backups {
  readonly #parts: BackupParts;
  #count = 0;
  #lastMove: Promise<unknown> = Promise.resolve();
  #underway: { readonly abort: AbortController; readonly ended: Promise<boolean> } | null = null;
  #isFailing = false;

  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  /** Makes room for a new path.1, and makes it of the log. Rejects when a rename is refused. */
  shift(count: number): Promise<void> {
    return this.#alone(() => shiftBackups(this.#parts.path, count));
  }

  /** Has the plain ones among path.1 … path.`count` compressed, when it is their turn. */
  compress(count: number): void {
    this.#count = count;
    this.#parts.turns.request(this);
  }

  /**
   * Gives up what is under way, without a trace, and what was to be done. It is done after the next call of {@link
   * compress}.
   */
  async stop(): Promise<void> {
    this.#parts.turns.withdraw(this);
    this.#underway?.abort.abort();
    await this.#underway?.ended;
  }

  /**
   * Compresses the newest plain backup, which will be there longest. Resolves to whether there may be more; never
   * rejects.
   */
  async compressOne(): Promise<boolean> {
    const abort = new AbortController();
    const ended = this.#attempt(abort.signal);
    this.#underway = { abort, ended };
    const isOnward = await ended;
    this.#underway = null;
    return isOnward;
  }

  async #attempt(signal: AbortSignal): Promise<boolean> {
    const { path, report } = this.#parts;
    let name = path;
    try {
      const plain = await this.#alone(() => this.#findPlain((file) => !this.#parts.isWritten(file)));
      if (plain === null) {
        this.#isFailing = false;
        return false;
      }
      name = plain;
      await this.#compressFile(plain, signal);
      return !signal.aborted;
    } catch (error) {
      if (signal.aborted) return false;
      // Tried again after the next rotation; until none is left to be compressed, nothing more is said.
      if (!this.#isFailing)
        report({
          level: 'error',
          text: `cannot compress ${name}: ${describeSystemError(error)}; it stays as it is`,
        });
      this.#isFailing = true;
      return false;
    }
  }

  async #compressFile(plain: string, signal: AbortSignal): Promise<void> {
    const unfinished = this.#parts.path + UNFINISHED;
    const source = await open(plain, READ_FLAGS);
    try {
      const before = await source.stat();
      await removeIfThere(unfinished);
      const target = await open(unfinished, 'wx', 0o600);
      try {
        await pipeline(chunksOf(source), createGzip(), (chunks: AsyncIterable<Buffer>) => writeChunks(target, chunks), {
          signal,
        });
        await dressAs(target, before);
      } finally {
        await target.close();
      }
      if ((await source.stat()).size !== before.size) throw new Error('it is being written to');
      await this.#alone(() => this.#settle(before, unfinished));
    } finally {
      await source.close();
      await removeIfThere(unfinished);
    }
  }

  /**
   * Gives the compressed file the number that the plain one has by now. One that was shifted out or removed needs none.
   */
  async #settle(plain: Stats, unfinished: string): Promise<void> {
    const name = await this.#findPlain((file) => file.ino === plain.ino && file.dev === plain.dev);
    if (name === null) return;
    await rename(unfinished, name + COMPRESSED);
    await removeIfThere(name);
  }

  async #findPlain(isWanted: (file: Stats) => boolean): Promise<string | null> {
    const { plain } = await findBackups(this.#parts.path, this.#count);
    for (const number of [...plain].sort((a, b) => a - b)) {
      const name = `${this.#parts.path}.${number}`;
      const file = await lstatIfThere(name);
      if (file !== null && file.isFile() && isWanted(file)) return name;
    }
    return null;
  }

  /** Does what has to do with names after all of that which was asked for before. */
  #alone<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#lastMove.then(work);
    this.#lastMove = result.catch(() => undefined);
    return result;
  }
}

async function* chunksOf(source: FileHandle): AsyncGenerator<Buffer> {
  for (;;) {
    const { bytesRead, buffer } = await source.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
  }
}

async function writeChunks(target: FileHandle, chunks: AsyncIterable<Buffer>): Promise<void> {
  for await (const chunk of chunks) await target.appendFile(chunk);
}

/** Gives a file the owner, mode and times of another one, and has the disk keep it. */
async function dressAs(target: FileHandle, model: Stats): Promise<void> {
  const own = await target.stat();
  if (own.uid !== model.uid || own.gid !== model.gid) await target.chown(model.uid, model.gid);
  await target.chmod(model.mode & 0o7777);
  await target.utimes(model.atime, model.mtime);
  await target.sync();
}

/** Who compresses next: one at a time, each a file, in turns. */
export class CompressionTurns {
  readonly #waiting = new Set<Backups>();
  #current: Backups | null = null;

  /** Calls `compressOne` as long as there is something to do, when it is the turn of these backups. */
  request(backups: Backups): void {
    this.#waiting.add(backups);
    if (this.#current === null) void this.#run();
  }

  withdraw(backups: Backups): void {
    this.#waiting.delete(backups);
  }

  /** Gives up everything. */
  async stop(): Promise<void> {
    this.#waiting.clear();
    await this.#current?.stop();
  }

  async #run(): Promise<void> {
    for (const backups of this.#waiting) {
      // Taken out first, so that a rotation meanwhile puts it in again.
      this.#waiting.delete(backups);
      this.#current = backups;
      if (await backups.compressOne()) this.#waiting.add(backups);
    }
    this.#current = null;
  }
}
