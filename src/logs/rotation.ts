/**
 * Moves a log file out of the way, as Supervisor does: path.1 is the newest, path.N the oldest; a compressed one is
 * path.N.gz. Touches names only; the descriptor of the log is the outlet's.
 */
import { lstat, opendir, rename, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Stats } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';

/** What the name of a compressed backup ends in. */
export const COMPRESSED = '.gz';

/** Entries that one turn of the loop takes from a directory. */
const ENTRIES_PER_TURN = 256;

/** Numbers of the backups of a log that exist. One number may be in both sets. */
export interface FoundBackups {
  readonly plain: ReadonlySet<number>;
  readonly compressed: ReadonlySet<number>;
}

/**
 * Finds path.1 … path.`most`, plain and compressed, by one reading of the directory: `backups` may be a million, and a
 * few be there.
 */
export async function findBackups(path: string, most: number): Promise<FoundBackups> {
  const plain = new Set<number>();
  const compressed = new Set<number>();
  const start = `${basename(path)}.`;
  for await (const { name } of await opendir(dirname(path), { bufferSize: ENTRIES_PER_TURN })) {
    if (!name.startsWith(start)) continue;
    const isCompressed = name.endsWith(COMPRESSED);
    const digits = name.slice(start.length, isCompressed ? -COMPRESSED.length : undefined);
    const number = /^[1-9]\d*$/.test(digits) ? Number(digits) : Infinity;
    if (number <= most) (isCompressed ? compressed : plain).add(number);
  }
  return { plain, compressed };
}

/**
 * Renames path.(N-1) → path.N … path → path.1 (`stdout_logfile_backups`), each as it is, compressed or plain; the
 * oldest is replaced. What is missing is passed over: a cleanup script may have been there before us. Rejects when a
 * rename is refused.
 */
export async function shiftBackups(path: string, backups: number): Promise<void> {
  const found = await findBackups(path, backups);
  const numbers = new Set([...found.plain, ...found.compressed]);
  numbers.delete(backups);
  for (const number of [...numbers].sort((a, b) => b - a)) await moveUp(path, number, backups, found);
  await moveUp(path, 0, backups, found);
}

/** Number 0 is the log itself, which is never compressed. */
async function moveUp(path: string, number: number, last: number, { plain, compressed }: FoundBackups): Promise<void> {
  const from = number === 0 ? path : `${path}.${number}`;
  const to = `${path}.${number + 1}`;
  const isPlain = number === 0 || plain.has(number);
  const isCompressed = compressed.has(number);
  // The last one is replaced. One of the other kind would count as the same backup; it goes first, so that a crash
  // never leaves two that differ.
  if (number + 1 === last && isPlain !== isCompressed) await removeIfThere(isPlain ? to + COMPRESSED : to);
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
    if (errnoOf(error) !== 'ENOENT') throw error;
    return undefined;
  }
}

/**
 * How much of bytes[start, end) goes into a file that has room for `room` bytes before it is full: up to the end of the
 * line that reaches the limit, so that a file holds whole lines and is rotated after the same line as if each had been
 * written by itself.
 */
export function endOfFill(bytes: Buffer, start: number, end: number, room: number): number {
  if (end - start <= room) return end;
  const newline = bytes.indexOf(0x0a, start + Math.max(0, room - 1));
  return newline === -1 || newline >= end ? end : newline + 1;
}
