/**
 * Finds the file that a command means, by Supervisor's rules (process.py get_execv_args, options.py check_execv_args).
 * It executes nothing; what changes between this look and the exec is reported by the exec.
 */
import { accessSync, constants, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import { toPath } from '../files/bytes.ts';
import { explainMissing } from './exec-cause.ts';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, SpawnError } from './spawn-error.ts';

/** Supervisor's path where PATH is unset or empty. */
const DEFAULT_PATH = ['/bin', '/usr/bin', '/usr/local/bin'];

/** What is known when a command is looked for. */
export interface CommandContext {
  /** PATH as the program's own environment sets it; null where it does not. */
  readonly programPath: string | null;
  /** PATH of the supervisor. */
  readonly ownPath: string | undefined;
  /** Directory in which the command will be executed; null for ours. */
  readonly directory: string | null;
}

/**
 * Returns the file that execve(2) is to get for `command`, the first word of a command line. Throws {@link SpawnError}
 * with Supervisor's sentence; its exit code is 127 where nothing was found and 126 where it cannot run.
 */
export function findCommand(command: string, context: CommandContext): string {
  if (command === '') throw new SpawnError('exec', 'EINVAL', 'command is empty', EXIT_NOT_FOUND);
  const file = command.includes('/') ? command : searchPath(command, context);
  if (file === null) throw notFound(command, command);
  // Supervisor looks for a relative path before it changes to `directory`, and executes it after that, so a script that
  // is only in that directory is never found. We look where it will be executed.
  requireExecutable(command, file, placeOf(file, context.directory));
  return file;
}

// compat: the first file of that name ends the search, also when it cannot be executed or is a directory (a shell goes
// on).
function searchPath(name: string, { programPath, ownPath, directory }: CommandContext): string | null {
  const folders =
    programPath?.split(':') ?? (ownPath === undefined || ownPath === '' ? DEFAULT_PATH : ownPath.split(':'));
  // An empty folder is the working directory, as everywhere.
  const candidates = folders.map((folder) =>
    folder === '' || folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`,
  );
  return candidates.find((path) => statOrNull(placeOf(path, directory)) !== null) ?? null;
}

function requireExecutable(command: string, file: string, place: string): void {
  const shown = quote(file);
  const status = statOrNull(place);
  if (status === null) throw notFound(file, command);
  if (status.isDirectory())
    throw new SpawnError(
      'exec',
      'EISDIR',
      addCause(`command at ${shown} is a directory`, command),
      EXIT_NOT_EXECUTABLE,
    );
  if ((status.mode & 0o111) === 0)
    throw new SpawnError('exec', 'EACCES', `command at ${shown} is not executable`, EXIT_NOT_EXECUTABLE);
  try {
    accessSync(toPath(place), constants.X_OK);
  } catch (error) {
    throw new SpawnError(
      'exec',
      errnoOf(error) ?? 'EACCES',
      `no permission to run command ${shown}`,
      EXIT_NOT_EXECUTABLE,
    );
  }
}

/** Where a file is that will be executed in a directory. */
export function placeOf(file: string, directory: string | null): string {
  return directory === null ? file : resolve(directory, file);
}

/** compat: whatever keeps a file from being looked at counts as its absence. */
function statOrNull(path: string): Stats | null {
  try {
    return statSync(toPath(path));
  } catch {
    return null;
  }
}

/** compat: the sentence of Supervisor; what the command shows of the reason comes after it. */
function notFound(file: string, command: string): SpawnError {
  return new SpawnError('exec', 'ENOENT', addCause(`can't find command ${quote(file)}`, command), EXIT_NOT_FOUND);
}

/** The `.` of shells has the name of a directory, so a directory can need the explanation too. */
function addCause(sentence: string, command: string): string {
  const cause = explainMissing(command);
  return cause === null ? sentence : `${sentence}; ${cause}`;
}

/** As Python's repr() shows a string without control characters. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  return mark + text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`) + mark;
}
