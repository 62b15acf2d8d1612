/**
 * Moves a full log file out of the way, as Supervisor does: path.1 is the newest, path.N the oldest.
 * Touches names only; the descriptor of the log is the outlet's.
 */
import { rename } from 'node:fs/promises';

/**
 * Renames path.(N-1) → path.N … path → path.1 (`stdout_logfile_backups`); the oldest is replaced.
 * What is missing is passed over: a cleanup script may have been there before us. Rejects when a rename is refused.
 */
export async function shiftBackups(path: string, backups: number): Promise<void> {
  for (let number = backups - 1; number >= 1; number--) await renameIfThere(`${path}.${number}`, `${path}.${number + 1}`);
  if (backups > 0) await renameIfThere(path, `${path}.1`);
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
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
