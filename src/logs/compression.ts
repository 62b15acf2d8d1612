/**
 * Compresses the backups of log files in the background: path.N becomes path.N.gz, which zcat reads (`compress`). The
 * list of work is the plain backups on the disk. It is not kept in memory, so the next supervisor continues the work of
 * one that was killed.
 *
 * Invariants:
 * - One file of all logs is compressed at a time, so that threads of the pool remain for writes.
 * - The plain file is removed only after the compressed file has its final name.
 * - Renames of one log never overlap. A file is identified by its inode, because a rotation may change its number while
 *   the file is compressed.
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

/** Suffix of a compressed file until it is complete. */
const UNFINISHED = `${COMPRESSED}.tmp`;

/** A link or a fifo in the place of a backup is neither followed nor waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

const CHUNK_BYTES = 64 * 1024;

/** Parts of the backups of one log. */
export interface BackupParts {
  /** Path of the log itself. */
  readonly path: string;
  readonly turns: CompressionTurns;
  readonly report: (problem: LogProblem) => void;
  /** Returns true for the file that is written to. After a rotation that failed halfway, that file may be path.1. */
  readonly isWritten: (file: Stats) => boolean;
}

/** The backups of one log. They are renamed and compressed here. Two renames never run at the same time. */
export class Backups {
  readonly #parts: BackupParts;
  #count = 0;
  #lastMove: Promise<unknown> = Promise.resolve();
  #underway: { readonly abort: AbortController; readonly ended: Promise<boolean> } | null = null;
  #isFailing = false;

  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  /** Renames the backups and makes the log the new path.1. Rejects when a rename is refused. */
  shift(count: number): Promise<void> {
    return this.#alone(() => shiftBackups(this.#parts.path, count));
  }

  /** Requests compression of the plain backups among path.1 … path.`count`, when it is their turn. */
  compress(count: number): void {
    this.#count = count;
    this.#parts.turns.request(this);
  }

  /**
   * Stops a compression under way, without leaving a file, and withdraws the request. {@link compress} requests the
   * work again.
   */
  async stop(): Promise<void> {
    this.#parts.turns.withdraw(this);
    this.#underway?.abort.abort();
    await this.#underway?.ended;
  }

  /**
   * Compresses the newest plain backup, which will be kept longest. Resolves to true if there may be another plain
   * backup. Never rejects.
   */
  async compressOne(): Promise<boolean> {
    const abort = new AbortController();
    const ended = this.#attempt(abort.signal);
    this.#underway = { abort, ended };
    const hasMore = await ended;
    this.#underway = null;
    return hasMore;
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
      // Compression is tried again after the next rotation. Further failures are not reported until all is compressed.
      if (!this.#isFailing)
        report({
          level: 'error',
          text: `cannot compress ${name}: ${describeSystemError(error)}; it stays uncompressed`,
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
        await copyAttributes(before, target);
      } finally {
        await target.close();
      }
      if ((await source.stat()).size !== before.size) throw new Error('it is being written to');
      await this.#alone(() => this.#replacePlain(before, unfinished));
    } finally {
      await source.close();
      await removeIfThere(unfinished);
    }
  }

  /**
   * Gives the compressed file the current number of the plain file, and removes the plain file. A plain file that has
   * no number any more was removed in the meantime.
   */
  async #replacePlain(plain: Stats, unfinished: string): Promise<void> {
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

  /** Runs work on names of files after all earlier work on names. */
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

/** Gives a file the owner, mode and times of another file, and flushes the file to the disk. */
async function copyAttributes(model: Stats, target: FileHandle): Promise<void> {
  const own = await target.stat();
  if (own.uid !== model.uid || own.gid !== model.gid) await target.chown(model.uid, model.gid);
  await target.chmod(model.mode & 0o7777);
  await target.utimes(model.atime, model.mtime);
  await target.sync();
}

/** Turns of the logs that want compression: one file of one log at a time. */
export class CompressionTurns {
  readonly #waiting = new Set<Backups>();
  #current: Backups | null = null;

  /** Calls `compressOne` when it is the turn of these backups, and again as long as there is more to do. */
  request(backups: Backups): void {
    this.#waiting.add(backups);
    if (this.#current === null) void this.#run();
  }

  withdraw(backups: Backups): void {
    this.#waiting.delete(backups);
  }

  /** Stops the compression under way and withdraws all requests. */
  async stop(): Promise<void> {
    this.#waiting.clear();
    await this.#current?.stop();
  }

  async #run(): Promise<void> {
    for (const backups of this.#waiting) {
      // Removed before the work, so that a rotation in the meantime can request it again.
      this.#waiting.delete(backups);
      this.#current = backups;
      if (await backups.compressOne()) this.#waiting.add(backups);
    }
    this.#current = null;
  }
}
