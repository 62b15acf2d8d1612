/**
 * Renames a log file and its backups as Supervisor does: path.1 is the newest backup, path.N the oldest. A compressed
 * backup is path.N.gz. The descriptor of the log belongs to the outlet.
 */
import { lstat, opendir, rename, unlink } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import type { Stats } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';

/** Suffix of a compressed backup. */
export const COMPRESSED = '.gz';

/** Entries of a directory that are read in one turn of the loop. */
const ENTRIES_PER_TURN = 256;

/** Numbers of the existing backups of a log. One number may be in both sets. */
export interface FoundBackups {
  readonly plain: ReadonlySet<number>;
  readonly compressed: ReadonlySet<number>;
}

/**
 * Finds path.1 … path.`most`, plain and compressed. Reads the directory once: the option `backups` may be a million
 * while only a few exist.
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
 * Renames path.(N-1) → path.N … path → path.1 (`stdout_logfile_backups`), plain and compressed alike, and replaces the
 * oldest. Ignores files that are gone, because a cleanup script may have removed them. Rejects when a rename is
 * refused.
 */
export async function shiftBackups(path: string, backups: number): Promise<void> {
  const found = await findBackups(path, backups);
  const numbers = new Set([...found.plain, ...found.compressed]);
  numbers.delete(backups);
  for (const number of [...numbers].sort((a, b) => b - a)) await moveUp(path, number, backups, found);
  await moveUp(path, 0, backups, found);
}

/** Renames one backup to the next number. Number 0 is the log itself, which is never compressed. */
async function moveUp(path: string, number: number, last: number, { plain, compressed }: FoundBackups): Promise<void> {
  const from = number === 0 ? path : `${path}.${number}`;
  const to = `${path}.${number + 1}`;
  const isPlain = number === 0 || plain.has(number);
  const isCompressed = compressed.has(number);
  // The rename replaces the last backup. A last backup of the other kind, plain or compressed, has the same number and
  // is removed first, so that a crash never leaves two different backups with one number.
  if (number + 1 === last && isPlain !== isCompressed) await removeIfThere(isPlain ? to + COMPRESSED : to);
  if (isPlain) await renameIfThere(from, to);
  if (isCompressed) await renameIfThere(from + COMPRESSED, to + COMPRESSED);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  await ifThere(rename(from, to));
}

/** Removes a file if it exists. Rejects when that is refused, and for a directory. */
export async function removeIfThere(path: string): Promise<void> {
  await ifThere(unlink(path));
}

/** Returns the lstat(2) result of a path, or null if there is none. */
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
 * Returns the end of the part of bytes[start, end) that goes into a file with room for `room` bytes: the end of the
 * line that reaches the limit. The file then holds whole lines, and is rotated after the same line as with one write a
 * line.
 */
export function endOfFill(bytes: Buffer, start: number, end: number, room: number): number {
  if (end - start <= room) return end;
  const newline = bytes.indexOf(0x0a, start + Math.max(0, room - 1));
  return newline === -1 || newline >= end ? end : newline + 1;
}
