/**
 * Moves a log file out of the way, as Supervisor does: path.1 is the newest, path.N the oldest; a compressed one is path.N.gz.
 * Touches names only; the descriptor of the log is the outlet's.
 */
import { lstat, rename, unlink } from 'node:fs/promises';
import type { Stats } from 'node:fs';

/** What the name of a compressed backup ends in. */
export const COMPRESSED = '.gz';

/**
 * Renames path.(N-1) → path.N … path → path.1 (`stdout_logfile_backups`), each as it is, compressed or plain; the oldest is replaced.
 * What is missing is passed over: a cleanup script may have been there before us. Rejects when a rename is refused.
 */
export async function shiftBackups(path: string, backups: number): Promise<void> {
  for (let number = backups - 1; number >= 0; number--) await moveUp(path, number);
}

/** Number 0 is the log itself, which is never compressed. */
async function moveUp(path: string, number: number): Promise<void> {
  const from = number === 0 ? path : `${path}.${number}`;
  const to = `${path}.${number + 1}`;
  const isPlain = (await lstatIfThere(from)) !== null;
  const isCompressed = number > 0 && (await lstatIfThere(from + COMPRESSED)) !== null;
  // One of the other kind would count as the same backup; it goes first, so that what is left by a crash is never two that differ.
  if (isPlain && !isCompressed) await removeIfThere(to + COMPRESSED);
  if (isCompressed && !isPlain) await removeIfThere(to);
  if (isPlain) await renameIfThere(from, to);
  if (isCompressed) await renameIfThere(from + COMPRESSED, to + COMPRESSED);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await ifThere(rename(from, to));
}

/** Removes a file; nothing where there is none. Rejects when that is refused, and for a directory. */
export async function removeIfThere(path: string): Promise<void> {
  await ifThere(unlink(path));
}

/** What a name stands for, itself if it is a link; null for nothing. */
export async function lstatIfThere(path: string): Promise<Stats | null> {
  return (await ifThere(lstat(path))) ?? null;
}

async function ifThere<T>(operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return undefined;
  }
}

/**
 * How much of bytes[start, end) goes into a file that has room for `room` bytes before it is full: up to the end of the line that
 * reaches the limit, so that a file holds whole lines and is rotated after the same line as if each had been written by itself.
 */
export function endOfFill(bytes: Buffer, start: number, end: number, room: number): number {
  if (end - start <= room) return end;
  const newline = bytes.indexOf(0x0a, start + Math.max(0, room - 1));
  return newline === -1 || newline >= end ? end : newline + 1;
}
