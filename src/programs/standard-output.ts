/**
 * Standard output and standard error of the programs that print and end. A write that fails, for example on a full
 * disk, is told once and makes the exit code 1. A reader that has gone is not an error.
 */
import { fstatSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import { describeLostOutput, errnoOf } from '../core/error-text.ts';

const STDOUT = 1;
const STDERR = 2;

/** The first error of standard output; null for none. */
let lostOutput: Error | null = null;

/** Writes all bytes, also to a full pipe. Throws the error of a write. */
function writeWhole(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if (errnoOf(error) !== 'EAGAIN') throw error;
    }
  }
}

/** Prints a text. An error is kept for {@link codeAfterOutput}, and ends the output. */
export function printOut(text: string): void {
  if (lostOutput !== null) return;
  try {
    writeWhole(STDOUT, Buffer.from(text));
  } catch (error) {
    lostOutput = error as Error;
  }
}

/** Prints a text to standard error. Ignores errors: there is no other place to report them. */
export function printError(text: string): void {
  try {
    writeWhole(STDERR, Buffer.from(text));
  } catch {
    // See above.
  }
}

/** Tells that the output was lost. Returns the exit code, which is not 0 then. */
export function codeAfterOutput(code: number, calledAs: string): number {
  const reason = lostOutput === null || isatty(STDOUT) ? null : describeLostOutput(lostOutput);
  if (reason === null) return code;
  printError(`${calledAs}: ${reason}\n`);
  return code === 0 ? 1 : code;
}

/**
 * Returns the stream for standard output. Node's own stream for files drops the rest of a write that a full disk has
 * cut short, without an error.
 */
export function openStandardOutput(): NodeJS.WriteStream | Writable {
  return isFile(STDOUT) ? new FileOutput() : process.stdout;
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

/** Standard output that is a file. */
class FileOutput extends Writable {
  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    try {
      writeWhole(STDOUT, chunk);
      done();
    } catch (error) {
      done(error as Error);
    }
  }
}
