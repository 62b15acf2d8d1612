/** The head of an executable file: it names the interpreter of a script, or the loader of a program (execve(2)). */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { toPath } from './bytes.ts';

/** Enough for the `#!` line (the kernel reads 256 bytes) and for the headers of a program. */
const HEAD_BYTES = 4096;
/** Bytes in which the kernel looks for an interpreter. */
const LINE_BYTES = 256;
const ELF_MAGIC = '\x7fELF';
const PT_INTERP = 3;

/** The kernel executes an interpreter that is a script itself, in as many steps. */
export const MOST_INTERPRETERS = 5;

/** Returns the interpreter of a script, from the head of its file. Null for no script, and for a relative path. */
export function interpreterIn(head: Buffer): string | null {
  return /^#![ \t]*(\/[^ \t\n\0]*)/.exec(head.toString('latin1', 0, LINE_BYTES))?.[1] ?? null;
}

/** True for a program in the format ELF. */
export function isElf(head: Buffer): boolean {
  return head.toString('latin1', 0, 4) === ELF_MAGIC;
}

/** Returns the loader (PT_INTERP) of a 64-bit little-endian program, if it is within the head. */
export function loaderOf(head: Buffer): string | null {
  if (head.length < 64 || head[4] !== 2 || head[5] !== 1) return null;
  const [table, size, count] = [Number(head.readBigUInt64LE(32)), head.readUInt16LE(54), head.readUInt16LE(56)];
  for (let index = 0; index < count; index++) {
    const at = table + index * size;
    if (size < 56 || at + 56 > head.length) return null;
    if (head.readUInt32LE(at) !== PT_INTERP) continue;
    const [start, length] = [Number(head.readBigUInt64LE(at + 8)), Number(head.readBigUInt64LE(at + 32))];
    return start + length > head.length ? null : head.toString('utf8', start, start + Math.max(0, length - 1));
  }
  return null;
}

/** Reads the beginning of a file. Null if it cannot be read or is not a regular file. */
export function readHead(path: string): Buffer | null {
  let fd: number;
  try {
    // O_NONBLOCK: opening a named pipe must not wait for a writer.
    fd = openSync(toPath(path), constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return null;
  }
  try {
    if (!fstatSync(fd).isFile()) return null;
    const head = Buffer.alloc(HEAD_BYTES);
    return head.subarray(0, readSync(fd, head, 0, HEAD_BYTES, 0));
  } catch {
    return null;
  } finally {
    closeSync(fd);
  }
}

/** As {@link readHead}, on a thread. */
export async function readHeadOnThread(path: string): Promise<Buffer | null> {
  try {
    if (!(await stat(toPath(path))).isFile()) return null;
    const file = await open(toPath(path));
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
