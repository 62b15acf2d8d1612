/** The head of an executable file: it names the interpreter of a script (execve(2)). */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { toPath } from './bytes.ts';

/** Enough for the `#!` line (the kernel reads 256 bytes) and for the headers of a program. */
const HEAD_BYTES = 4096;
/** Bytes in which the kernel looks for an interpreter. */
const LINE_BYTES = 256;

/** The kernel executes an interpreter that is a script itself, in as many steps. */
export const MOST_INTERPRETERS = 5;

/** Returns the interpreter of a script, from the head of its file. Null for no script, and for a relative path. */
export function interpreterIn(head: Buffer): string | null {
  return /^#![ \t]*(\/[^ \t\n\0]*)/.exec(head.toString('latin1', 0, LINE_BYTES))?.[1] ?? null;
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
