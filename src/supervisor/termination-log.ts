/**
 * Writes the exit reason for Kubernetes, which shows it for a container that has ended. The kubelet provides the file.
 * Creates no file, follows no link and never waits.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';
import type { Report } from '../engine/ports.ts';

/** Default of `terminationMessagePath` in Kubernetes. */
export const TERMINATION_LOG = '/dev/termination-log';

/** Limit of Kubernetes. */
const MAX_BYTES = 4096;

/**
 * O_NONBLOCK: a named pipe without a reader must fail and not wait. O_NOFOLLOW: a user who can create a link there must
 * not choose the file that we write.
 */
const FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** Returns the beginning of a text in UTF-8, with at most `mostBytes` bytes and no incomplete character. */
function cutText(text: string, mostBytes: number): Buffer {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, mostBytes);
  // Bytes 10xxxxxx continue a character.
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/**
 * Replaces the content of the file, if the file exists. A failure is only logged at level debug, since no reader is
 * left to act on it.
 */
export function writeTerminationLog(text: string, report: Report, path: string = TERMINATION_LOG): void {
  let fd: number | null = null;
  try {
    fd = openSync(path, FLAGS);
    if (!fstatSync(fd).isFile()) {
      report('debug', `cannot write the exit reason to ${path}: it is not a regular file`);
      return;
    }
    ftruncateSync(fd);
    const bytes = cutText(text, MAX_BYTES);
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
  } catch (error) {
    const code = errnoOf(error);
    if (code === null) throw error;
    if (code !== 'ENOENT') report('debug', `cannot write the exit reason to ${path}: ${code}`);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
