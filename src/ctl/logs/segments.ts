/**
 * The files of one log, the oldest first: its backups, plain and compressed, and the log itself. This client reads
 * them itself if it can, so that the supervisor need not read large files. Otherwise it reads the log, but no backup,
 * through the supervisor.
 */
import { constants, createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGunzip } from 'node:zlib';
import { errnoOf } from '../../core/error-text.ts';
import type { StreamName } from '../../core/stream-name.ts';
import { COMPRESSED, findBackups } from '../../logs/rotation.ts';
import type { SupervisorClient } from '../supervisor-client.ts';

/** Maximum number of decompressed bytes of one file. */
const MAX_UNPACKED = 4 * 1024 * 1024 * 1024;
/** Bytes of one answer of the supervisor. */
const PIECE_BYTES = 1024 * 1024;
/** A FIFO in the place of a log is not waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** One file of a log. */
export interface Segment {
  readonly path: string;
  /** Time of the last write, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Number of bytes; null for a compressed file. */
  readonly length: number | null;
  /** Reads the bytes [start, end). */
  readonly chunks: (start: number, end: number) => AsyncIterable<Buffer>;
}

/** Finds the files of a log. Null if this client may not read them, or if there are none here. */
export async function findSegments(path: string): Promise<readonly Segment[] | null> {
  try {
    const { plain, compressed } = await findBackups(path, Number.MAX_SAFE_INTEGER);
    const numbers = [...new Set([...plain, ...compressed])].sort((a, b) => b - a);
    // A backup that is just being compressed exists twice.
    const paths = numbers.map((number) => `${path}.${number}${plain.has(number) ? '' : COMPRESSED}`);
    const segments = await Promise.all([...paths, path].map(openSegment));
    return segments.at(-1) === null ? null : segments.filter((segment) => segment !== null);
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

/** Looks at a file. Null if a rotation has just renamed it, or if it is no file. */
async function openSegment(path: string): Promise<Segment | null> {
  try {
    const facts = await stat(path);
    if (!facts.isFile()) return null;
    const isCompressed = path.endsWith(COMPRESSED);
    return {
      path,
      mtimeMs: facts.mtimeMs,
      length: isCompressed ? null : facts.size,
      chunks: (start, end) => (isCompressed ? unpack(path, start, end) : readPlain(path, start, end)),
    };
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
    return null;
  }
}

async function* readPlain(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  if (start >= end) return;
  yield* createReadStream(path, { start, end: end - 1, flags: READ_FLAGS as never }) as AsyncIterable<Buffer>;
}

async function* unpack(path: string, start: number, end: number): AsyncGenerator<Buffer> {
  const file = createReadStream(path, { flags: READ_FLAGS as never });
  const unpacker = createGunzip();
  file.on('error', (error) => unpacker.destroy(error)).pipe(unpacker);
  let at = 0;
  try {
    for await (const chunk of unpacker as AsyncIterable<Buffer>) {
      const from = Math.max(0, start - at);
      const to = Math.min(chunk.length, end - at);
      if (from < to) yield chunk.subarray(from, to);
      at += chunk.length;
      if (at >= Math.min(end, MAX_UNPACKED)) return;
    }
  } finally {
    file.destroy();
    unpacker.destroy();
  }
}

/** Returns the log as the supervisor reads it. Bytes that are not UTF-8 are lost on the way. */
export async function remoteSegment(
  client: Pick<SupervisorClient, 'getLogSize' | 'readProcessLog'>,
  name: string,
  stream: StreamName,
): Promise<Segment> {
  const length = await client.getLogSize(name, stream);
  return {
    path: `${name} (${stream})`,
    mtimeMs: Date.now(),
    length,
    async *chunks(start, end) {
      for (let at = start; at < end; at += PIECE_BYTES) {
        const text = await client.readProcessLog(name, stream, at, Math.min(PIECE_BYTES, end - at));
        if (text === '') return;
        yield Buffer.from(text);
      }
    },
  };
}
