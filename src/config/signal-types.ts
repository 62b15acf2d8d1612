/**
 * Types of the options that are signals or lists of signals. Accepts the names that Supervisor accepts. Pure.
 */
import { formatSignal, parseSignal, UNTAKEN_SIGNALS } from '../core/signals.ts';
import { dataType, reject } from './datatype.ts';
import { wordList } from './datatypes.ts';
import { parseInteger, strip } from './python-text.ts';

/** compat: names that Python has for signals that Linux calls otherwise. */
const SIGNAL_ALIASES = new Map([
  ['CLD', 'CHLD'],
  ['POLL', 'IO'],
  ['IOT', 'ABRT'],
]);

/** Real-time signals that the C library uses itself (signal(7)). */
const RESERVED_SIGNALS = [32, 33];
const LAST_SIGNAL = 64;

/** compat: a name may begin with SIG, once; a number may not. */
function findSignal(value: string): number | null {
  const number = parseInteger(value);
  if (number !== null) return parseSignal(String(number));
  const name = strip(value).toUpperCase().replace(/^SIG/, '');
  return /^(SIG|[\s\d])/.test(name) ? null : parseSignal(SIGNAL_ALIASES.get(name) ?? name);
}

function readSignal(value: string): number {
  const found = findSignal(value);
  if (found === null || RESERVED_SIGNALS.includes(found))
    reject(value, 'a signal: a name such as TERM, HUP, INT, QUIT, KILL, USR1, USR2, or a number');
  return found;
}

/** Formats a signal as a configuration names it: `TERM`. */
function showSignal(number: number): string {
  return number === LAST_SIGNAL ? 'RTMAX' : formatSignal(number).replace(/^SIG/, '');
}

function showSignals(list: readonly number[]): string {
  return list.map(showSignal).join(',');
}

export const signal = dataType('signal', readSignal, showSignal);

/** Signals that are sent one after the other; at least one. */
export const signalList = dataType(
  'signals',
  (value): readonly number[] =>
    strip(value)
      .split(/[\s,]+/)
      .map(readSignal),
  showSignals,
);

/** Reads a signal that the supervisor itself gets: SIGKILL and SIGCHLD, for example, are none. */
function readHandledSignal(word: string): number {
  const number = readSignal(word);
  if (UNTAKEN_SIGNALS.includes(number))
    reject(word, 'a signal that the supervisor can handle, for example WINCH or USR1');
  return number;
}

/** Signals that shut down the supervisor, as SIGTERM does. */
export const stopSignalList = dataType(
  'signals',
  (value, context): readonly number[] => wordList.parse(value, context).map(readHandledSignal),
  showSignals,
);

/** A signal that is forwarded to a program. */
export interface Forward {
  readonly signal: number;
  /** Program, group or `group:process`. */
  readonly name: string;
  /** Signal that the program gets; null for the same one. */
  readonly as: number | null;
}

const FORWARD = 'a signal and a program, for example USR1:web, or TERM:web=QUIT to send another signal';

function readForward(word: string): Forward {
  const colon = word.indexOf(':');
  const equals = word.lastIndexOf('=');
  const hasOther = equals > colon;
  const name = word.slice(colon + 1, hasOther ? equals : word.length);
  if (colon < 1 || name === '' || equals === word.length - 1) reject(word, FORWARD);
  const as = hasOther ? readSignal(word.slice(equals + 1)) : null;
  return { signal: readHandledSignal(word.slice(0, colon)), name, as };
}

/** `USR1:web, TERM:web=QUIT`. */
export const forwardList = dataType<readonly Forward[]>(
  'signal:name[=signal], …',
  (value, context) => wordList.parse(value, context).map(readForward),
  (list) =>
    list
      .map(({ signal: from, name, as }) => `${showSignal(from)}:${name}${as === null ? '' : `=${showSignal(as)}`}`)
      .join(','),
);
