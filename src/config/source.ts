/**
 * Access to files and the environment, for all of config/. Interprets no content.
 */
import { readdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { posix } from 'node:path';
import { decodeBytes, toPath } from '../files/bytes.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { FileError, isPipe, NOT_REGULAR, readPipe, readRegularFile, TOO_LARGE } from '../files/read-file.ts';
import type { Users } from './datatype.ts';

/**
 * The text of a file, or the reason why it cannot be read. The code is from files/read-file.ts, or `ENCODING` for a
 * file that is not UTF-8.
 */
export type FileText =
  { readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: string; readonly reason: string };

/** The files and facts of the machine that a configuration can depend on. */
export interface Source {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Value of `%(host_node_name)s`. */
  readonly hostname: string;
  /** Null if users cannot be looked up. Names of users are not checked then. */
  readonly users: Users | null;
  /** Reads a whole file as UTF-8. */
  read(path: string): FileText;
  isFile(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Returns the names in a directory; none if it cannot be read. */
  list(path: string): readonly string[];
  /**
   * True for a path that no value may be checked against: a look at it might not return. Missing: all may be looked at.
   */
  readonly mayHang?: (path: string) => boolean;
}

/** Largest file of a configuration. 10,000 programs need 1 MB. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
/** Largest sum of all files of one reading. */
const MAX_SUM_BYTES = 4 * MAX_CONFIG_BYTES;
/** Longest wait for a pipe that the command line names. */
const PIPE_MS = 5000;

/**
 * Codes of files that exist and must not be read. They are errors also in an included file.
 */
const FORBIDDEN: ReadonlySet<string> = new Set(['ENCODING', NOT_REGULAR, TOO_LARGE]);

/** True for a failure that is an error in an included file too. Supervisor leaves out files that it cannot open. */
export function isForbidden(code: string): boolean {
  return FORBIDDEN.has(code);
}

/** A configuration file that can be read only once, with its content. */
export interface GivenFile {
  /** Absolute path. */
  readonly path: string;
  readonly bytes: Uint8Array | FileError;
}

/** Paths that mean a descriptor of this process. */
const DESCRIPTOR = /^\/(?:dev\/(?:stdin|fd\/\d+)|proc\/self\/fd\/\d+)$/;

/**
 * Reads the file that the command line or ONEVISOR_CONF names if it can be read only once: a pipe as `<(…)`,
 * `/dev/stdin`.
 * Resolves with null for all others. `named`: as the user wrote it; null or empty if nothing is named.
 */
export async function readGivenFile(named: string | null | undefined): Promise<GivenFile | null> {
  if (named === null || named === undefined || named === '') return null;
  const path = posix.resolve(currentDirectory(), named);
  if (!isPipe(path) && !DESCRIPTOR.test(path)) return null;
  try {
    return {
      path,
      bytes: isPipe(path) ? await readPipe(path, MAX_CONFIG_BYTES, PIPE_MS) : readRegularFile(path, MAX_CONFIG_BYTES),
    };
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    return { path, bytes: error };
  }
}

/** The machine itself as a source, for one reading. `given` stands in for the file of that path. */
export function openSource(
  env: Readonly<Record<string, string | undefined>>,
  users: Users | null,
  given: GivenFile | null = null,
): Source {
  let sum = 0;
  const take = (path: string): Uint8Array => {
    const bytes = path === given?.path ? takeGiven(given) : readRegularFile(path, MAX_CONFIG_BYTES);
    sum += bytes.length;
    if (sum > MAX_SUM_BYTES)
      throw new FileError(TOO_LARGE, `all files together are larger than ${MAX_SUM_BYTES / (1024 * 1024)} MB`);
    return bytes;
  };
  const read = (path: string): FileText => readText(() => take(path));
  return {
    env,
    cwd: currentDirectory(),
    hostname: hostname(),
    users,
    read,
    isFile: (path) => hasType(path, false),
    isDirectory: (path) => hasType(path, true),
    list: listNames,
  };
}

function takeGiven({ bytes }: GivenFile): Uint8Array {
  if (bytes instanceof FileError) throw bytes;
  return bytes;
}

function readText(take: () => Uint8Array): FileText {
  try {
    const bytes = take();
    if (bytes.includes(0)) return { ok: false, code: 'ENCODING', reason: 'it is not text: it has NUL bytes' };
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof FileError) return { ok: false, code: error.code, reason: error.message };
    if (!(error instanceof TypeError)) throw error;
    return { ok: false, code: 'ENCODING', reason: 'it is not UTF-8; save it as UTF-8' };
  }
}

function hasType(path: string, wanted: boolean): boolean {
  try {
    return statSync(toPath(path)).isDirectory() === wanted;
  } catch {
    // A path that stat() refuses (ENOENT, EACCES, ENOTDIR, ELOOP) counts as missing.
    return false;
  }
}

function listNames(path: string): readonly string[] {
  try {
    return readdirSync(toPath(path), { encoding: 'buffer' }).map(decodeBytes);
  } catch {
    // As with Python's glob, nothing matches in such a directory. A pattern without a match is reported.
    return [];
  }
}
