/**
 * Remarks on commands that can be executed but probably do not do what the user meant: variables and assignments that
 * only a shell knows, programs that put themselves into the background, scripts of `sh -c` without quotes. Pure.
 */
import { CommandLineError, parseCommandLine, quoteWord, type Word } from '../core/command-line.ts';

/** A remark about a command. */
export interface Remark {
  readonly text: string;
  /** True for a remark about something that the user may have meant. */
  readonly isNote: boolean;
  /** True for a remark about a supervised program, which does not apply to a command that runs once. */
  readonly isOfProgram: boolean;
}

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'ash', 'zsh', 'ksh', 'busybox', 'fish']);

function baseName({ text }: Word): string {
  return text.slice(text.lastIndexOf('/') + 1);
}

/** True for an option that makes the next word a script: -c, also together with others as -lc. */
function isScriptOption({ text }: Word): boolean {
  return /^-[a-z]{0,8}c$/.test(text);
}

/** True if a word is a shell or runs one. A `$` in the command may be meant for that shell. */
function hasShell(words: readonly Word[]): boolean {
  return words.some((word) => SHELLS.has(baseName(word)) || isScriptOption(word) || baseName(word) === 'eval');
}

/** Returns the first variable or command substitution outside of single quotes. */
function findSubstitution({ source }: Word): string | null {
  if (source.includes("'")) return null;
  return /\$\(|`/.exec(source)?.[0] ?? /\$(?:[A-Z_][A-Z0-9_]{0,63}|\{[A-Za-z_]\w{0,63}\})/.exec(source)?.[0] ?? null;
}

function adviseSubstitution(words: readonly Word[]): string | null {
  if (hasShell(words)) return null;
  const found = words.map(findSubstitution).find((text) => text !== null) ?? null;
  if (found === null) return null;
  if (found === '$(' || found === '`')
    return `"${found}" is shell syntax, and no shell runs this command; write sh -c '…' around it`;
  const name = found.replace(/[${}]/g, '');
  return (
    `"${found}" is not replaced, because no shell runs this command; write %(ENV_${name})s, with a default ` +
    `%(ENV_${name}:-value)s, or sh -c '…' around the command`
  );
}

/** `LANG=C cmd`. The remark leaves out the value, which may be a secret. */
function adviseAssignment(words: readonly Word[]): string | null {
  const name = /^([A-Za-z_]\w{0,63})=/.exec(words[0]?.text ?? '')?.[1];
  return name === undefined
    ? null
    : `"${name}=" is taken as the program, because no shell runs this command; write environment=${name}="…" ` +
        'as a separate option, or env before it';
}

/** A script of `sh -c` without quotes. */
interface CutScript {
  /** The shell with its option. */
  readonly shell: string;
  /** The only word that the shell takes as the script. */
  readonly first: string;
  readonly whole: string;
}

/** `sh -c exec node x.js`: a shell takes one word as the script; the other words become its arguments. */
function findCutScript(words: readonly Word[]): CutScript | null {
  const at = words.findIndex(
    (word, index) => isScriptOption(word) && index > 0 && SHELLS.has(baseName(words[index - 1] as Word)),
  );
  const [script, ...others] = at === -1 ? [] : words.slice(at + 1);
  if (script === undefined || others.length === 0 || /["'\\\s]/.test(script.source)) return null;
  return {
    shell: `${words[at - 1]?.text} ${words[at]?.text}`,
    first: script.text,
    whole: [script, ...others].map(({ source }) => source).join(' '),
  };
}

function adviseScript(words: readonly Word[]): string | null {
  const cut = findCutScript(words);
  return cut === null
    ? null
    : `the shell runs only "${cut.first}", and takes the next words as its arguments; ` +
        `put quotes around all of it: ${cut.shell} '${cut.whole}'`;
}

/** Returns a command, as it is written, as a script of a shell: of its own, if it has `sh -c` without quotes. */
export function asScript(command: string): string {
  const cut = findCutScript(splitOrNone(command));
  return cut === null ? `sh -c ${quoteWord(command)}` : `${cut.shell} ${quoteWord(cut.whole)}`;
}

/** A command that returns at once and leaves its program in the background. */
interface Daemon {
  readonly program: RegExp;
  /** Matches its arguments, with a blank before and after each. */
  readonly when: RegExp;
  /** Matches arguments that keep the program in the foreground. */
  readonly unless?: RegExp;
  readonly instead: string;
  /** True if the configuration of the program may keep it in the foreground. */
  readonly isNote?: boolean;
}

const START_SCRIPT =
  'the program that it starts runs in the background, where nothing supervises it; write the program ' +
  'itself, with its option for the foreground';

const DAEMONS: readonly Daemon[] = [
  { program: /\/(?:init|rc)\.d\/[^/]+$/, when: / (?:re)?start /, instead: START_SCRIPT },
  {
    program: /(?:^|\/)(?:service|systemctl|rc-service|invoke-rc\.d|initctl)$/,
    when: / (?:re)?start /,
    instead: START_SCRIPT,
  },
  {
    program: /(?:^|\/)(?:apachectl|apache2ctl|httpd|apache2)$/,
    when: / (?:-k )?(?:start|restart|graceful) /,
    instead: 'it puts itself into the background; write apachectl -D FOREGROUND',
  },
  {
    program: /(?:^|\/)(?:redis-server|valkey-server|keydb-server)$/,
    when: / --daemonize (?:yes|"yes") /,
    instead: 'it puts itself into the background; write --daemonize no',
  },
  { program: /(?:^|\/)mongod$/, when: / --fork /, instead: 'it puts itself into the background; remove --fork' },
  {
    program: /(?:^|\/)gunicorn3?$/,
    when: / (?:-D|--daemon) /,
    instead: 'it puts itself into the background; remove --daemon',
  },
  {
    program: /(?:^|\/)uwsgi$/,
    when: / (?:-d|--daemonize2?)[ =]/,
    instead: 'it puts itself into the background; remove --daemonize',
  },
  {
    program: /(?:^|\/)celery$/,
    when: / (?:multi (?:re)?start|.* --detach) /,
    instead: 'it puts its workers into the background; write celery worker without --detach',
  },
  {
    program: /(?:^|\/)memcached$/,
    when: / (?:-d|--daemon) /,
    instead: 'it puts itself into the background; remove -d',
  },
  { program: /(?:^|\/)haproxy$/, when: / -D /, instead: 'it puts itself into the background; write -W -db' },
  {
    program: /(?:^|\/)postfix$/,
    when: / start /,
    instead: 'it puts itself into the background; write postfix start-fg',
  },
  {
    program: /(?:^|\/)pm2$/,
    when: / (?:start|restart) /,
    unless: / --no-daemon /,
    instead: 'it puts its programs into the background; write pm2-runtime, or the program itself',
  },
  {
    program: /(?:^|\/)php-fpm[\d.]*$/,
    when: / (?:-D|--daemonize) /,
    instead: 'it puts itself into the background; write php-fpm -F',
  },
  {
    program: /(?:^|\/)(?:nginx|openresty)$/,
    when: / /,
    unless: / -[tTvVhs?]|daemon +off/,
    instead:
      'puts itself into the background unless its configuration has "daemon off;"; to keep it in the foreground, ' +
      'add -g "daemon off;"',
    isNote: true,
  },
  {
    program: /(?:^|\/)php-fpm[\d.]*$/,
    when: / /,
    unless: / (?:-F|-O|--nodaemonize|--force-stderr|-[tvmih]|--version|--help|--test) /,
    instead:
      'puts itself into the background unless its configuration has "daemonize = no"; to keep it in the ' +
      'foreground, add -F',
    isNote: true,
  },
];

/** Commands that watch a program in the background. */
const WATCHERS: ReadonlySet<string> = new Set(['pidproxy']);

function adviseDaemon(words: readonly Word[]): Remark | null {
  const [first, ...others] = words;
  if (first === undefined || WATCHERS.has(baseName(first))) return null;
  const rest = ` ${others.map(({ text }) => text).join(' ')} `;
  const found = DAEMONS.find(
    ({ program, when, unless }) => program.test(first.text) && when.test(rest) && unless?.test(rest) !== true,
  );
  if (found === undefined) return null;
  const { instead, isNote = false } = found;
  return {
    text: isNote ? `"${first.text}" ${instead}` : `a program must stay in the foreground: ${instead}`,
    isNote,
    isOfProgram: true,
  };
}

/** Longest command that is checked. */
const MAX_LENGTH = 64 * 1024;

/** Splits a command into words; none if it is too long, or cannot be split, which is reported elsewhere. */
function splitOrNone(command: string): readonly Word[] {
  if (command.length > MAX_LENGTH) return [];
  try {
    return parseCommandLine(command);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    return [];
  }
}

/** Returns remarks about a command, at most one of each kind. */
export function adviseCommand(command: string): Remark[] {
  const words = splitOrNone(command);
  const texts = [adviseAssignment(words), adviseSubstitution(words), adviseScript(words)].filter(
    (text) => text !== null,
  );
  const daemon = adviseDaemon(words);
  return [
    ...texts.map((text): Remark => ({ text, isNote: false, isOfProgram: false })),
    ...(daemon === null ? [] : [daemon]),
  ];
}
