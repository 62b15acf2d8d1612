/**
 * What is said of options of a program that are right each by itself and hardly do what was meant: shell syntax where
 * there is no shell, options without the one that they belong to. Changes no value. Pure.
 */
import { CommandLineError, parseCommandLine, quoteWord } from './command-line.ts';
import { adviseCommand } from './command-advice.ts';
import type { RawOption, RawSection } from './dialect.ts';
import type { ProgramOptions } from './options.ts';
import type { Problems } from './problems.ts';
import type { Lookup } from './section-reader.ts';

interface CommandOption {
  readonly name: keyof ProgramOptions;
  /** Supervisor accepts any `command`, and hands `|` to the program. */
  readonly severity: 'error' | 'warn';
  readonly commandOf: (options: ProgramOptions) => string | null;
}

/** Every option that holds a command line. */
const COMMANDS: readonly CommandOption[] = [
  { name: 'command', severity: 'warn', commandOf: ({ command }) => command },
  {
    name: 'healthcheck',
    severity: 'error',
    commandOf: ({ healthcheck }) => (healthcheck?.kind === 'command' ? healthcheck.command : null),
  },
  { name: 'pre_start_command', severity: 'error', commandOf: ({ pre_start_command: command }) => command },
  { name: 'stop_command', severity: 'error', commandOf: ({ stop_command: command }) => command },
  { name: 'post_stop_command', severity: 'error', commandOf: ({ post_stop_command: command }) => command },
];

/** Words, as they are written, that only a shell understands. `;` alone is none of them: `find -exec` wants it. */
const SHELL_WORDS: readonly RegExp[] = [
  /^(\|\|?|\|&|&&?)$/,
  /^(\d*|&)>>?(&(\d+|-)|[/.~$A-Za-z_].*)?$/,
  /^\d*<{1,3}(&(\d+|-)|[/.~$].*)?$/,
  /[^\\];$/,
];

/** An `&` at the end of a command, by itself or of the last word, which a shell takes for "in the background". */
const BACKGROUND = /(^|[^\\&|>])&$/;

/** The words of a command that are meant for a shell, as they are written; what is quoted is an argument. */
function findShellWords(command: string): string[] {
  try {
    const sources = parseCommandLine(command).map(({ source }) => source);
    return sources.filter(
      (source, index) =>
        SHELL_WORDS.some((pattern) => pattern.test(source)) ||
        (index > 0 && index === sources.length - 1 && BACKGROUND.test(source)),
    );
  } catch (error) {
    // A command that cannot be split is reported as such.
    if (error instanceof CommandLineError) return [];
    throw error;
  }
}

/** Reports commands that only a shell would understand. */
export function reportShellSyntax(problems: Problems, section: string, lookup: Lookup, options: ProgramOptions): void {
  for (const { name, severity, commandOf } of COMMANDS) {
    const raw = lookup(name);
    const [word, ...others] = findShellWords(commandOf(options) ?? '');
    if (raw === undefined) continue;
    if (word === undefined) {
      if (commandOf(options) !== null) reportAdvice(problems, section, name, raw);
      continue;
    }
    // As it stands in the file: that is where the corrected one goes.
    const line = raw.value
      .split('\n')
      .map((part) => part.trim())
      .filter((part) => part !== '')
      .join(' ');
    if (others.length === 0 && BACKGROUND.test(word)) {
      problems[severity](
        raw.place,
        section,
        name,
        `"${line}" is not run by a shell, and what is supervised must stay in the foreground; drop the &`,
      );
      continue;
    }
    const hint = word.endsWith(';') ? ', or a space before ";" where a comment begins' : '';
    problems[severity](
      raw.place,
      section,
      name,
      `"${line}" is not run by a shell; write sh -c ${quoteWord(line)}, or put quotes around ${word} where it is an argument${hint}`,
    );
  }
}

/**
 * Judges the text as written, not its expansion, which may hold a secret. Words of our own command line (`-- CMD`) are
 * taken literally.
 */
function reportAdvice(problems: Problems, section: string, name: string, raw: RawOption): void {
  if (raw.literal) return;
  for (const { text, isNote, isOfProgram } of adviseCommand(raw.value)) {
    // Hooks and checks may start and leave something.
    if (isOfProgram && name !== 'command') continue;
    if (isNote) problems.note(raw.place, section, name, text);
    else problems.warn(raw.place, section, name, text);
  }
}

/** Options that do something only where another one is set. */
const NEEDED_OPTIONS: ReadonlyArray<
  readonly [needed: keyof ProgramOptions, idle: ReadonlyArray<keyof ProgramOptions>]
> = [
  [
    'healthcheck',
    [
      'healthcheck_interval',
      'healthcheck_timeout',
      'healthcheck_retries',
      'healthcheck_start_period',
      'healthcheck_start_interval',
      'healthcheck_action',
    ],
  ],
  ['cron', ['tz']],
  ['pre_start_command', ['pre_start_timeout']],
  ['stop_command', ['stop_timeout']],
  ['post_stop_command', ['post_stop_timeout']],
  ['max_restarts', ['max_restarts_window']],
  ['dependent_startup', ['dependent_startup_wait_for']],
];

/** Warns of options of the section itself that have no effect. What it inherits is meant for others as well. */
export function reportIdleOptions(
  problems: Problems,
  section: RawSection,
  lookup: Lookup,
  options: ProgramOptions,
): void {
  for (const [needed, idle] of NEEDED_OPTIONS) {
    const isSwitch = options[needed] === false;
    // A value that is wrong is reported as such.
    if (lookup(needed) !== undefined && !isSwitch) continue;
    for (const name of idle) {
      const place = section.options.get(name)?.place;
      if (place !== undefined)
        problems.warn(place, section.name, name, `has no effect without ${needed}${isSwitch ? '=true' : ''}`);
    }
  }
}

/**
 * Warns where exit_on_failure waits for what hardly comes: with startsecs=0 no start fails by an early end, and each
 * end is followed by a restart.
 */
export function reportIdleFailure(problems: Problems, section: string, lookup: Lookup, options: ProgramOptions): void {
  const place = lookup('exit_on_failure')?.place;
  const { exit_on_failure: isAsked, startsecs, autorestart, max_restarts: most, oneshot, cron } = options;
  const isRestarted = startsecs === 0 && autorestart !== 'false' && most === null && !oneshot && cron === null;
  if (place === undefined || !isAsked || !isRestarted) return;
  problems.warn(
    place,
    section,
    'exit_on_failure',
    `has no effect on a program that ends: with startsecs=0 and autorestart=${autorestart} it is restarted for ever; set max_restarts=5, or startsecs=1, or autorestart=false`,
  );
}
