/**
 * The command line of the client: options as Python's getopt reads them, then the action. Pure.
 */
import { type ConnectionOption, connectionOptions, shellOptions } from '../cli/connection-options.ts';
import { formatPythonString } from '../config/python-text.ts';
import { isUrl } from './server-url.ts';

/** Values of the command line; null for an option that is not given. */
export interface CtlOptions {
  readonly file: string | null;
  readonly serverUrl: string | null;
  readonly username: string | null;
  readonly password: string | null;
  readonly historyFile: string | null;
  readonly isInteractive: boolean;
  readonly wantsHelp: boolean;
  /** The action and its arguments. */
  readonly action: readonly string[];
}

/** The options, or an error message. */
export type OptionsResult =
  { readonly ok: true; readonly options: CtlOptions } | { readonly ok: false; readonly error: string };

interface OptionRow {
  readonly key: string;
  readonly short: string;
  readonly long: string;
  readonly hasValue: boolean;
}

function toRow({ key, names: [short = '', long = ''], value }: ConnectionOption): OptionRow {
  return { key, short: short.slice(1), long: long.slice(2), hasValue: value !== undefined };
}

const ROWS: readonly OptionRow[] = [
  ...[...connectionOptions, ...shellOptions].map(toRow),
  { key: 'help', short: 'h', long: 'help', hasValue: false },
  { key: 'help', short: '?', long: '?', hasValue: false },
];

/** An error in the command line. The message is Supervisor's. */
class OptionError extends Error {}

/** Reads a command line. */
export function parseOptions(args: readonly string[]): OptionsResult {
  try {
    return { ok: true, options: readOptions(args) };
  } catch (error) {
    if (error instanceof OptionError) return { ok: false, error: error.message };
    throw error;
  }
}

function readOptions(args: readonly string[]): CtlOptions {
  const rest = [...args];
  const found: Array<{ row: OptionRow; spelled: string; value: string }> = [];
  while (rest[0]?.startsWith('-') === true && rest[0] !== '-') {
    const word = rest.shift() ?? '';
    if (word === '--') break;
    if (word.startsWith('--')) found.push(readLong(word.slice(2), rest));
    else found.push(...readShort(word.slice(1), rest));
  }
  const values = new Map<string, string>();
  for (const { row, spelled, value } of found) {
    if (row.key === 'help') continue;
    if (values.has(row.key)) throw new OptionError(`conflicting command line option ${formatPythonString(spelled)}`);
    if (row.key === 'serverUrl' && !isUrl(value))
      throw new OptionError(
        `invalid value for ${spelled} ${formatPythonString(value)}: value ${formatPythonString(value)} is not a URL`,
      );
    values.set(row.key, value);
  }
  return {
    file: values.get('file') ?? null,
    serverUrl: values.get('serverUrl') ?? null,
    username: values.get('username') ?? null,
    password: values.get('password') ?? null,
    historyFile: values.get('historyFile') ?? null,
    isInteractive: values.has('interactive'),
    wantsHelp: found.some(({ row }) => row.key === 'help'),
    action: rest,
  };
}

function readLong(text: string, rest: string[]): { row: OptionRow; spelled: string; value: string } {
  const equals = text.indexOf('=');
  const name = equals === -1 ? text : text.slice(0, equals);
  const exact = ROWS.filter((row) => row.long === name);
  const rows = exact.length > 0 ? exact : ROWS.filter((row) => row.long.startsWith(name) && row.long !== '?');
  const [row] = rows;
  if (row === undefined) throw new OptionError(`option --${name} not recognized`);
  if (rows.length > 1) throw new OptionError(`option --${name} not a unique prefix`);
  const spelled = `--${row.long}`;
  if (!row.hasValue) {
    if (equals !== -1) throw new OptionError(`option ${spelled} must not have an argument`);
    return { row, spelled, value: '' };
  }
  const value = equals === -1 ? rest.shift() : text.slice(equals + 1);
  if (value === undefined) throw new OptionError(`option ${spelled} requires argument`);
  return { row, spelled, value };
}

/** Reads the options in one word, such as `-iuNAME`. The value of the last option may be the next word. */
function readShort(text: string, rest: string[]): Array<{ row: OptionRow; spelled: string; value: string }> {
  const found = [];
  for (let at = 0; at < text.length; at++) {
    const spelled = `-${text.charAt(at)}`;
    const row = ROWS.find(({ short }) => spelled === `-${short}`);
    if (row === undefined) throw new OptionError(`option ${spelled} not recognized`);
    if (!row.hasValue) {
      found.push({ row, spelled, value: '' });
      continue;
    }
    const value = at + 1 < text.length ? text.slice(at + 1) : rest.shift();
    if (value === undefined) throw new OptionError(`option ${spelled} requires argument`);
    found.push({ row, spelled, value });
    break;
  }
  return found;
}

/** Formats the text of `-h`. compat: the words are Supervisor's. */
export function formatUsage(calledAs: string): string {
  return `supervisorctl -- control applications run by supervisord from the cmd line.

Usage: ${calledAs} [options] [action [arguments]]

Options:
-c/--configuration FILENAME -- configuration file path (searches if not given)
-h/--help -- print usage message and exit
-i/--interactive -- start an interactive shell after executing commands
-s/--serverurl URL -- URL on which supervisord server is listening
     (default "http://localhost:9001").
-u/--username USERNAME -- username to use for authentication with server
-p/--password PASSWORD -- password to use for authentication with server
-r/--history-file -- keep a readline history (if readline is available)

action [arguments] -- see below

Actions are commands like "tail" or "stop".  If -i is specified or no action is
specified on the command line, a "shell" interpreting actions typed
interactively is started.  Use the action "help" to find out about available
actions.

`;
}
