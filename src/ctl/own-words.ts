/**
 * The words behind a command of `onevisor`. Options of the connection may stand anywhere before `--`. An option that
 * the command does not have is an error. Supervisor's client takes such a word for the name of a process and begins:
 * `restart --roling web` would restart without care. Pure.
 */
import { findCommand } from '../cli/commands.ts';
import type { CommandSpec, OptionSpec } from '../cli/command-spec.ts';
import { connectionOptions } from '../cli/connection-options.ts';
import { formatSuggestion } from '../config/nearest.ts';
import { showText } from '../core/shown-text.ts';

/** The command line of the client, a request for the help of the command, or an error. */
export type ArrangedWords =
  | { readonly kind: 'line'; readonly args: readonly string[] }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly error: string };

/** Commands that read their options themselves: `logs` accepts several letters in one word, `run` has a usage. */
const READ_THEMSELVES: ReadonlySet<string> = new Set(['logs', 'run']);

const HELP: ReadonlySet<string> = new Set(['-h', '--help']);

/** A word of `tail` such as `-100`. */
const BYTES = '-BYTES';

/**
 * Moves the options of the connection to the front: `onevisor status web -s URL` is `onevisor ctl -s URL status web`.
 * All other words stay in their order.
 */
export function arrangeWords([command = '', ...words]: readonly string[]): ArrangedWords {
  const spec = findCommand(command);
  const moved: string[] = [];
  const kept: string[] = [];
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined && word !== '--'; word = rest.shift()) {
    if (HELP.has(word)) return { kind: 'help' };
    const connection = findOption(connectionOptions, word);
    const own = spec === null ? null : findOption(ownOptions(spec), word);
    const option = own ?? connection;
    const target = own === null && connection !== null ? moved : kept;
    target.push(word);
    if (option === null || !takesNextWord(option, word)) continue;
    const value = rest.shift();
    if (value === undefined) return refuse(command, `${word} needs a value`);
    target.push(value);
  }
  const others = words.slice(moved.length + kept.length);
  const unknown = spec === null ? null : findUnknown(spec, kept);
  if (unknown !== null) return refuse(command, unknown);
  return { kind: 'line', args: [...moved, command, ...kept, ...others] };
}

/**
 * Returns the error for the first word that looks like an option and is none of the command; null if there is none.
 * `words` are the words behind the command.
 */
export function findUnknownOption(command: string, words: readonly string[]): string | null {
  const spec = findCommand(command);
  const unknown = spec === null ? null : findUnknown(spec, words);
  return unknown === null ? null : complain(command, unknown);
}

function findUnknown(spec: CommandSpec, words: readonly string[]): string | null {
  if (READ_THEMSELVES.has(spec.name)) return null;
  const options = ownOptions(spec);
  const rest = [...words];
  for (let word = rest.shift(); word !== undefined && word !== '--'; word = rest.shift()) {
    if (!word.startsWith('-') || word === '-' || HELP.has(word)) continue;
    const option = findOption(options, word);
    if (option === null) return describeUnknown(spec, word);
    if (option.value === undefined && nameOf(word) !== word) return `${nameOf(word)} takes no value`;
    if (takesNextWord(option, word)) rest.shift();
  }
  return null;
}

/** Returns the options of a command without those of the connection. */
function ownOptions({ options = [] }: CommandSpec): readonly OptionSpec[] {
  return options.filter((option) => !connectionOptions.some((known) => known === option));
}

function describeUnknown({ name, options = [] }: CommandSpec, word: string): string {
  const option = nameOf(word);
  const shown = showText(option);
  if (findOption(connectionOptions, word) !== null)
    return `${shown} comes before the command here: onevisor ctl ${shown} VALUE ${name}`;
  const known = [...options, ...connectionOptions]
    .flatMap(({ names }) => names)
    .filter((other) => other.startsWith('--'));
  return `${name} has no option ${shown}${formatSuggestion(option, known)}`;
}

/** Finds the option that a word is, or begins with: `--since=10m`, `-cFILE`. */
function findOption(options: readonly OptionSpec[], word: string): OptionSpec | null {
  const name = nameOf(word);
  const isJoined = (option: OptionSpec): boolean =>
    option.value !== undefined &&
    option.names.some((known) => known.length === 2 && word.startsWith(known) && !word.startsWith('--'));
  return (
    options.find(({ names }) => names.includes(name) || (names.includes(BYTES) && /^-\d+$/.test(word))) ??
    options.find(isJoined) ??
    null
  );
}

function nameOf(word: string): string {
  const equals = word.startsWith('--') ? word.indexOf('=') : -1;
  return equals === -1 ? word : word.slice(0, equals);
}

/** True if the value of the option is the next word. */
function takesNextWord({ names, value, join }: OptionSpec, word: string): boolean {
  return value !== undefined && join === undefined && names.includes(word);
}

function refuse(command: string, reason: string): ArrangedWords {
  return { kind: 'wrong', error: complain(command, reason) };
}

function complain(command: string, reason: string): string {
  return `Error: ${reason}; see onevisor ${command} --help`;
}
