/**
 * Finds the executable file of a command, by Supervisor's rules (process.py get_execv_args, options.py
 * check_execv_args). Executes nothing. If the file changes after this check, the exec reports the error.
 */
import { accessSync, constants, statSync } from 'node:fs';
import type { Stats } from 'node:fs';
import { resolve } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import { toPath } from '../files/bytes.ts';
import { explainMissing } from './exec-cause.ts';
import { EXIT_NOT_EXECUTABLE, EXIT_NOT_FOUND, SpawnError } from './spawn-error.ts';

/** Supervisor's search path if PATH is unset or empty. */
const DEFAULT_PATH = ['/bin', '/usr/bin', '/usr/local/bin'];

/** Facts for the search. */
export interface CommandContext {
  /** PATH in the program's own environment; null if that does not set PATH. */
  readonly programPath: string | null;
  /** PATH of the supervisor. */
  readonly ownPath: string | undefined;
  /** Directory in which the command will be executed; null for ours. */
  readonly directory: string | null;
}

/**
 * Returns the file to pass to execve(2) for `command`, the first word of a command line. Throws {@link SpawnError} with
 * Supervisor's message. Its exit code is 127 if no file was found, and 126 if the file cannot be executed.
 */
export function findCommand(command: string, context: CommandContext): string {
  if (command === '') throw new SpawnError('exec', 'EINVAL', 'command is empty', EXIT_NOT_FOUND);
  const file = command.includes('/') ? command : searchPath(command, context);
  if (file === null) throw notFound(command, command);
  // Supervisor checks a relative path before it changes to `directory`, and executes it afterwards. So it never finds a
  // script that is only in that directory. We check the place where the file will be executed.
  requireExecutable(command, file, pathIn(file, context.directory));
  return file;
}

// compat: the first file of that name ends the search, even if it is a directory or cannot be executed. A shell
// continues.
function searchPath(name: string, { programPath, ownPath, directory }: CommandContext): string | null {
  const folders =
    programPath?.split(':') ?? (ownPath === undefined || ownPath === '' ? DEFAULT_PATH : ownPath.split(':'));
  // As in a shell, an empty folder is the working directory.
  const candidates = folders.map((folder) =>
    folder === '' || folder.endsWith('/') ? `${folder}${name}` : `${folder}/${name}`,
  );
  return candidates.find((path) => statOrNull(pathIn(path, directory)) !== null) ?? null;
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

/** Returns the path of a file that will be executed in a directory. */
export function pathIn(file: string, directory: string | null): string {
  return directory === null ? file : resolve(directory, file);
}

/** compat: a file that cannot be examined, for whatever reason, counts as missing. */
function statOrNull(path: string): Stats | null {
  try {
    return statSync(toPath(path), { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

/** Formats the error. compat: Supervisor's sentence comes first, then our explanation. */
function notFound(file: string, command: string): SpawnError {
  return new SpawnError('exec', 'ENOENT', addCause(`can't find command ${quote(file)}`, command), EXIT_NOT_FOUND);
}

/** Appends an explanation to a sentence. Directories can need one too: `.` is a command in shells. */
function addCause(sentence: string, command: string): string {
  const cause = explainMissing(command);
  return cause === null ? sentence : `${sentence}; ${cause}`;
}

/** Quotes a string without control characters as Python's repr() does. */
function quote(text: string): string {
  const mark = text.includes("'") && !text.includes('"') ? '"' : "'";
  return mark + text.replaceAll('\\', '\\\\').replaceAll(mark, `\\${mark}`) + mark;
}
