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
  const problems: string[] = [];
  const file = command.includes('/') ? command : searchPath(command, context, problems);
  if (file === null) throw notFound(command, command, problems);
  // Supervisor checks a relative path before it changes to `directory`, and executes it afterwards. So it never finds a
  // script that is only in that directory. We check the place where the file will be executed.
  requireExecutable(command, file, pathIn(file, context.directory), problems);
  return file;
}

// compat: the first file of that name ends the search, even if it is a directory or cannot be executed. A shell
// continues.
function searchPath(name: string, context: CommandContext, problems: string[]): string | null {
  const { directory } = context;
  return candidatesOf(name, context).find((path) => statOrNull(pathIn(path, directory), problems) !== null) ?? null;
}

/** Returns the files that a command may be, in the order of the search. */
export function candidatesOf(command: string, { programPath, ownPath }: CommandContext): string[] {
  if (command.includes('/')) return [command];
  const folders =
    programPath?.split(':') ?? (ownPath === undefined || ownPath === '' ? DEFAULT_PATH : ownPath.split(':'));
  // As in a shell, an empty folder is the working directory.
  return folders.map((folder) =>
    folder === '' || folder.endsWith('/') ? `${folder}${command}` : `${folder}/${command}`,
  );
}

function requireExecutable(command: string, file: string, place: string, problems: string[]): void {
  const shown = quote(file);
  const status = statOrNull(place, problems);
  if (status === null) throw notFound(file, command, problems);
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
    const code = errnoOf(error) ?? 'EACCES';
    const text = code === 'EACCES' ? `no permission to run command ${shown}` : `cannot examine ${shown}: ${code}`;
    throw new SpawnError('exec', code, text, EXIT_NOT_EXECUTABLE);
  }
}

/** Returns the path of a file that will be executed in a directory. */
export function pathIn(file: string, directory: string | null): string {
  return directory === null ? file : resolve(directory, file);
}

/** Errors of stat(2) that mean: no file has this name, or we may not see it. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG']);

/**
 * compat: a file that cannot be examined, for whatever reason, counts as missing. An error of its file system is added
 * to `problems`.
 */
function statOrNull(path: string, problems: string[]): Stats | null {
  try {
    return statSync(toPath(path), { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    const code = errnoOf(error) ?? 'ENOENT';
    if (!MISSING.has(code)) problems.push(`cannot examine ${quote(path)}: ${code}`);
    return null;
  }
}

/** Formats the error. compat: Supervisor's sentence comes first, then our explanation. */
function notFound(file: string, command: string, problems: readonly string[]): SpawnError {
  const sentence = `can't find command ${quote(file)}`;
  const [problem] = problems;
  const text = problem === undefined ? addCause(sentence, command) : `${sentence}; ${problem}`;
  return new SpawnError('exec', 'ENOENT', text, EXIT_NOT_FOUND);
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
