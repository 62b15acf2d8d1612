/**
 * Variables that name a file: `DB_PASSWORD_FILE=/run/secrets/db` becomes `DB_PASSWORD`, as in the official images of
 * databases, and `FILE__DB_PASSWORD` too, as in the images of linuxserver.io (`expand_file_variables`). The files are
 * read at every start. Messages never contain values, which may be secrets.
 */
import { posix } from 'node:path';
import { createNameMatcher } from '../core/wildcard.ts';
import { FileError, readSecretFile } from '../files/read-file.ts';
import { SpawnError } from './spawn-error.ts';

/** Option `expand_file_variables`: names and patterns with `*`; true for the directories of secrets; false for none. */
export type FileVariables = boolean | readonly string[];

/** Limit for one file. A secret that is larger does not belong into a variable. */
const MAX_BYTES = 64 * 1024;

/** Directories of secrets in containers. */
const SECRETS = /^\/(?:var\/)?run\/secrets\//;

const SUFFIX = '_FILE';
const PREFIX = 'FILE__';

/**
 * Replaces the variables that name a file by those with the content of the file, without a newline at its end. Throws
 * {@link SpawnError} for a file that cannot be read, and for a variable that is set itself, too.
 */
export function expandFileVariables(variables: ReadonlyMap<string, string>, rule: FileVariables): Map<string, string> {
  const expanded = new Map(variables);
  if (rule === false) return expanded;
  const isWanted = wantedBy(rule);
  for (const [name, path] of variables) {
    const target = targetOf(name);
    if (target === null || path === '' || !isWanted(target, path)) continue;
    if ((expanded.get(target) ?? '') !== '')
      throw new SpawnError(
        'exec',
        'EINVAL',
        `cannot set ${target} from ${name}: ${target} is set too; remove one of them`,
      );
    expanded.delete(name);
    expanded.set(target, readSecret(name, path));
  }
  return expanded;
}

/** Returns the paths of the files that {@link expandFileVariables} would read. */
export function filesOfVariables(variables: ReadonlyMap<string, string>, rule: FileVariables): string[] {
  if (rule === false) return [];
  const isWanted = wantedBy(rule);
  return [...variables].flatMap(([name, path]) => {
    const target = targetOf(name);
    return target !== null && path !== '' && isWanted(target, path) ? [path] : [];
  });
}

/** Returns the variable that a variable with a file stands for; null if it is none. */
function targetOf(name: string): string | null {
  if (name.startsWith(PREFIX) && name.length > PREFIX.length) return name.slice(PREFIX.length);
  if (name.endsWith(SUFFIX) && name.length > SUFFIX.length) return name.slice(0, -SUFFIX.length);
  return null;
}

function wantedBy(rule: true | readonly string[]): (target: string, path: string) => boolean {
  if (rule === true) return (_target, path) => SECRETS.test(posix.normalize(path));
  return createNameMatcher(rule);
}

function readSecret(name: string, path: string): string {
  const refuse = (code: string, reason: string): SpawnError =>
    new SpawnError('exec', code, `cannot read the file of ${name}, ${path}: ${reason}`);
  if (!posix.isAbsolute(path)) throw refuse('EINVAL', 'the path must be absolute');
  let text: string;
  try {
    text = readSecretFile(path, MAX_BYTES);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw refuse(error.code, error.message);
  }
  if (text.includes('\0')) throw refuse('EINVAL', 'it has a NUL, which no variable can hold');
  return text.replace(/\r?\n$/, '');
}
