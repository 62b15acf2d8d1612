/**
 * Folders with the files of an archive or a package. Modes and times do not depend on this machine: each file has a
 * given mode and the time of the commit.
 */
import { chmod, copyFile, lutimes, mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** A file, or a link to another one. */
export type StagedFile =
  | { readonly path: string; readonly text: string | Uint8Array }
  /** `from`: a file to copy. */
  | { readonly path: string; readonly from: string; readonly isExecutable: boolean }
  | { readonly path: string; readonly target: string };

const MODE = 0o644;
const EXECUTABLE_MODE = 0o755;

/** Writes files below a folder, which is made. `date` becomes the time of every file and folder. */
export async function stageFiles(folder: string, files: readonly StagedFile[], date: Date): Promise<void> {
  for (const file of files) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    if ('target' in file) {
      await symlink(file.target, path);
      continue;
    }
    if ('from' in file) await copyFile(file.from, path);
    else await writeFile(path, file.text);
    // The umask of the user does not count.
    await chmod(path, 'from' in file && file.isExecutable ? EXECUTABLE_MODE : MODE);
  }
  await equalize(folder, date);
}

async function equalize(folder: string, date: Date): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await equalize(path, date);
    else await lutimes(path, date, date);
  }
  await chmod(folder, EXECUTABLE_MODE);
  await lutimes(folder, date, date);
}
