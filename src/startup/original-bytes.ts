/**
 * The command line and the environment as the kernel has them. Node decodes both as UTF-8 and replaces every byte that
 * is none;
 * a program must get them unchanged. Reads /proc only where bytes were lost.
 */
import { decodeBytes, mayHaveLostBytes } from '../files/bytes.ts';
import { FileError, readRegularFile } from '../files/read-file.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Above what execve(2) takes. */
const MAX_BYTES = 64 * 1024 * 1024;
const NUL = 0;

/** The strings of a file of /proc, each ended by a NUL; none where /proc is not there or does not let us. */
function readStrings(path: string): string[] {
  let bytes: Buffer;
  try {
    bytes = readRegularFile(path, MAX_BYTES);
  } catch (error) {
    // Without /proc the bytes stay lost, and everything else goes on.
    if (error instanceof FileError) return [];
    throw error;
  }
  const strings: string[] = [];
  for (let start = 0, end = bytes.indexOf(NUL); end !== -1; start = end + 1, end = bytes.indexOf(NUL, start))
    strings.push(decodeBytes(bytes.subarray(start, end)));
  return strings;
}

/** A string as Node decodes it: one U+FFFD or more for each run of bytes that are not UTF-8. */
function isSameText(original: string, decoded: string): boolean {
  const plain = (text: string): string => text.toWellFormed().replace(/\uFFFD+/g, '\uFFFD');
  return plain(original) === plain(decoded);
}

/** Arguments with their bytes, from those that Node has decoded. */
export function originalArguments(args: readonly string[], path = '/proc/self/cmdline'): readonly string[] {
  if (!args.some(mayHaveLostBytes)) return args;
  const all = readStrings(path);
  const last = all.slice(Math.max(0, all.length - args.length));
  return last.length === args.length && last.every((arg, index) => isSameText(arg, args[index] ?? '')) ? last : args;
}

/** The environment with its bytes, from that which Node has decoded. */
export function originalVariables(env: Environment, path = '/proc/self/environ'): Environment {
  if (!Object.entries(env).some(([name, value]) => mayHaveLostBytes(name) || mayHaveLostBytes(value ?? ''))) return env;
  const variables = new Map<string, string>();
  for (const line of readStrings(path)) {
    // A name may begin with "=", as getenv(3) has it.
    const equals = line.indexOf('=', 1);
    const name = line.slice(0, equals);
    // Of several with one name, getenv(3) finds the first.
    if (equals > 0 && !variables.has(name)) variables.set(name, line.slice(equals + 1));
  }
  return variables.size === 0 ? env : Object.fromEntries(variables);
}
