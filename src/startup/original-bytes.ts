/**
 * Recovers the bytes of the command line and the environment. Node decodes both as UTF-8 and replaces all other bytes,
 * but a program must get them unchanged. Reads /proc only if bytes were lost.
 */
import { decodeBytes, mayHaveLostBytes } from '../files/bytes.ts';
import { FileError, readRegularFile } from '../files/read-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** More than execve(2) accepts. */
const MAX_BYTES = 64 * 1024 * 1024;
const NUL = 0;

/** Reads the NUL-terminated strings of a file in /proc. Returns none if /proc is missing or not readable. */
function readStrings(path: string): string[] {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path, MAX_BYTES);
  } catch (error) {
    // Without /proc the bytes stay lost, and the start continues.
    if (error instanceof FileError) return [];
    throw error;
  }
  const strings: string[] = [];
  for (let start = 0, end = bytes.indexOf(NUL); end !== -1; start = end + 1, end = bytes.indexOf(NUL, start))
    strings.push(decodeBytes(bytes.subarray(start, end)));
  return strings;
}

/** True if Node decodes the original to this text. Node writes U+FFFD, once or more, for each run of invalid bytes. */
function isSameText(original: string, decoded: string): boolean {
  const plain = (text: string): string => text.toWellFormed().replace(/\uFFFD+/g, '\uFFFD');
  return plain(original) === plain(decoded);
}

/** Returns the arguments with their original bytes. */
export function originalArguments(args: readonly string[], path = '/proc/self/cmdline'): readonly string[] {
  if (!args.some(mayHaveLostBytes)) return args;
  const all = readStrings(path);
  const last = all.slice(Math.max(0, all.length - args.length));
  return last.length === args.length && last.every((arg, index) => isSameText(arg, args[index] ?? '')) ? last : args;
}

/** Returns the environment with its original bytes. */
export function originalVariables(env: Environment, path = '/proc/self/environ'): Environment {
  if (!Object.entries(env).some(([name, value]) => mayHaveLostBytes(name) || mayHaveLostBytes(value ?? ''))) return env;
  const variables = new Map<string, string>();
  for (const line of readStrings(path)) {
    // As in getenv(3), a name may begin with "=".
    const equals = line.indexOf('=', 1);
    const name = line.slice(0, equals);
    // getenv(3) returns the first of several variables with the same name.
    if (equals > 0 && !variables.has(name)) variables.set(name, line.slice(equals + 1));
  }
  return variables.size === 0 ? env : Object.fromEntries(variables);
}
