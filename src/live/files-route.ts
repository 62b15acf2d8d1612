/**
 * Answers `GET /api/v1/logs/files`: searches the log file of a process and its backups, the newest file first. Searches
 * in the turns of all searches (logs/search-turns.ts), and only as fast as the client reads the hits.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import { decodeBytes } from '../files/bytes.ts';
import { ForeignLinkError, openToRead } from '../files/links.ts';
import { pathProbe } from '../files/path-probe.ts';
import type { Exchange } from '../http/route.ts';
import { COMPRESSED, findBackups } from '../logs/rotation.ts';
import type { LogRouteParts } from './follow-route.ts';
import type { LineFilter } from '../logs/line-filter.ts';
import { beginJsonLines } from './json-answers.ts';
import { readFilter } from './log-query.ts';
import { PacedWriter } from './paced-writer.ts';
import { QueryError, queryOf, readNumber } from './stream-query.ts';

const DEFAULT_HITS = 1000;
const MAX_HITS = 10_000;
const CHUNK_BYTES = 64 * 1024;
/** Longest line that is searched as one. */
const MAX_LINE_BYTES = 256 * 1024;
/** Most lines that are searched in one turn: a chunk of empty lines has 65,536. */
const TURN_LINES = 4096;
/** Longest text of a hit. */
const MAX_TEXT_BYTES = 4096;
/** Bytes after which the progress is told. */
const PROGRESS_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** A FIFO must not wait for a writer. Links of others are not followed (files/links.ts). */
const READ_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Returns the paths of a log and its backups, the newest first. */
async function pathsOf(path: string): Promise<string[]> {
  await pathProbe.require(path);
  const { plain, compressed } = await findBackups(path, Number.MAX_SAFE_INTEGER);
  const numbers = [...new Set([...plain, ...compressed])].sort((a, b) => a - b);
  return [path, ...numbers.map((number) => `${path}.${number}${plain.has(number) ? '' : COMPRESSED}`)];
}

/**
 * Opens a regular file; null for anything else, and for a file that is gone. A link in the place of a backup that is
 * not followed is no backup: the user of the program may own the directory, and could make all searches fail.
 */
async function openRegular(path: string, isBackup: boolean): Promise<FileHandle | null> {
  let file: FileHandle;
  await pathProbe.require(path);
  try {
    file = await openToRead(path, READ_FLAGS);
  } catch (error) {
    if (isBackup && error instanceof ForeignLinkError) return null;
    if (['ENOENT', 'ENXIO', 'ELOOP'].includes(errnoOf(error) ?? '')) return null;
    throw error;
  }
  if ((await file.stat()).isFile()) return file;
  await file.close();
  return null;
}

/** Counts the bytes that were read from the disk. */
interface Gauge {
  bytes: number;
}

async function* readPlain(file: FileHandle, end: number, gauge: Gauge): AsyncGenerator<Buffer> {
  while (gauge.bytes < end) {
    const wanted = Math.min(CHUNK_BYTES, end - gauge.bytes);
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, gauge.bytes);
    if (bytesRead === 0) return;
    gauge.bytes += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* unpack(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const source = Readable.from(chunks);
  const unpacker = createGunzip();
  source.on('error', (error) => unpacker.destroy(error)).pipe(unpacker);
  try {
    yield* unpacker as AsyncIterable<Buffer>;
  } finally {
    source.destroy();
    unpacker.destroy();
  }
}

/** A line of a file, with the offset of its first byte in the unpacked file. */
interface FileLine {
  readonly offset: number;
  readonly bytes: Buffer;
}

/** Splits chunks into lines, in batches of at most one chunk. A line that is too long is cut. */
async function* linesOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<readonly FileLine[]> {
  let held: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of chunks) {
    const bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    let lines: FileLine[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end !== -1; end = bytes.indexOf(NEWLINE, start)) {
      lines.push({ offset: offset + start, bytes: bytes.subarray(start, end) });
      start = end + 1;
      if (lines.length < TURN_LINES) continue;
      yield lines;
      lines = [];
    }
    if (bytes.length - start > MAX_LINE_BYTES) {
      lines.push({ offset: offset + start, bytes: bytes.subarray(start) });
      start = bytes.length;
    }
    offset += start;
    held = bytes.subarray(start);
    yield lines;
  }
  if (held.length > 0) yield [{ offset, bytes: held }];
}

/** One search. */
class FileSearch {
  readonly #writer: PacedWriter;
  readonly #filter: LineFilter;
  readonly #limit: number;
  hits = 0;

  constructor(writer: PacedWriter, filter: LineFilter, limit: number) {
    this.#writer = writer;
    this.#filter = filter;
    this.#limit = limit;
  }

  get isCapped(): boolean {
    return this.hits >= this.#limit;
  }

  /** Searches one file. */
  async search(path: string, isBackup: boolean): Promise<void> {
    const file = await openRegular(path, isBackup);
    if (file === null) return;
    const name = basename(path);
    const gauge: Gauge = { bytes: 0 };
    try {
      const { size } = await file.stat();
      const tell = (): Promise<boolean> => this.#send([{ progress: { file: name, bytes: gauge.bytes, size } }]);
      await tell();
      let told = 0;
      const chunks = readPlain(file, size, gauge);
      for await (const lines of linesOf(path.endsWith(COMPRESSED) ? unpack(chunks) : chunks)) {
        if (!(await this.#send(await this.#hitsOf(name, lines))) || this.isCapped) break;
        if (gauge.bytes - told < PROGRESS_BYTES) continue;
        told = gauge.bytes;
        await tell();
      }
      await tell();
    } finally {
      await file.close();
    }
  }

  async #hitsOf(file: string, lines: readonly FileLine[]): Promise<object[]> {
    const found = await this.#filter.choose({
      lines,
      read: ({ bytes }) => ({ text: bytes, output: file }),
      isOver: () => this.#writer.isOver,
      limit: this.#limit - this.hits,
    });
    this.hits += found.length;
    return found.map(({ offset, bytes }) => ({
      hit: { file, offset, text: decodeBytes(bytes.subarray(0, MAX_TEXT_BYTES)) },
    }));
  }

  /** Resolves with false if the client has gone. */
  async #send(objects: readonly object[]): Promise<boolean> {
    return this.#writer.write(objects.map((object) => `${JSON.stringify(object)}\n`).join(''));
  }
}

/** Answers a request. `path`: of the log file. Resolves when the answer is complete. Throws QueryError. */
export async function searchFiles(exchange: Exchange, path: string, parts: LogRouteParts): Promise<void> {
  const { request, response, signal } = exchange;
  const query = queryOf(request.url);
  const filter = readFilter(query);
  const limit = readNumber(query, 'limit', { least: 1, most: MAX_HITS, otherwise: DEFAULT_HITS });
  if (!beginJsonLines(exchange)) return;
  const writer = new PacedWriter(response, signal, parts.timers, parts.stallMs);
  const search = new FileSearch(writer, filter, limit);
  const errors: string[] = [];
  for (const file of await pathsOf(path).catch(() => [path])) {
    if (writer.isOver || search.isCapped) break;
    await search.search(file, file !== path).catch((error: unknown) => {
      errors.push(`cannot read ${basename(file)}: ${reasonOf(error)}`);
    });
  }
  const done = { hits: search.hits, capped: search.isCapped, ...(errors.length === 0 ? {} : { errors }) };
  await writer.write(`${JSON.stringify({ done })}\n`);
  writer.end();
}

/** Reads the name of the stream. Throws QueryError. */
export function readProgramStream(query: URLSearchParams): 'stdout' | 'stderr' {
  const stream = query.get('stream') ?? 'stdout';
  if (stream !== 'stdout' && stream !== 'stderr') throw new QueryError('stream must be stdout or stderr');
  return stream;
}
