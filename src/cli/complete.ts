/**
 * The words that fit at the end of a command line, for the completion of shells and for the Tab key in the shell of
 * `onevisor ctl`. Made from the table of commands. Pure: names of processes come from the caller.
 */
import type { ArgumentKind, CommandSpec, OptionSpec } from './command-spec.ts';
import { CHECK_FORMATS, commandSpecs, findCommand, typedCommands } from './commands.ts';
import { connectionOptions, shellOptions } from './connection-options.ts';
import { conditionMeanings } from './wait-conditions.ts';

/** A word that fits, and what it is. */
export interface Offer {
  readonly word: string;
  readonly help: string;
}

/** The names of a process. */
interface Named {
  readonly group: string;
  readonly name: string;
}

/** The words that fit. */
export interface Offers {
  readonly offers: readonly Offer[];
  /** Kind of paths that fit too, which the shell knows better; null for none. */
  readonly paths: 'file' | 'directory' | null;
}

/** Words that are not in the table of commands. */
export interface OfferSources {
  /** Options of the supervisor. */
  readonly flags: readonly OptionSpec[];
  /** Pages and options, for `help`. */
  listTopics(): readonly Offer[];
  /** Processes of the supervisor; `options` are the options of the connection on the command line. */
  listProcesses(options: readonly string[]): Promise<readonly Named[]>;
}

const STREAMS = ['stdout', 'stderr'];
const SIGNALS = ['HUP', 'INT', 'TERM', 'QUIT', 'USR1', 'USR2', 'CONT', 'STOP', 'KILL', 'WINCH'];
const SHELLS = ['bash', 'zsh', 'fish'];
const SCHEMAS = ['configuration', 'environment'];
const NONE: Offers = { offers: [], paths: null };

/** Commands that accept `all` in place of names. */
const WITHOUT_ALL: ReadonlySet<string> = new Set(['fg', 'tail', 'add', 'remove', 'health']);

/** The part of a command line before the word at its end. */
interface Scan {
  /** Words that are no options and no values of options. */
  readonly words: readonly string[];
  /** Options with their values, as they were written. */
  readonly options: readonly string[];
  /** The option whose value the last word is; null for none. */
  readonly pending: OptionSpec | null;
}

/** Separates options from other words, up to `limit` other words. */
function scan(words: readonly string[], specs: readonly OptionSpec[], limit = Infinity): Scan & { rest: string[] } {
  const rest = [...words];
  const [plain, options]: [string[], string[]] = [[], []];
  while (rest.length > 0 && plain.length < limit) {
    const word = rest.shift() ?? '';
    const spec = specs.find(({ names }) => names.includes(word));
    if (!word.startsWith('-') || word === '-') plain.push(word);
    else options.push(word);
    if (spec?.value === undefined || spec.join !== undefined) continue;
    const value = rest.shift();
    if (value === undefined) return { words: plain, options, pending: spec, rest };
    options.push(value);
  }
  return { words: plain, options, pending: null, rest };
}

/**
 * Finds the words that fit at the end of a command line.
 *
 * @param line - the words of the line, first the name of the program, last the word to complete, which may be empty
 */
export async function findOffers(line: readonly string[], sources: OfferSources): Promise<Offers> {
  const [program = '', ...all] = line;
  const current = all.pop() ?? '';
  const isControl = program.endsWith('supervisorctl');
  const found = isControl ? await controlOffers(all, current, sources) : await ownOffers(all, current, sources);
  return { ...found, offers: found.offers.filter(({ word }) => word.startsWith(current)) };
}

/** Finds the words after `onevisor`. */
async function ownOffers(words: readonly string[], current: string, sources: OfferSources): Promise<Offers> {
  // The command of a container can be any program, with any arguments.
  if (words.includes('--')) return { offers: [], paths: 'file' };
  const { words: plain, pending, rest } = scan(words, sources.flags, 1);
  if (pending !== null) return valueOffers(pending, sources);
  const [name] = plain;
  if (name === undefined) {
    if (current.startsWith('-')) return listOptions([...sources.flags, { names: ['--'], help: 'a command follows' }]);
    return listCommands(typedCommands);
  }
  if (name === 'ctl') return controlOffers(rest, current, sources);
  const spec = findCommand(name);
  return spec === null
    ? NONE
    : commandOffers({ ...spec, options: optionsOf(spec) }, { words: rest, current }, [], sources);
}

/** Finds the words after `supervisorctl` or `onevisor ctl`. */
async function controlOffers(words: readonly string[], current: string, sources: OfferSources): Promise<Offers> {
  const specs = [...connectionOptions, ...shellOptions];
  const { words: plain, options, pending, rest } = scan(words, specs, 1);
  if (pending !== null) return valueOffers(pending, sources);
  const [name] = plain;
  if (name === undefined) return current.startsWith('-') ? listOptions(specs) : listCommands(actions());
  const spec = findCommand(name);
  if (spec === null || !actions().includes(spec)) return NONE;
  // The command help of the client knows commands only.
  const takes: readonly ArgumentKind[] = name === 'help' ? ['action'] : spec.takes;
  // The options of the connection come before the command here.
  const own = (spec.options ?? []).filter((option) => !isConnection(option));
  return commandOffers({ ...spec, takes, options: own }, { words: rest, current }, options, sources);
}

/** Returns the commands of the client, with those of its shell. */
function actions(): readonly CommandSpec[] {
  return commandSpecs.filter(
    ({ kind, name }) => kind === 'client' || kind === 'shell' || name === 'health' || name === 'help',
  );
}

/** True for an option of the connection. */
function isConnection(option: OptionSpec): boolean {
  return connectionOptions.some((known) => known === option);
}

/** Returns the options of a command that is typed after `onevisor` itself. */
function optionsOf({ kind, options = [] }: CommandSpec): readonly OptionSpec[] {
  return kind === 'client' ? [...options, ...connectionOptions] : options;
}

/** Finds the words after a command. `before` has the options of the connection that precede it. */
async function commandOffers(
  spec: CommandSpec,
  { words, current }: { readonly words: readonly string[]; readonly current: string },
  before: readonly string[],
  sources: OfferSources,
): Promise<Offers> {
  const specs = spec.options ?? [];
  const { words: plain, options, pending } = scan(words, specs);
  if (pending !== null) return valueOffers(pending, sources);
  if (current.startsWith('-')) return listOptions([...specs, { names: ['--help'], help: 'explain this command' }]);
  const kind = spec.takes[Math.min(plain.length, spec.takes.length - 1)];
  if (kind === undefined) return NONE;
  if (kind !== 'processes' && kind !== 'groups' && kind !== 'conditions') return plainOffers(kind, sources);
  const isAddress = (word: string): boolean => connectionOptions.some(({ names }) => names.includes(word));
  const address = options.flatMap((word, at) => (isAddress(word) ? [word, options[at + 1] ?? ''] : []));
  const processes = await sources.listProcesses([...before, ...address]);
  const names = kind === 'groups' ? groupNames(processes) : processNames(processes, current);
  const every = WITHOUT_ALL.has(spec.name) ? [] : [{ word: 'all', help: 'every process' }];
  const conditions = kind === 'conditions' ? conditionOffers([...processNames(processes, ''), ...every], current) : [];
  return { offers: [...names, ...every, ...conditions].filter(({ word }) => !plain.includes(word)), paths: null };
}

/** Returns the conditions of a name that is typed already, with or without a colon behind it. */
function conditionOffers(names: readonly Offer[], current: string): Offer[] {
  const typed = names.map(({ word }) => word).filter((word) => current === word || current.startsWith(`${word}:`));
  return typed.flatMap((name) =>
    Object.entries(conditionMeanings).map(([condition, help]) => ({ word: `${name}:${condition}`, help })),
  );
}

/** Returns the names of groups. */
function groupNames(processes: readonly Named[]): Offer[] {
  return [...new Set(processes.map(({ group }) => group))].map((word) => ({ word, help: 'group' }));
}

/** Returns the names of processes as `status` has them, and `GROUP:*` for groups. */
function processNames(processes: readonly Named[], current: string): Offer[] {
  const words = processes.flatMap(({ group, name }) =>
    current.includes(':') || name !== group ? [`${group}:${name}`, `${group}:*`] : [name],
  );
  return [...new Set(words)].map((word) => ({ word, help: word.endsWith(':*') ? 'all of the group' : 'process' }));
}

function plainOffers(kind: ArgumentKind, sources: OfferSources): Offers {
  const list = (words: readonly string[], help = ''): Offers => ({
    offers: words.map((word) => ({ word, help })),
    paths: null,
  });
  switch (kind) {
    case 'stream':
      return list(STREAMS, 'output');
    case 'signal':
      return list(SIGNALS, 'signal');
    case 'shell':
      return list(SHELLS, 'shell');
    case 'schema':
      return list(SCHEMAS, 'schema');
    case 'format':
      return list(CHECK_FORMATS, 'format');
    case 'action':
      return listCommands(actions());
    case 'topic': {
      // A page may have the name of a command, whose help comes first.
      const { offers } = listCommands(typedCommands);
      const pages = sources.listTopics().filter(({ word }) => !offers.some((offer) => offer.word === word));
      return { offers: [...offers, ...pages], paths: null };
    }
    case 'file':
    case 'directory':
      return { offers: [], paths: kind };
    case 'processes':
    case 'conditions':
    case 'groups':
    case 'text':
      return NONE;
  }
}

/** Returns what fits as the value of an option. */
function valueOffers({ valueKind }: OptionSpec, sources: OfferSources): Offers {
  return valueKind === undefined ? NONE : plainOffers(valueKind, sources);
}

function listOptions(options: readonly OptionSpec[]): Offers {
  const offers = options.flatMap(({ names, help }) =>
    names.filter((name) => !/[A-Z]{2}/.test(name)).map((name) => ({ word: name, help })),
  );
  return { offers, paths: null };
}

function listCommands(specs: readonly CommandSpec[]): Offers {
  const offers = specs.map(({ name, summary }) => ({ word: name, help: summary }));
  return { offers: offers.toSorted((a, b) => (a.word < b.word ? -1 : 1)), paths: null };
}
