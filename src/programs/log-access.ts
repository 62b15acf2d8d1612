/**
 * A log as remote clients read it: from its file where it has one, else from the last bytes in memory.
 * It reads and empties; it never writes.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { trustedPath } from '../files/links.ts';
import { type ByteRange, readRange, tailRange } from '../logs/log-offsets.ts';
import type { BytesListener, TailSlice } from '../logs/ports.ts';
import { type Log, type LogEnd, type LogReading, MAX_READ_BYTES } from '../rpc/supervisor.ts';

/** What a channel and the supervisor's own log have in common. */
export interface LogMemory {
  tail(offset: number, length: number): TailSlice;
  readLog(offset: number, length: number): Buffer | null;
  onBytes(listener: BytesListener): () => void;
  clear(): Promise<void>;
}

/** A fifo without a writer must not be waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

const NOTHING: LogEnd = { bytes: Buffer.alloc(0), offset: 0, overflow: false };

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? String(error);
}

/** The log of which `memory` holds the end, and `path` is the file; null where it has none. */
export class LogAccess implements Log {
  readonly #memory: LogMemory;
  readonly #path: string | null;

  constructor(memory: LogMemory, path: string | null) {
    this.#memory = memory;
    this.#path = path;
  }

  async read(offset: number, length: number): Promise<LogReading> {
    if (this.#path === null) {
      const bytes = this.#memory.readLog(offset, length);
      return bytes === null ? { kind: 'badArguments' } : { kind: 'bytes', bytes };
    }
    const outcome = await this.#readFile((size) => readRange(size, offset, length));
    return outcome.kind === 'bytes' ? { kind: 'bytes', bytes: outcome.bytes } : outcome;
  }

  async tail(offset: number, length: number): Promise<LogEnd> {
    if (this.#path === null) return this.#memory.tail(offset, length);
    let overflow = false;
    const outcome = await this.#readFile((size) => {
      const range = tailRange(size, offset, Math.min(length, MAX_READ_BYTES));
      overflow = range.overflow;
      return range;
    });
    return outcome.kind === 'bytes' ? { bytes: outcome.bytes, offset: outcome.size, overflow } : NOTHING;
  }

  async clear(): ReturnType<Log['clear']> {
    try {
      await this.#memory.clear();
      return { kind: 'cleared' };
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? { kind: 'noFile' } : { kind: 'failed', reason: codeOf(error) };
    }
  }

  follow(lastBytes: number, listener: (bytes: Uint8Array) => void): () => void {
    // From memory, which has every byte the moment it comes: the file lags behind it, and a look at it would leave a gap.
    const { bytes } = this.#memory.tail(0, lastBytes);
    const before = bytes.length === 0 && this.#path !== null ? readEnd(this.#path, lastBytes) : bytes;
    if (before.length > 0) listener(before);
    return this.#memory.onBytes((more) => listener(more));
  }

  async #readFile(choose: (size: number) => ByteRange | null): Promise<Exclude<LogReading, { kind: 'bytes' }> | { readonly kind: 'bytes'; readonly bytes: Buffer; readonly size: number }> {
    let file: FileHandle;
    try {
      const { path, flags } = await trustedPath(this.#path ?? '', READ_FLAGS);
      file = await open(path, flags);
    } catch (error) {
      return codeOf(error) === 'ENOENT' ? { kind: 'noFile', path: this.#path } : { kind: 'failed', reason: codeOf(error) };
    }
    try {
      const { size } = await file.stat();
      const range = choose(size);
      if (range === null) return { kind: 'badArguments' };
      const length = range.end - range.start;
      if (length > MAX_READ_BYTES) return { kind: 'failed', reason: `more than ${MAX_READ_BYTES} bytes at once` };
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, range.start);
      return { kind: 'bytes', bytes: buffer.subarray(0, bytesRead), size };
    } catch (error) {
      return { kind: 'failed', reason: codeOf(error) };
    } finally {
      await file.close();
    }
  }
}

/** The last bytes of a file that nothing was written to yet; none where it cannot be read. A regular file: it does not block. */
function readEnd(path: string, count: number): Buffer {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // It is made when there is something to write.
    return Buffer.alloc(0);
  }
  try {
    const { size } = fstatSync(fd);
    const bytes = Buffer.alloc(Math.min(size, count));
    return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, size - bytes.length));
  } finally {
    closeSync(fd);
  }
}
