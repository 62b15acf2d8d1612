/**
 * Findings of `check --strict` about commands: files that do not exist on this machine or cannot be executed. The
 * supervisor's own rules apply (process/command.ts). Executes nothing, and opens regular files only.
 *
 * Only the first word is looked for. `env`, `exec`, `nice` or `sh -c` have rules of their own for the words after them:
 * `env` may change PATH, and a shell has functions, built-in commands and conditions.
 */
import { statSync } from 'node:fs';
import { problemOf, processesOf } from '../config/findings.ts';
import type { Problem, ProcessConfig } from '../config/model.ts';
import type { FindOption } from '../config/read.ts';
import { sectionNameOf } from '../config/section-names.ts';
import { CommandLineError, splitCommandLine } from '../core/command-line.ts';
import { errnoOf } from '../core/error-text.ts';
import { toPath } from '../files/bytes.ts';
import { readHead } from '../files/file-head.ts';
import { EXECUTE } from '../process/access.ts';
import { type CommandContext, findCommand, pathIn } from '../process/command.ts';
import { readEnvironmentFiles } from '../process/environment-files.ts';
import { explainHead, findEnvName } from '../process/exec-cause.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { explainObstacle, type Machine } from './strict-machine.ts';

/** The commands of a process: an option, and its words. */
const COMMANDS: ReadonlyArray<readonly [option: string, commandOf: (proc: ProcessConfig) => string | null]> = [
  ['pre_start_command', ({ options }) => options.pre_start_command],
  ['stop_command', ({ options }) => options.stop_command],
  ['reload_command', ({ options }) => options.reload_command],
  ['post_stop_command', ({ options }) => options.post_stop_command],
  ['healthcheck', ({ options: { healthcheck } }) => (healthcheck?.kind === 'command' ? healthcheck.command : null)],
];

/** Finds commands that cannot be executed. */
export function findBadCommands(machine: Machine): Problem[] {
  const known = new Map<string, string | null>();
  const judge = (proc: ProcessConfig, option: string, words: readonly string[]): Problem[] => {
    const [word] = words;
    if (word === undefined) return [];
    const context = contextOf(proc, machine);
    if (context === null && !word.includes('/')) return [];
    const { directory, user } = proc.options;
    // Processes of one program differ in the number only, which the first word rarely has.
    const key = JSON.stringify([word, context?.programPath, directory, user]);
    if (!known.has(key)) known.set(key, explain(word, proc, context, machine));
    const reason = known.get(key) ?? null;
    if (reason === null) return [];
    return [problemOf(machine, proc, option, hideValue(reason, word, machine.findOption, [proc, option]))];
  };
  const ofNotifications = machine.config.notifications.flatMap(({ options: { command }, runner }) =>
    command === null ? [] : judge(runner, 'command', splitCommandLine(command)),
  );
  const ofProcesses = processesOf(machine.config).flatMap((proc) => [
    ...judge(proc, 'command', proc.argv),
    ...COMMANDS.flatMap(([option, commandOf]) => {
      const command = commandOf(proc);
      return command === null ? [] : judge(proc, option, splitCommandLine(command));
    }),
  ]);
  return [...ofProcesses, ...ofNotifications];
}

/** Returns the facts for the search; null if PATH is unknown, because a file with variables cannot be read here. */
function contextOf({ options }: ProcessConfig, { env, config }: Machine): CommandContext | null {
  const { environment, directory } = options;
  const outer = { inherited: env, common: config.supervisord.environment };
  const own = environment.get('PATH');
  try {
    const fromFiles = own === undefined ? readEnvironmentFiles(options, outer).get('PATH') : undefined;
    return { programPath: own ?? fromFiles ?? null, ownPath: env['PATH'], directory };
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return null;
  }
}

/** Ways out, by the code of the error. */
const WAYS_OUT: Readonly<Record<string, string>> = {
  ENOENT: 'install it, correct its path, or check where the program will run',
  EISDIR: 'name a file in it',
  EACCES: 'make it executable with chmod +x',
};

/** Explains why the first word of a command cannot be executed; null if it can, or if that is unknown. */
function explain(word: string, proc: ProcessConfig, known: CommandContext | null, machine: Machine): string | null {
  const { directory } = proc.options;
  const context = known ?? { programPath: null, ownPath: undefined, directory };
  const user = machine.userOf(proc);
  let file: string;
  try {
    file = pathIn(findCommand(word, context), directory);
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    const { code, message } = error;
    if (isClosedToUs(word, context) || (user !== null && code === 'EACCES' && !message.endsWith('is not executable')))
      return null;
    const wayOut = message.includes('; ') ? '' : `; ${WAYS_OUT[code] ?? WAYS_OUT['EACCES']}`;
    return `cannot be executed here: ${message}${wayOut}`;
  }
  const obstacle = user === null ? null : machine.access.find(file, user.ids, EXECUTE);
  if (user === null || obstacle === null) return explainContent(file, context);
  return `cannot be executed here: ${explainObstacle(obstacle, user.name, { path: file, right: 'execute' })}`;
}

/** Explains what the beginning of a file shows. */
function explainContent(file: string, context: CommandContext): string | null {
  const head = isRegular(file) ? readHead(file) : null;
  if (head === null) return null;
  const cause = explainHead(head);
  if (cause !== null) return `cannot be executed here: ${file}: ${cause}; install that, or replace the file`;
  const name = findEnvName(head);
  if (name === null) return null;
  try {
    findCommand(name, context);
    return null;
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return (
      `cannot be executed here: the first line of ${file} asks env for ${name}, which is not in PATH; install it, or ` +
      'write the path of the interpreter there'
    );
  }
}

/** True if we have no permission to look: the user of the program may have it. */
function isClosedToUs(word: string, { programPath, ownPath = '', directory }: CommandContext): boolean {
  const files = word.includes('/') ? [word] : (programPath ?? ownPath).split(':').map((folder) => `${folder}/${word}`);
  return files.some((file) => {
    try {
      statSync(toPath(pathIn(file, directory)), { throwIfNoEntry: false });
      return false;
    } catch (error) {
      return errnoOf(error) === 'EACCES';
    }
  });
}

function isRegular(file: string): boolean {
  try {
    return statSync(toPath(file)).isFile();
  } catch {
    return false;
  }
}

/** Shows a first word that comes from a variable as it is written: the value may be a secret. */
function hideValue(
  reason: string,
  word: string,
  findOption: FindOption,
  [proc, option]: readonly [ProcessConfig, string],
): string {
  const raw = findOption(sectionNameOf(proc), option);
  if (raw === undefined || raw.literal) return reason;
  const [written = word] = splitOrNone(raw.value);
  return written.includes('%(ENV_') ? reason.replaceAll(word, written) : reason;
}

function splitOrNone(text: string): readonly string[] {
  try {
    return splitCommandLine(text);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    return [];
  }
}
