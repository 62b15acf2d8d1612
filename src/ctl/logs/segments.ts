/**
 * The files of one log, the oldest first: its backups, plain and compressed, and the log itself. This client reads
 * them itself if it can, so that the supervisor need not read large files. Otherwise it reads the log, but no backup,
 * through the supervisor.
 *
 * The supervisor may rotate, compress and remove files meanwhile. All files are opened first, and the names are
 * compared afterwards: if a rotation came between, all is done again. An open file keeps its bytes, whatever becomes of
 * its name.
 */
import { constants } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { createGunzip } from 'node:zlib';
import { errnoOf } from '../../core/error-text.ts';
import type { StreamName } from '../../core/stream-name.ts';
import { openToRead } from '../../files/links.ts';
import { COMPRESSED, findBackups } from '../../logs/rotation.ts';
import type { SupervisorClient } from '../supervisor-client.ts';

/** Maximum number of decompressed bytes of one file. */
const MAX_UNPACKED = 4 * 1024 * 1024 * 1024;
/** Bytes of one answer of the supervisor. */
const PIECE_BYTES = 1024 * 1024;
/** A FIFO in the place of a log is not waited for. */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
/** Number of attempts to open all files between two rotations, and the step by which the pauses between them grow. */
const ATTEMPTS = 20;
const PAUSE_MS = 5;
/** Number of attempts after which a log without backups is missing. */
const MISSING_ATTEMPTS = 3;
const CHUNK_BYTES = 64 * 1024;

/** One file of a log. */
export interface Segment {
  readonly path: string;
  /** Time of the last write, in milliseconds since 1970. */
  readonly mtimeMs: number;
  /** Number of bytes; null for a compressed file. */
  readonly length: number | null;
  /** Reads the bytes [start, end). */
  readonly chunks: (start: number, end: number) => AsyncIterable<Buffer>;
  /** Closes the file. */
  readonly close: () => Promise<void>;
}

/** A file that is open, with its identity. */
interface OpenFile extends Segment {
  readonly identity: string;
}

/** The files of a log. `isSteady`: false if rotations came so fast that a file may be missing. */
export interface OpenedLog {
  readonly segments: readonly Segment[];
  readonly isSteady: boolean;
}

/** Opens the files of a log. Null if this client may not read them, or if there are none here. */
export async function openSegments(path: string): Promise<OpenedLog | null> {
  try {
    for (let attempt = 1; ; attempt++) {
      const files = await openAll(await namesOf(path));
      // The first rotation may come between the list of names and the opening of the log.
      if (files.length === 0 && attempt === MISSING_ATTEMPTS) return null;
      const isSteady = files.at(-1)?.path === path && (await isUnchanged(path, files));
      if (isSteady || attempt === ATTEMPTS) return { segments: files, isSteady };
      await closeAll(files);
      await delay(attempt * PAUSE_MS);
    }
  } catch (error) {
    if (errnoOf(error) === null) throw error;
    return null;
  }
}

/** Closes files. */
export async function closeAll(segments: readonly Segment[]): Promise<void> {
  await Promise.all(segments.map((segment) => segment.close()));
}

/** Returns the paths of the backups and of the log, the oldest first. */
async function namesOf(path: string): Promise<readonly string[]> {
  const { plain, compressed } = await findBackups(path, Number.MAX_SAFE_INTEGER);
  const numbers = [...new Set([...plain, ...compressed])].sort((a, b) => b - a);
  // A backup that is just being compressed exists twice.
  return [...numbers.map((number) => `${path}.${number}${plain.has(number) ? '' : COMPRESSED}`), path];
}

/** Opens files. A file that a rotation has just renamed is left out, and so is a name of something else. */
async function openAll(paths: readonly string[]): Promise<readonly OpenFile[]> {
  const files: OpenFile[] = [];
  try {
    for (const path of paths) {
      const file = await openSegment(path);
      if (file !== null) files.push(file);
    }
  } catch (error) {
    await closeAll(files);
    throw error;
  }
  return files;
}

/** True if every name still has the file that was opened by it, and if there are no other names. */
async function isUnchanged(path: string, files: readonly OpenFile[]): Promise<boolean> {
  const identities: string[] = [];
  for (const name of await namesOf(path)) {
    try {
      const facts = await stat(name);
      if (facts.isFile()) identities.push(`${name} ${facts.dev} ${facts.ino}`);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
      return false;
    }
  }
  const opened = files.map(({ path: name, identity }) => `${name} ${identity}`);
  return opened.length === identities.length && opened.every((entry, index) => entry === identities[index]);
}

async function openSegment(path: string): Promise<OpenFile | null> {
  let handle: FileHandle;
  try {
    handle = await openToRead(path, READ_FLAGS);
  } catch (error) {
    // ENXIO: a socket.
    if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENXIO') throw error;
    return null;
  }
  const facts = await handle.stat();
  if (!facts.isFile()) {
    await handle.close();
    return null;
  }
  const isCompressed = path.endsWith(COMPRESSED);
  return {
    path,
    identity: `${facts.dev} ${facts.ino}`,
    mtimeMs: facts.mtimeMs,
    length: isCompressed ? null : facts.size,
    chunks: (start, end) => (isCompressed ? unpack(handle, start, end) : readPlain(handle, start, end)),
    close: () => handle.close(),
  };
}

async function* readPlain(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  for (let at = start; at < end;) {
    const wanted = Math.min(CHUNK_BYTES, end - at);
    const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(wanted), 0, wanted, at);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

async function* unpack(handle: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  const file = Readable.from(readPlain(handle, 0, Infinity));
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
    close: () => Promise.resolve(),
    async *chunks(start, end) {
      for (let at = start; at < end; at += PIECE_BYTES) {
        const text = await client.readProcessLog(name, stream, at, Math.min(PIECE_BYTES, end - at));
        if (text === '') return;
        yield Buffer.from(text);
      }
    },
  };
}
