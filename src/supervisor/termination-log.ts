/**
 * The message that Kubernetes shows for a container that has ended: the reason, written to the file that the kubelet
 * has put there for it. It makes no file, follows no link and waits for nothing.
 */
import { closeSync, constants, fstatSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';
import type { Report } from '../engine/ports.ts';

/** Where Kubernetes has it (`terminationMessagePath`). */
export const TERMINATION_LOG = '/dev/termination-log';

/** Kubernetes keeps no more of it. */
const MOST_BYTES = 4096;

/**
 * A named pipe without a reader is an error instead of a wait, and a link too: whoever can make one there must not
 * choose what we write to.
 */
const FLAGS = constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY;

/** The beginning of a text as UTF-8, at most that many bytes, with no character cut in two. */
function cutText(text: string, mostBytes: number): Buffer {
  const bytes = Buffer.from(text);
  let end = Math.min(bytes.length, mostBytes);
  // Bytes 10xxxxxx go on with a character.
  while (end < bytes.length && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.subarray(0, end);
}

/**
 * Replaces what the file says, if there is one; a failure is a line for debugging, since no reader is left to act on
 * it.
 */
export function writeTerminationLog(text: string, report: Report, path: string = TERMINATION_LOG): void {
  let fd: number | null = null;
  try {
    fd = openSync(path, FLAGS);
    if (!fstatSync(fd).isFile()) {
      report('debug', `cannot write the reason of the end to ${path}: it is no regular file`);
      return;
    }
    ftruncateSync(fd);
    const bytes = cutText(text, MOST_BYTES);
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
  } catch (error) {
    const code = errnoOf(error);
    if (code === null) throw error;
    if (code !== 'ENOENT') report('debug', `cannot write the reason of the end to ${path}: ${code}`);
  } finally {
    if (fd !== null) closeSync(fd);
  }
}
