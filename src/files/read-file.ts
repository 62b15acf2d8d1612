/**
 * Reads the small files that users name: configurations, variables, Procfiles, pid files. All of them are read here.
 * Reading never waits and never exceeds its limit. Only regular files are read (and /dev/null, which is empty). {@link
 * readPipe} is the exception, for a file that the command line names.
 */
import { closeSync, constants, fstatSync, readlinkSync, readSync, type Stats, statSync } from 'node:fs';
import { Socket } from 'node:net';
import { errnoOf } from '../core/error-text.ts';
import { decodeBytes, toPath } from './bytes.ts';
import { ForeignLinkError, openTrusted } from './links.ts';

/** Reason why a file was not read. `code` is the errno, or one of the codes below. */
export class FileError extends Error {
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.code = code;
  }
}

/** Codes of {@link FileError} that are not an errno. */
export const NOT_REGULAR = 'NOT_REGULAR';
export const TOO_LARGE = 'TOO_LARGE';
export const TOO_SLOW = 'TOO_SLOW';

const REASONS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'permission denied'],
  ['EISDIR', 'it is a directory'],
  ['ENOTDIR', 'a part of its path is not a directory'],
  ['ELOOP', 'there are too many symbolic links in its path'],
]);

/** O_NONBLOCK: a named pipe may replace the file after the check, and opening it must not block. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY;
const CHUNK = 64 * 1024;
/** Device number of /dev/null: major 1, minor 3 (null(4)). */
const NULL_DEVICE = 0x103;

/** Converts an error of node:fs to a {@link FileError}. */
export function fileError(error: unknown): FileError {
  if (error instanceof FileError) return error;
  if (error instanceof ForeignLinkError) return new FileError(error.code, error.message);
  const code = errnoOf(error);
  if (code === null) throw error;
  return new FileError(code, REASONS.get(code) ?? `it cannot be read (${code})`);
}

/** Reads a whole regular file of at most `maxBytes`. Throws {@link FileError}. */
export function readRegularFile(path: string, maxBytes: number): Buffer {
  try {
    // Check the type before opening. Opening a device can have effects (a watchdog, a tape), and opening a pipe wakes
    // its writer.
    if (isEmpty(statSync(toPath(path)))) return Buffer.alloc(0);
    const fd = openTrusted(path, FLAGS);
    try {
      return isEmpty(fstatSync(fd)) ? Buffer.alloc(0) : readUpTo(fd, maxBytes);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw fileError(error);
  }
}

/**
 * Reads a file with secrets as text, as {@link readRegularFile} does, and wipes its bytes. The text stays until V8
 * collects its garbage.
 */
export function readSecretFile(path: string, maxBytes: number): string {
  const bytes = readRegularFile(path, maxBytes);
  const text = decodeBytes(bytes);
  bytes.fill(0);
  return text;
}

/**
 * Throws {@link FileError} unless the path is a regular file of at most `maxBytes`. For files that other programs read.
 */
export function requireRegularFile(path: string, maxBytes: number): void {
  try {
    const status = statSync(toPath(path));
    if (isEmpty(status)) throw new FileError(NOT_REGULAR, 'it is a device');
    if (status.size > maxBytes) throw tooLarge(maxBytes);
  } catch (error) {
    throw fileError(error);
  }
}

/** Limit for a pid file: any pid with white space around it. */
const MAX_PID_BYTES = 64;

/**
 * Reads a pid file. Null if it cannot be read or has no pid: the program may not have written it yet, or may have
 * removed it.
 */
export function readPidFile(path: string): number | null {
  try {
    const pid = Number(readRegularFile(path, MAX_PID_BYTES).toString('latin1').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch (error) {
    if (error instanceof FileError) return null;
    throw error;
  }
}

/** True if the path is a pipe, to be read with {@link readPipe}. */
export function isPipe(path: string): boolean {
  try {
    return statSync(toPath(path)).isFIFO();
  } catch {
    // The reader reports why the path cannot be read.
    return false;
  }
}

/**
 * Reads a pipe to its end, once: at most `maxBytes`, for at most `timeoutMs`. Does not block the loop. Rejects with
 * {@link FileError}.
 */
export async function readPipe(path: string, maxBytes: number, timeoutMs: number): Promise<Buffer> {
  let fd: number;
  try {
    fd = openTrusted(path, FLAGS);
  } catch (error) {
    throw fileError(error);
  }
  const { chunks, isEnded } = readAvailable(fd, maxBytes);
  if (isEnded) {
    closeSync(fd);
    return join(chunks, maxBytes);
  }
  return readToEnd(fd, chunks, { maxBytes, timeoutMs });
}

/**
 * Reads all available data without waiting. A pipe that had no writer when it was opened never signals its end, so the
 * end must be noticed here. A named pipe without data is not at its end: its writer may still come.
 */
function readAvailable(fd: number, maxBytes: number): { readonly chunks: Buffer[]; readonly isEnded: boolean } {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(CHUNK);
  for (let total = 0; total <= maxBytes;) {
    const count = readOnce(fd, buffer);
    if (count === null) return { chunks, isEnded: false };
    if (count === 0) return { chunks, isEnded: total > 0 || readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:') };
    chunks.push(Buffer.from(buffer.subarray(0, count)));
    total += count;
  }
  return { chunks, isEnded: true };
}

/** Reads once. Null if there is no data now, but may be later. */
function readOnce(fd: number, buffer: Buffer): number | null {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return null;
    closeSync(fd);
    throw fileError(error);
  }
}

interface PipeLimits {
  readonly maxBytes: number;
  readonly timeoutMs: number;
}

function readToEnd(fd: number, chunks: Buffer[], { maxBytes, timeoutMs }: PipeLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = new Socket({ fd, readable: true, writable: false });
    const timer = setTimeout(
      () =>
        finish(() =>
          reject(new FileError(TOO_SLOW, `the other end of this pipe was not closed within ${timeoutMs / 1000} s`)),
        ),
      timeoutMs,
    );
    let total = sumOf(chunks);
    const finish = (done: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      done();
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      total += chunk.length;
      if (total > maxBytes) finish(() => reject(tooLarge(maxBytes)));
    });
    socket.once('end', () => finish(() => resolve(Buffer.concat(chunks))));
    socket.once('error', (error) => finish(() => reject(fileError(error))));
  });
}

function sumOf(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0);
}

function join(chunks: readonly Buffer[], maxBytes: number): Buffer {
  if (sumOf(chunks) > maxBytes) throw tooLarge(maxBytes);
  return Buffer.concat(chunks);
}

/** Reads up to the limit. The reported size cannot be trusted: files of /proc report 0, and other files may grow. */
function readUpTo(fd: number, maxBytes: number): Buffer {
  if (fstatSync(fd).size > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  for (let total = 0; total <= maxBytes;) {
    const buffer = Buffer.alloc(Math.min(CHUNK, maxBytes + 1 - total));
    const count = readSync(fd, buffer);
    if (count === 0) return joinAndWipe(chunks);
    chunks.push(buffer.subarray(0, count));
    total += count;
  }
  throw tooLarge(maxBytes);
}

/** Joins chunks into memory of its own, which the caller can wipe: Buffer.concat takes it from a shared pool. */
function joinAndWipe(chunks: readonly Buffer[]): Buffer {
  const whole = Buffer.alloc(sumOf(chunks));
  let at = 0;
  for (const chunk of chunks) {
    chunk.copy(whole, at);
    at += chunk.length;
    chunk.fill(0);
  }
  return whole;
}

/** True for /dev/null. Throws for everything that is not a regular file. */
function isEmpty(status: Stats): boolean {
  if (status.isFile()) return false;
  if (status.isDirectory()) throw new FileError('EISDIR', 'it is a directory');
  if (status.isCharacterDevice() && status.rdev === NULL_DEVICE) return true;
  throw new FileError(NOT_REGULAR, `it is ${nameType(status)}, and only a regular file is read`);
}

function nameType(status: Stats): string {
  if (status.isFIFO()) return 'a pipe';
  return status.isSocket() ? 'a socket' : 'a device';
}

function tooLarge(maxBytes: number): FileError {
  return new FileError(TOO_LARGE, `it is larger than ${formatSize(maxBytes)}`);
}

function formatSize(bytes: number): string {
  const MB = 1024 * 1024;
  return bytes % MB === 0 ? `${bytes / MB} MB` : `${bytes} bytes`;
}
