/** The command line of `logs`: its options and names. Pure. */
import { ArgumentError } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { type LogLevel, levels, parseLevel } from '../../core/line-level.ts';
import { parseMoment } from './times.ts';

/** Number of lines without `-n`. */
const DEFAULT_LINES = 100;

/** Form of the output. */
export type OutputForm = 'text' | 'json' | 'raw';

/** The streams that can be chosen. */
export type ChosenStream = 'stdout' | 'stderr';

/** The options of `logs`. */
export interface LogsOptions {
  /** Empty: all programs. */
  readonly names: readonly string[];
  readonly isFollowing: boolean;
  /** Number of lines before following, lines that do not match not counted; Infinity for all. */
  readonly lines: number;
  /** Milliseconds since 1970; null for no limit. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Null: both. */
  readonly stream: ChosenStream | null;
  readonly patterns: readonly string[];
  readonly isCaseIgnored: boolean;
  readonly isInverted: boolean;
  readonly level: LogLevel | null;
  readonly highlight: readonly string[];
  readonly form: OutputForm;
  readonly hasPrefix: boolean;
  /** Null: on a terminal only. */
  readonly hasColours: boolean | null;
  readonly hasTimes: boolean;
  readonly isUtc: boolean;
  readonly hasEvents: boolean;
  readonly isPrevious: boolean;
  readonly isUntilExit: boolean;
}

type Draft = { -readonly [K in keyof LogsOptions]: LogsOptions[K] } & { linesGiven: boolean };

/** Options without a value. */
const SWITCHES: Readonly<Record<string, (draft: Draft) => void>> = {
  '-f': (draft) => (draft.isFollowing = true),
  '--follow': (draft) => (draft.isFollowing = true),
  '-i': (draft) => (draft.isCaseIgnored = true),
  '--ignore-case': (draft) => (draft.isCaseIgnored = true),
  '-v': (draft) => (draft.isInverted = true),
  '--invert': (draft) => (draft.isInverted = true),
  '-t': (draft) => (draft.hasTimes = true),
  '--timestamps': (draft) => (draft.hasTimes = true),
  '--utc': (draft) => (draft.isUtc = true),
  '--stdout': (draft) => chooseStream(draft, 'stdout'),
  '--stderr': (draft) => chooseStream(draft, 'stderr'),
  '--json': (draft) => (draft.form = 'json'),
  '--no-prefix': (draft) => (draft.hasPrefix = false),
  '--no-color': (draft) => (draft.hasColours = false),
  '--color': (draft) => (draft.hasColours = true),
  '--no-events': (draft) => (draft.hasEvents = false),
  '--previous': (draft) => (draft.isPrevious = true),
  '--until-exit': (draft) => {
    draft.isUntilExit = true;
    draft.isFollowing = true;
  },
};

/** Options with a value. Each returns false for a wrong value. */
const VALUES: Readonly<Record<string, (draft: Draft, value: string, nowMs: number) => boolean>> = {
  '-n': setLines,
  '--tail': setLines,
  '--since': (draft, value, nowMs) => (draft.sinceMs = parseMoment(value, nowMs)) !== null,
  '--until': (draft, value, nowMs) => (draft.untilMs = parseMoment(value, nowMs)) !== null,
  '--grep': (draft, value) => addPattern(value, (source) => (draft.patterns = [...draft.patterns, source])),
  '--highlight': (draft, value) => addPattern(value, (source) => (draft.highlight = [...draft.highlight, source])),
  '--level': (draft, value) => (draft.level = parseLevel(value)) !== null,
  '--stream': (draft, value) => {
    const stream = STREAM_WORDS.get(value);
    if (stream !== undefined) chooseStream(draft, stream);
    return stream !== undefined;
  },
  '--output': (draft, value) => {
    if (value !== 'text' && value !== 'json' && value !== 'raw') return false;
    draft.form = value;
    return true;
  },
};

const STREAM_WORDS: ReadonlyMap<string, ChosenStream> = new Map([
  ['out', 'stdout'],
  ['stdout', 'stdout'],
  ['err', 'stderr'],
  ['stderr', 'stderr'],
]);

const A_MOMENT = '10m, 1h30m, 10:30, 2026-11-29, or a time such as 2026-11-29T10:30:00Z';
/** The values that an option takes, for its error. */
const WANTED: Readonly<Record<string, string>> = {
  '-n': 'a number of lines, or all',
  '--tail': 'a number of lines, or all',
  '--since': A_MOMENT,
  '--until': A_MOMENT,
  '--grep': 'a regular expression of JavaScript',
  '--highlight': 'a regular expression of JavaScript',
  '--level': levels.join(', '),
  '--stream': 'out or err',
  '--output': 'text, json or raw',
};

function setLines(draft: Draft, value: string): boolean {
  const isNumber = /^\d{1,9}$/.test(value);
  if (!isNumber && value !== 'all') return false;
  draft.lines = isNumber ? Number(value) : Infinity;
  draft.linesGiven = true;
  return true;
}

function addPattern(source: string, add: (source: string) => void): boolean {
  try {
    add(new RegExp(source).source);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return false;
  }
}

/** Both `--stdout` and `--stderr` mean both streams. */
function chooseStream(draft: Draft, stream: ChosenStream): void {
  draft.stream = draft.stream === null || draft.stream === stream ? stream : null;
}

function refuse(message: string): ArgumentError {
  return new ArgumentError(`Error: ${message}`, { isHelpShown: false, exitCode: ExitCode.INVALID_ARGS });
}

/** Reads the words after `logs`. Names and options may be mixed; after `--` all are names. Throws ArgumentError. */
export function parseLogs(words: readonly string[], nowMs: number): LogsOptions {
  const draft: Draft = {
    names: [],
    isFollowing: false,
    lines: DEFAULT_LINES,
    linesGiven: false,
    sinceMs: null,
    untilMs: null,
    stream: null,
    patterns: [],
    isCaseIgnored: false,
    isInverted: false,
    level: null,
    highlight: [],
    form: 'text',
    hasPrefix: true,
    hasColours: null,
    hasTimes: false,
    isUtc: false,
    hasEvents: true,
    isPrevious: false,
    isUntilExit: false,
  };
  const rest = [...words];
  const names: string[] = [];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      names.push(...rest);
      break;
    }
    if (word.startsWith('-')) readOption(draft, word, rest, nowMs);
    else names.push(word);
  }
  const isAll = names.length === 0 || names.includes('all');
  const { linesGiven, ...options } = draft;
  checkTogether(options);
  // A period of time, or a run, is wanted as a whole.
  const isWhole = !linesGiven && (options.sinceMs !== null || options.isPrevious);
  return { ...options, names: isAll ? [] : names, lines: isWhole ? Infinity : options.lines };
}

function readOption(draft: Draft, word: string, rest: string[], nowMs: number): void {
  const isShort = /^-[a-z]./.test(word);
  const equals = word.indexOf('=');
  const name = isShort ? word.slice(0, 2) : word.slice(0, equals === -1 ? undefined : equals);
  const change = Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : undefined;
  if (change !== undefined) {
    if (!isShort && equals !== -1) throw refuse(`${name} takes no value`);
    change(draft);
    // `-ft` is `-f -t`.
    if (isShort) readOption(draft, `-${word.slice(2)}`, rest, nowMs);
    return;
  }
  const read = Object.hasOwn(VALUES, name) ? VALUES[name] : undefined;
  if (read === undefined) throw refuse(`logs has no option ${name}; see onevisor logs --help`);
  const joined = isShort ? word.slice(2) : word.slice(equals + 1);
  const value = isShort || equals !== -1 ? joined : rest.shift();
  if (value === undefined) throw refuse(`${name} needs a value: ${WANTED[name] ?? ''}`);
  if (!read(draft, value, nowMs)) throw refuse(`${name}: "${value.slice(0, 100)}" is not ${WANTED[name] ?? ''}`);
}

function checkTogether({ isFollowing, untilMs, isPrevious, sinceMs }: Omit<LogsOptions, 'names'>): void {
  if (isFollowing && untilMs !== null) throw refuse('-f follows without an end: leave out -f or --until');
  if (isFollowing && isPrevious) throw refuse('the previous run has ended: leave out -f or --previous');
  if (untilMs !== null && sinceMs !== null && untilMs < sinceMs) throw refuse('--until is before --since');
}
