/**
 * Warnings about valid options of a program that probably do not do what the user meant: shell syntax where no shell
 * runs, and options without the option that they need. Changes no value. Pure.
 */
import { CommandLineError, parseCommandLine } from '../core/command-line.ts';
import { adviseCommand, asScript } from './command-advice.ts';
import { isRefusedTime } from './datatypes.ts';
import type { RawOption } from './dialect.ts';
import type { ProgramOptions } from './options.ts';
import type { RuledOptions } from './process-rules.ts';
import type { SectionView } from './section-view.ts';

interface CommandOption {
  readonly name: keyof ProgramOptions;
  /** Supervisor accepts any `command`, and hands `|` to the program. */
  readonly severity: 'error' | 'warn';
  readonly commandOf: (options: RuledOptions) => string | null;
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
  { name: 'reload_command', severity: 'error', commandOf: ({ reload_command: command }) => command },
  { name: 'post_stop_command', severity: 'error', commandOf: ({ post_stop_command: command }) => command },
];

/**
 * Words, as they are written, that only a shell understands. `;` alone is missing here, because `find -exec` needs it.
 */
const SHELL_WORDS: readonly RegExp[] = [
  /^(\|\|?|\|&|&&?)$/,
  /^(\d*|&)>>?(&(\d+|-)|[/.~$A-Za-z_].*)?$/,
  /^\d*<{1,3}(&(\d+|-)|[/.~$].*)?$/,
  /[^\\];$/,
];

/** An `&` at the end of a command, alone or at the end of the last word. A shell reads it as "in the background". */
const BACKGROUND = /(^|[^\\&|>])&$/;

/** Returns the words of a command that are meant for a shell, as they are written. Quoted words are arguments. */
function findShellWords(command: string): string[] {
  try {
    const sources = parseCommandLine(command).map(({ source }) => source);
    return sources.filter(
      (source, index) =>
        SHELL_WORDS.some((pattern) => pattern.test(source)) ||
        (index > 0 && index === sources.length - 1 && BACKGROUND.test(source)),
    );
  } catch (error) {
    // A command that cannot be split is reported elsewhere.
    if (!(error instanceof CommandLineError)) throw error;
    return [];
  }
}

/** Reports commands that only a shell would understand. */
export function reportShellSyntax(view: SectionView, options: RuledOptions): void {
  for (const { name, severity, commandOf } of COMMANDS) {
    const raw = view.find(name);
    const command = commandOf(options);
    if (raw === undefined || command === null) continue;
    const words = findShellWords(command);
    if (words.length > 0) view[severity](name, explainShellWords(raw, words));
    else reportAdvice(view, name, raw);
  }
}

/** Explains words that are meant for a shell, with the command to write instead. */
function explainShellWords({ value }: RawOption, [word = '', ...others]: readonly string[]): string {
  // The text of the file, because the corrected command goes there.
  const line = value
    .split('\n')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .join(' ');
  const problem = `"${line}" is not run by a shell`;
  if (others.length === 0 && BACKGROUND.test(word))
    return `${problem}, and a supervised program must stay in the foreground; remove the &`;
  const hint = word.endsWith(';') ? ', or a space before ";" where a comment begins' : '';
  return `${problem}; write ${asScript(line)}, or put quotes around ${word} if it is an argument${hint}`;
}

/**
 * Reports remarks about a command. They judge the text as written and not its expansion, which may hold a secret. Words
 * of our own command line (`-- CMD`) are taken literally.
 */
function reportAdvice(view: SectionView, name: string, raw: RawOption): void {
  if (raw.literal) return;
  for (const { text, isNote, isOfProgram } of adviseCommand(raw.value)) {
    // Hooks and checks may start a program in the background.
    if (isOfProgram && name !== 'command') continue;
    if (isNote) view.note(name, text);
    else view.warn(name, text);
  }
}

const WHOLE_SECONDS = 'Supervisor refuses this value: it accepts a whole number of seconds only';

/** Notes times that Supervisor refuses. The same file may be meant for Supervisor, too. */
export function noteRefusedTimes(view: SectionView, options: RuledOptions): void {
  for (const name of ['startsecs', 'stopwaitsecs'] as const) {
    const raw = view.find(name);
    if (raw !== undefined && isRefusedTime(raw.value, options[name])) view.note(name, WHOLE_SECONDS);
  }
}

/** Options that have an effect only if another option is set. */
const NEEDED_OPTIONS: ReadonlyArray<
  readonly [needed: keyof ProgramOptions, idle: ReadonlyArray<keyof ProgramOptions>]
> = [
  [
    'healthcheck',
    [
      'healthcheck_expect',
      'healthcheck_body',
      'healthcheck_success_threshold',
      'healthcheck_interval',
      'healthcheck_timeout',
      'healthcheck_retries',
      'healthcheck_start_period',
      'healthcheck_start_interval',
      'healthcheck_action',
    ],
  ],
  ['environment_file', ['environment_file_expand']],
  ['cron', ['tz']],
  ['pre_start_command', ['pre_start_timeout']],
  ['stop_command', ['stop_timeout']],
  ['reload_command', ['reload_timeout']],
  ['post_stop_command', ['post_stop_timeout']],
  ['max_restarts', ['max_restarts_window']],
  ['dependent_startup', ['dependent_startup_wait_for']],
];

/** Warns of options of the section itself that have no effect. Inherited options are meant for other programs too. */
export function reportIdleOptions(view: SectionView, options: RuledOptions): void {
  for (const [needed, idle] of NEEDED_OPTIONS) {
    const isSwitchedOff = options[needed] === false;
    // A needed option with a wrong value is reported as such.
    if (view.isSet(needed) && !isSwitchedOff) continue;
    for (const name of idle) {
      if (view.section.options.has(name))
        view.warn(name, `has no effect without ${needed}${isSwitchedOff ? '=true' : ''}`);
    }
  }
  const { healthcheck } = options;
  if (healthcheck === null || healthcheck.kind === 'http') return;
  for (const name of ['healthcheck_expect', 'healthcheck_body'])
    if (view.section.options.has(name)) view.warn(name, 'has an effect on checks with http:// or https:// only');
}

/**
 * Warns of an exit_on_failure that has almost no effect, because each exit is followed by a restart, without limit.
 * With startsecs=0 an early exit is no failed start; with startretries=-1 no failed start is the last one.
 */
export function reportIdleFailure(view: SectionView, options: RuledOptions): void {
  const { exit_on_failure: isRequested, autorestart, max_restarts: limit, oneshot, cron } = options;
  if (!view.isSet('exit_on_failure') || !isRequested || limit !== null || cron !== null) return;
  const endless = findEndless(options);
  if (endless === null || (autorestart === 'false' && !oneshot)) return;
  const restarts = oneshot ? 'oneshot=true' : `autorestart=${autorestart}`;
  const ways = ['max_restarts=5', ...endless.ways, ...(oneshot ? [] : ['autorestart=false'])];
  view.warn(
    'exit_on_failure',
    `has no effect on a program that ends: with ${endless.cause} and ${restarts} it is restarted for ever; ` +
      `set ${ways.join(', or ')}`,
  );
}

/** Returns the option that allows failed starts without limit, and the options to set instead; null for none. */
function findEndless({ startsecs, startretries, oneshot }: RuledOptions): { cause: string; ways: string[] } | null {
  // A oneshot that fails counts as a failed start, after any time.
  const isNoFailure = startsecs === 0 && !oneshot;
  if (startretries < 0) return { cause: 'startretries=-1', ways: isNoFailure ? [] : ['startretries=3'] };
  return isNoFailure ? { cause: 'startsecs=0', ways: ['startsecs=1'] } : null;
}

/** Warns of parameters of a socket that a space has made a comment: `unix:///run/app.sock ;mode=0660`. */
export function reportLostParameters(view: SectionView, { listen }: RuledOptions): void {
  const comment = view.find('listen')?.comment ?? '';
  const [lost] = /^;\s*(?:mode|owner|name)=\S*/.exec(comment) ?? [];
  if (lost === undefined || listen.length === 0) return;
  view.warn('listen', `"${lost}" has no effect, because a ";" after a space begins a comment; remove the space`);
}
