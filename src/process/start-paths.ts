/** Files and directories that the start of a program, a hook or a check looks at. Touches none of them. */
import type { LookedAt } from '../files/path-probe.ts';
import { isAbsolute, resolve } from 'node:path';
import { candidatesOf, pathIn } from './command.ts';
import type { EnvironmentFileOptions, OuterVariables } from './environment-files.ts';
import { filesOfVariables } from './file-variables.ts';
import type { LaunchOptions } from './launcher.ts';

/** Files of users and groups. The user of a program is looked up there (`user`, `user_env`). */
export const ACCOUNTS = ['/etc/passwd', '/etc/group'];

/** The parts of a program, a hook or a check that name files. */
export interface StartTarget {
  readonly argv: readonly string[];
  readonly options: LaunchOptions & EnvironmentFileOptions;
}

/**
 * Returns the files and directories of a start, as absolute paths. Those that only the content of another file names
 * are not among them: PATH and `NAME_FILE` of an `environment_file`.
 */
export function pathsOfStart({ argv, options }: StartTarget, { inherited, common }: OuterVariables): LookedAt[] {
  const { directory, environment, environment_file: files, environment_dir: directories, user, user_env } = options;
  const variables = new Map([...definedOf(inherited), ...common, ...environment]);
  const context = { programPath: null, ownPath: variables.get('PATH'), directory };
  return [
    ...(user === null && !user_env ? [] : ACCOUNTS),
    ...files.map(({ path }) => resolve(path)),
    ...directories.map((path) => resolve(path)),
    ...filesOfVariables(variables, options.expand_file_variables).filter((path) => isAbsolute(path)),
    ...(directory === null ? [] : [resolve(directory)]),
    ...candidatesOf(argv[0] ?? '', context).map((path) => ({ executable: resolve(pathIn(path, directory)) })),
  ];
}

function definedOf(variables: OuterVariables['inherited']): Array<readonly [name: string, value: string]> {
  return Object.entries(variables).filter((entry): entry is [string, string] => entry[1] !== undefined);
}
