/**
 * The only file of this layer that touches files and the environment: what a configuration is read from.
 * Understands nothing of what it reads.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import type { Users } from './datatype.ts';

/** The text of a file, or why there is none; the code is that of the system, or `ENCODING` for what is not UTF-8. */
export type FileText = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly code: string; readonly reason: string };

/** Everything outside that a configuration can depend on. */
export interface Source {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** What `%(host_node_name)s` stands for. */
  readonly hostname: string;
  /** Null where users cannot be looked up; they are taken as they are then. */
  readonly users: Users | null;
  /** Reads a whole file as UTF-8. */
  read(path: string): FileText;
  isFile(path: string): boolean;
  isDirectory(path: string): boolean;
  /** Names of the entries of a directory; none where it cannot be read. */
  list(path: string): readonly string[];
}

const REASONS = new Map([['ENCODING', 'it is not UTF-8; save it as UTF-8'], ['ENOENT', 'there is no such file'], ['EACCES', 'permission denied'], ['EISDIR', 'it is a directory'], ['ENOTDIR', 'a part of its path is not a directory']]);

/** The machine itself as a source. */
export function openSource(env: Readonly<Record<string, string | undefined>>, users: Users | null): Source {
  return { env, cwd: process.cwd(), hostname: hostname(), users, read: readText, isFile: (path) => hasType(path, false), isDirectory: (path) => hasType(path, true), list: listNames };
}

function readText(path: string): FileText {
  try {
    return { ok: true, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readFileSync(path)) };
  } catch (error) {
    const given = error instanceof Error && 'code' in error ? String(error.code) : '';
    const code = given === 'ERR_ENCODING_INVALID_ENCODED_DATA' ? 'ENCODING' : given;
    return { ok: false, code, reason: REASONS.get(code) ?? `it cannot be read (${code})` };
  }
}

function hasType(path: string, wanted: boolean): boolean {
  try {
    return statSync(path).isDirectory() === wanted;
  } catch {
    // What cannot be looked at (ENOENT, EACCES, ENOTDIR, ELOOP) is not there for us either.
    return false;
  }
}

function listNames(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    // As Python's glob: what cannot be read matches nothing, and that nothing matched is warned of.
    return [];
  }
}
