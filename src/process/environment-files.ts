/**
 * Reads variables from files, again at every start: `environment_file` (NAME=value lines) and `environment_dir` (a file
 * for each variable, as in /run/secrets). Messages never contain values, which may be secrets.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type EnvironmentFile, parseEnvironmentText, VARIABLE_NAME } from '../core/environment-text.ts';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import type { LookUp } from '../core/shell-variables.ts';
import { toPath } from '../files/bytes.ts';
import { FileError, readSecretFile } from '../files/read-file.ts';
import { inheritVariables } from './environment.ts';
import { SpawnError } from './spawn-error.ts';

/** Limit for one file. A larger file has no list of variables, and reading it would block the loop. */
const MAX_BYTES = 1024 * 1024;
/** Limit for all files together. execve(2) accepts less for all arguments and variables, with a stack of 8 MB. */
const MAX_SUM = 4 * MAX_BYTES;

/** The options of a program that name files with variables, by their names in the file. */
export interface EnvironmentFileOptions {
  readonly environment_file: readonly EnvironmentFile[];
  readonly environment_dir: readonly string[];
  readonly environment_file_expand: boolean;
}

/** Variables to which the files can refer: those of the supervisor, and `environment` of [supervisord]. */
export interface OuterVariables {
  readonly inherited: Readonly<Record<string, string | undefined>>;
  readonly common: ReadonlyMap<string, string>;
}

/**
 * Reads the variables of all files and directories. Later ones override earlier ones, and directories override files.
 * Throws {@link SpawnError} for a file that cannot be read or parsed: a program must not start without its variables.
 */
export function readEnvironmentFiles(options: EnvironmentFileOptions, outer: OuterVariables): Map<string, string> {
  const lookUp = options.environment_file_expand ? createLookUp(outer) : null;
  const variables = new Map<string, string>();
  let sum = 0;
  const read = (path: string, isOptional: boolean): string | null => {
    const text = readSmallFile(path, isOptional);
    sum += text?.length ?? 0;
    if (sum > MAX_SUM)
      throw new SpawnError(
        'exec',
        'E2BIG',
        `cannot read ${path}: the files with variables are larger than ${MAX_SUM / MAX_BYTES} MB together`,
      );
    return text;
  };
  for (const { path, isOptional } of options.environment_file) {
    const text = read(path, isOptional);
    if (text === null) continue;
    const parsed = parseEnvironmentFile(text, path, lookUp && ((name) => variables.get(name) ?? lookUp(name)));
    for (const [name, value] of parsed) variables.set(name, value);
  }
  for (const directory of options.environment_dir) {
    for (const name of listFiles(directory)) {
      // Remove one newline at the end. Editors add it; it is not part of the secret.
      const text = read(join(directory, name), false);
      if (text !== null) variables.set(name, text.replace(/\r?\n$/, ''));
    }
  }
  for (const [name, value] of variables)
    if (value.includes('\0'))
      throw new SpawnError(
        'exec',
        'EINVAL',
        `cannot set the variable ${name}: its file has a NUL in the value, which no environment can hold`,
      );
  return variables;
}

function createLookUp({ inherited, common }: OuterVariables): LookUp {
  const variables = inheritVariables(inherited);
  return (name) => common.get(name) ?? variables.get(name);
}

/** Parses the variables of a file; core/environment-text.ts has the format. Throws {@link SpawnError}. */
export function parseEnvironmentFile(text: string, path: string, outer: LookUp | null = null): Map<string, string> {
  const parsed = parseEnvironmentText(text, outer);
  if (!parsed.ok) throw new SpawnError('exec', 'EINVAL', `cannot read ${path}: line ${parsed.line} ${parsed.problem}`);
  return parsed.variables;
}

/** Reads a regular file. Null if an optional file is missing. */
function readSmallFile(path: string, isOptional: boolean): string | null {
  try {
    return readSecretFile(path, MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    const isMissing = error.code === 'ENOENT';
    if (isMissing && isOptional) return null;
    throw new SpawnError(
      'exec',
      error.code,
      `cannot read ${path}: ${error.message}${isMissing ? '; write -PATH where it may be missing' : ''}`,
    );
  }
}

/** Lists the files of a directory whose names are variables. Kubernetes adds others, such as `..data`. */
function listFiles(directory: string): string[] {
  try {
    const entries = readdirSync(toPath(directory), { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && VARIABLE_NAME.test(entry.name))
      .map(({ name }) => name)
      .toSorted();
  } catch (error) {
    throw new SpawnError('exec', errnoOf(error) ?? 'UNKNOWN', `cannot read ${directory}: ${reasonOf(error)}`);
  }
}
