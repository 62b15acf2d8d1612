/**
 * A log as remote clients read it: from its file, or from the last bytes in memory if it has no file. Reads and empties
 * logs; never writes to them.
 */
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import { openToRead } from '../files/links.ts';
import { pathProbe } from '../files/path-probe.ts';
import { type ByteRange, readRange, tailRange } from '../logs/log-offsets.ts';
import type { BytesListener, FileState, Hub, TailSlice } from '../logs/ports.ts';
import { AnswerBudgetError, type Reserve } from '../rpc/answer-budget.ts';
import { type Log, type LogTail, type LogReading, MAX_READ_BYTES } from '../rpc/log-api.ts';

/** The common interface of a channel and the supervisor's own log. */
export interface LogMemory {
  tail(offset: number, length: number): TailSlice;
  readLog(offset: number, length: number): Buffer | null;
  onBytes(listener: BytesListener): () => void;
  clear(): Promise<void>;
}

/** O_NONBLOCK: opening a FIFO without a writer must not wait. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Limit on bytes held for a follower while the end of the file is read. A disk may hang. */
const MAX_HELD_BYTES = 256 * 1024;

const NOTHING: LogTail = { bytes: Buffer.alloc(0), offset: 0, overflow: false };

/** A log. `memory` has its last bytes, and `path` is its file; null for none. */
export class ReadableLog implements Log {
  readonly #memory: LogMemory;
  readonly #path: string | null;
  readonly #files: Pick<Hub, 'fileState'>;

  /** Creates a log. A path that is not a regular file is ignored. */
  constructor(memory: LogMemory, path: string | null, files: Pick<Hub, 'fileState'>) {
    this.#memory = memory;
    this.#files = files;
    this.#path = path !== null && files.fileState(path, 0)?.file === 'other' ? null : path;
  }

  async read(offset: number, length: number, reserve: Reserve): Promise<LogReading> {
    if (this.#path === null) {
      const bytes = this.#memory.readLog(offset, length);
      reserve(bytes?.length ?? 0);
      return bytes === null ? { kind: 'badArguments' } : { kind: 'bytes', bytes };
    }
    const outcome = await this.#readFile((size) => readRange(size, offset, length), reserve);
    return outcome.kind === 'bytes' ? { kind: 'bytes', bytes: outcome.bytes } : outcome;
  }

  async tail(offset: number, length: number, reserve: Reserve): Promise<LogTail> {
    if (this.#path === null) {
      const end = this.#memory.tail(offset, length);
      reserve(end.bytes.length);
      return end;
    }
    let overflow = false;
    const outcome = await this.#readFile((size) => {
      const range = tailRange(size, offset, Math.min(length, MAX_READ_BYTES));
      overflow = range.overflow;
      return range;
    }, reserve);
    return outcome.kind === 'bytes' ? { bytes: outcome.bytes, offset: outcome.size, overflow } : NOTHING;
  }

  async clear(): ReturnType<Log['clear']> {
    try {
      await this.#memory.clear();
      return { kind: 'cleared' };
    } catch (error) {
      return errnoOf(error) === 'ENOENT' ? { kind: 'noFile' } : { kind: 'failed', reason: reasonOf(error) };
    }
  }

  follow(lastBytes: number, listener: (bytes: Uint8Array) => void): () => void {
    if (this.#path !== null) return this.#followFile(this.#path, lastBytes, listener);
    const { bytes } = this.#memory.tail(0, lastBytes);
    if (bytes.length > 0) listener(bytes);
    return this.#memory.onBytes((more) => listener(more));
  }

  /** Sends the current end of the file, then new output. New output is held until the file was read. */
  #followFile(path: string, lastBytes: number, listener: (bytes: Uint8Array) => void): () => void {
    let held: Buffer[] | null = [];
    let heldBytes = 0;
    const begin = (before: Buffer): void => {
      const pieces = [before, ...(held ?? [])];
      if (held === null) return;
      held = null;
      for (const piece of pieces) if (piece.length > 0) listener(piece);
    };
    const end = this.#memory.onBytes((bytes) => {
      if (held === null) {
        listener(bytes);
        return;
      }
      held.push(Buffer.from(bytes));
      heldBytes += bytes.length;
      if (heldBytes > MAX_HELD_BYTES) begin(Buffer.alloc(0));
    });
    void this.#readEnd(lastBytes, this.#files.fileState(path, lastBytes)).then(begin);
    return () => {
      held = null;
      end();
    };
  }

  /**
   * Returns the last bytes of the log at the moment of `state`: from the file, and from the queue of bytes to be
   * written to it. Never rejects.
   */
  async #readEnd(lastBytes: number, state: FileState | null): Promise<Buffer> {
    const queued = state?.queued ?? Buffer.alloc(0);
    const wanted = lastBytes - queued.length;
    if (wanted <= 0) return queued;
    try {
      const { file, isOpenFile } = await this.#open(state);
      try {
        const { size } = await file.stat();
        const end = isOpenFile && state?.file instanceof Object ? Math.min(size, state.file.size) : size;
        const start = Math.max(0, end - wanted);
        const { bytesRead, buffer } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
        return Buffer.concat([buffer.subarray(0, bytesRead), queued]);
      } finally {
        await file.close();
      }
    } catch {
      // The file does not exist yet or cannot be read. Only new output is sent.
      return queued;
    }
  }

  /**
   * Opens the file that is being written, whatever its current name (logrotate renames it before USR2). Otherwise opens
   * the path. Readers of a file system that hangs must not use up the threads that write other logs.
   */
  async #open(state: FileState | null): Promise<{ readonly file: FileHandle; readonly isOpenFile: boolean }> {
    const path = this.#path ?? '';
    await pathProbe.require(path);
    if (state?.file instanceof Object) {
      // Without /proc, or if our user may not read the file, only the path is left.
      const file = await open(`/proc/self/fd/${state.file.fd}`, READ_FLAGS).catch(() => null);
      const status = await file?.stat();
      const isSame = status?.ino === state.file.ino && status.dev === state.file.dev;
      // compat: a deleted log does not exist for clients, although it is still written to.
      if (file !== null && isSame && status.nlink > 0) return { file, isOpenFile: true };
      await file?.close();
    }
    return { file: await openToRead(path, READ_FLAGS), isOpenFile: false };
  }

  async #readFile(
    choose: (size: number) => ByteRange | null,
    reserve: Reserve,
  ): Promise<
    Exclude<LogReading, { kind: 'bytes' }> | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly size: number }
  > {
    let file: FileHandle;
    try {
      file = (await this.#open(this.#files.fileState(this.#path ?? '', 0))).file;
    } catch (error) {
      return errnoOf(error) === 'ENOENT'
        ? { kind: 'noFile', path: this.#path }
        : { kind: 'failed', reason: reasonOf(error) };
    }
    try {
      const { size } = await file.stat();
      const range = choose(size);
      if (range === null) return { kind: 'badArguments' };
      const length = range.end - range.start;
      if (length > MAX_READ_BYTES) return { kind: 'failed', reason: `more than ${MAX_READ_BYTES} bytes at once` };
      reserve(length);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, range.start);
      return { kind: 'bytes', bytes: buffer.subarray(0, bytesRead), size };
    } catch (error) {
      if (error instanceof AnswerBudgetError) throw error;
      return { kind: 'failed', reason: reasonOf(error) };
    } finally {
      await file.close();
    }
  }
}
