/**
 * The types of options that stand alone: numbers, sizes, signals, users, addresses. Each accepts exactly what
 * Supervisor's own conversion accepts, and says what would be right. Pure; look-ups go through the context.
 */
import { posix } from 'node:path';
import { formatSignal, parseSignal } from '../core/signals.ts';
import { type Context, type DataType, dataType, reject, UnclosedValue, WrongValue } from './datatype.ts';
import type { Piece } from './expand.ts';
import { type KeyValueList, ListError, parseKeyValueList, UnclosedListError } from './key-value-list.ts';
import { strip } from './python-text.ts';

/** int() of Python: whitespace around, a sign, underscores between digits. Null for anything else. */
function parseInteger(text: string, base: 8 | 10 = 10): number | null {
  const pattern = base === 8 ? /^([+-]?)(?:0[oO]_?)?([0-7]+(?:_[0-7]+)*)$/ : /^([+-]?)(\d+(?:_\d+)*)$/;
  const match = pattern.exec(strip(text));
  if (match === null) return null;
  const size = Number.parseInt((match[2] ?? '').replaceAll('_', ''), base);
  return match[1] === '-' ? 0 - size : size;
}

export const text = dataType('text', (value) => value);

/** A whole number within bounds that are part of what is allowed. */
export function integerBetween(min: number, max: number): DataType<number> {
  const what =
    min === -Infinity
      ? 'a whole number'
      : max === Infinity
        ? `a whole number of ${min} or more`
        : `a whole number from ${min} to ${max}`;
  return dataType('integer', (value) => {
    const number = parseInteger(value);
    return number !== null && number >= min && number <= max ? number : reject(value, what);
  });
}

export const integer = integerBetween(-Infinity, Infinity);

/** A decimal number of at least `min`. */
export function numberFrom(min: number): DataType<number> {
  return dataType('number', (value) => {
    const number = /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : NaN;
    return number >= min ? number : reject(value, `a number of ${min} or more`);
  });
}

export const boolean = dataType('boolean', (value) => {
  const word = value.toLowerCase();
  if (['yes', 'true', 'on', '1'].includes(word)) return true;
  if (['no', 'false', 'off', '0'].includes(word)) return false;
  return reject(value, 'true or false (also yes, no, on, off, 1, 0)');
});

/** One of a few words, in any case. */
export function choice<T extends string>(...words: readonly T[]): DataType<T> {
  return dataType(
    words.join(' \\| '),
    (value) => words.find((word) => word === value.toLowerCase()) ?? reject(value, `one of ${words.join(', ')}`),
  );
}

export const autorestart = dataType('true \\| false \\| unexpected', (value): 'true' | 'false' | 'unexpected' => {
  const word = value.toLowerCase();
  if (word === 'unexpected') return word;
  if (['yes', 'true', 'on', '1'].includes(word)) return 'true';
  return ['no', 'false', 'off', '0'].includes(word) ? 'false' : reject(value, 'true, false or unexpected');
});

const SUFFIXES = new Map([
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
]);

/** A whole number, with KB, MB or GB (of 1024); null for anything else. */
export function parseByteSize(value: string): number | null {
  const factor = SUFFIXES.get(value.slice(-2).toLowerCase());
  const number = parseInteger(factor === undefined ? value : value.slice(0, -2));
  return number === null ? null : number * (factor ?? 1);
}

export const byteSize = dataType(
  'size',
  (value) =>
    parseByteSize(value) ?? reject(value, 'a size: a whole number of bytes, or one with KB, MB or GB, as 50MB'),
);

const UNITS = new Map([
  ['ms', 0.001],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
]);

/** Seconds: a number, or numbers with units as Docker writes them (`1m30s`, `500ms`). */
export const duration = dataType('seconds', (value) => {
  const word = strip(value).toLowerCase();
  if (/^\d+(\.\d+)?$/.test(word)) return Number(word);
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(word))
    return reject(value, 'a duration: a number of seconds, or one as 500ms, 30s, 1m30s, 2h, 1d');
  return [...word.matchAll(/([\d.]+)(ms|[smhdw])/gy)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNITS.get(unit ?? '') ?? 0),
    0,
  );
});

/** An octal number, as a mode or a umask. */
export const octal = dataType('octal', (value) => parseInteger(value, 8) ?? reject(value, 'an octal number, as 022'));

/** compat: the further names that Python has for the same signals. */
const SIGNAL_ALIASES = new Map([
  ['CLD', 'CHLD'],
  ['POLL', 'IO'],
  ['IOT', 'ABRT'],
]);

/** The C library keeps these to itself. */
const RESERVED_SIGNALS = [32, 33];
const LAST_SIGNAL = 64;

/** compat: a name may have SIG before it, once, and a number may not. */
function findSignal(value: string): number | null {
  const number = parseInteger(value);
  if (number !== null) return parseSignal(String(number));
  const name = strip(value).toUpperCase().replace(/^SIG/, '');
  return /^(SIG|[\s\d])/.test(name) ? null : parseSignal(SIGNAL_ALIASES.get(name) ?? name);
}

function readSignal(value: string): number {
  const found = findSignal(value);
  if (found === null || RESERVED_SIGNALS.includes(found))
    reject(value, 'a signal: a name as TERM, HUP, INT, QUIT, KILL, USR1, USR2, or a number');
  return found;
}

/** A signal as a configuration names it: `TERM`. */
export function showSignal(number: number): string {
  if (number === LAST_SIGNAL) return 'RTMAX';
  return formatSignal(number).replace(/^SIG/, '');
}

export const signal = dataType('signal', readSignal, showSignal);

/** Signals that are sent one after the other. */
export const signalList = dataType(
  'signals',
  (value): readonly number[] =>
    strip(value)
      .split(/[\s,]+/)
      .map(readSignal),
  (list) => list.map(showSignal).join(','),
);

export const exitCodes = dataType('exit codes', (value): readonly number[] => {
  if (value === '') return [];
  return value.split(',').map((part) => {
    const code = parseInteger(part);
    return code !== null && code >= 0 && code <= 255
      ? code
      : reject(value, 'a list of exit codes: numbers from 0 to 255 with commas between them');
  });
});

/** compat: the pieces between commas; `a,` has an empty one. */
export const nameList = dataType('names', (value): readonly string[] =>
  value === '' ? [] : value.split(',').map(strip),
);

/** Words with spaces or commas between them. */
export const wordList = dataType('words', (value): readonly string[] =>
  value.split(/[\s,]+/).filter((word) => word !== ''),
);

function readList(pieces: readonly Piece[]): KeyValueList {
  try {
    return parseKeyValueList(pieces);
  } catch (error) {
    if (error instanceof UnclosedListError) throw new UnclosedValue(error.message, '');
    if (error instanceof ListError) throw new WrongValue(error.message);
    throw error;
  }
}

/** Values with `$NAME`, which only a shell would replace: of a variable that there is, or of the one that is set. */
function remarkDollars(pieces: readonly Piece[], isVariable: (name: string) => boolean): string[] {
  // An expanded value is taken literally, and may be a secret.
  const written = readList(pieces.map((piece) => (piece.isValue ? { text: '', isValue: true } : piece))).pairs;
  return [...written].flatMap(([own, value]) => {
    const names = [...value.matchAll(/\$(?:([A-Za-z_]\w{0,99})|\{([A-Za-z_]\w{0,99})\})/g)].map(
      ([, plain, braced]) => plain ?? braced ?? '',
    );
    const name = names.find((one) => one === own || isVariable(one));
    if (name === undefined) return [];
    const instead = isVariable(name) ? `%(ENV_${name})s` : `%(ENV_${name}:-)s`;
    return [`"$${name}" in the value of ${own} is not replaced, because no shell reads it; write ${instead}`];
  });
}

export const environment: DataType<ReadonlyMap<string, string>> = {
  name: 'KEY="value",…',
  parse: (value) => readList([{ text: value, isValue: false }]).pairs,
  parsePieces: (pieces) => readList(pieces).pairs,
  remarks(pieces, isVariable) {
    const [name] = readList(pieces).cut;
    const cut =
      name === undefined
        ? []
        : [
            `the value of ${name} ends at its first blank or quote, and the text after it is lost; write ${name}="…" with all of the value between the quotes (a quote within is written \\"), and a comma after it`,
          ];
    return [...cut, ...remarkDollars(pieces, isVariable)];
  },
  show: (pairs) => Object.fromEntries(pairs),
};

/** `~` and `~user` at the beginning of a path, as os.path.expanduser(). */
export function expandHome(path: string, context: Context): string {
  if (!path.startsWith('~')) return path;
  const end = path.indexOf('/') === -1 ? path.length : path.indexOf('/');
  const home = end === 1 ? context.home : (context.host?.users?.userByName(path.slice(1, end))?.home ?? null);
  if (home === null) return path;
  let length = home.length;
  while (home.charAt(length - 1) === '/') length--;
  return home.slice(0, length) + path.slice(end) || '/';
}

/** Refuses a path that is not UTF-8: only the directories and files of programs may be (files/bytes.ts). */
export function requireText(path: string): string {
  if (path.isWellFormed()) return path;
  throw new WrongValue(`the path ${path.toWellFormed()} has bytes that are not UTF-8; use another path`);
}

/** A path of the supervisor itself: absolute, from its working directory. */
export function absolutePath(path: string, context: Context): string {
  return posix.resolve(context.cwd, requireText(expandHome(path, context)));
}

/** A file whose directory must exist. */
export function readFilePath(value: string, context: Context): string {
  const path = requireText(expandHome(value, context));
  const directory = path.includes('/')
    ? posix.resolve(context.cwd, path.slice(0, path.lastIndexOf('/') + 1))
    : context.cwd;
  if (path.includes('/') && context.host?.isDirectory(directory) === false) {
    throw new WrongValue(`the directory ${directory} of ${value} does not exist; create it, or use another path`);
  }
  return path;
}

export const filePath = dataType('path', (value, context) => absolutePath(readFilePath(value, context), context));

/** A directory that is there. The path may have bytes that are not UTF-8. */
export const workingDirectory = dataType('directory', (value, context) => {
  const path = expandHome(value, context);
  if (context.host?.isDirectory(posix.resolve(context.cwd, path)) === false)
    throw new WrongValue(`the directory ${value} does not exist; create it, or use another path`);
  return path;
});

/** A directory that is there, for files of the supervisor. */
export const existingDirectory = dataType('directory', (value, context) =>
  requireText(workingDirectory.parse(value, context)),
);

/** A socket's path: made absolute, its directory may be made later. */
export const socketPath = dataType('path', (value, context) => absolutePath(strip(value), context));

export const logLevel = choice('critical', 'error', 'warn', 'info', 'debug', 'trace', 'blather');

/** A user, and perhaps a group; each a name or a number. The group is null where none is given. */
export interface Owner {
  readonly user: string;
  readonly group: string | null;
}

/** Largest uid and gid; the one above it means "none" (chown(2)). */
const LARGEST_ID = 0xff_ff_ff_fe;

/**
 * `name[:group]`; names must exist, unless the reading is static. Numbers need no entry in passwd or group, as with
 * Docker.
 */
export const owner = dataType<Owner>(
  'user[:group]',
  (value, context) => {
    const colon = value.indexOf(':');
    const user = colon === -1 ? value : value.slice(0, colon);
    const group = colon === -1 ? null : value.slice(colon + 1);
    const users = context.host?.users ?? null;
    if (users === null) return { user, group };
    if (!isId(user) && users.userByName(user) === null)
      reject(user, 'a user of this system; create it, or name another one');
    if (group !== null && !isId(group) && users.groupByName(group) === null)
      reject(group, 'a group of this system; create it, or name another one');
    return { user, group };
  },
  ({ user, group }) => (group === null ? user : `${user}:${group}`),
);

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= LARGEST_ID;
}

/** Where a TCP server listens; an empty host means all interfaces. */
export interface InetAddress {
  readonly host: string;
  readonly port: number;
}

export const inetAddress = dataType<InetAddress>(
  '[host:]port',
  (value) => {
    const colon = value.lastIndexOf(':');
    const port = parseInteger(value.slice(colon + 1));
    if (port === null || port < 1 || port > 65_535)
      reject(value, 'an address: a port from 1 to 65535, or one with a host, as 127.0.0.1:9001 or *:9001');
    const host = value
      .slice(0, Math.max(colon, 0))
      .toLowerCase()
      .replace(/^\[(.*)\]$/, '$1');
    return { host: host === '*' ? '' : host, port };
  },
  ({ host, port }) => `${host === '' ? '*' : host}:${port}`,
);

/** The socket of a FastCGI program. */
export type FcgiSocket =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export const fcgiSocket = dataType<FcgiSocket>(
  'tcp://host:port \\| unix:///path',
  (value) => {
    if (value.startsWith('unix://')) {
      const path = value.slice('unix://'.length);
      return path.startsWith('/')
        ? { kind: 'unix', path: posix.normalize(requireText(path)) }
        : reject(value, 'a socket with an absolute path, as unix:///run/app.sock');
    }
    const match = /^tcp:\/\/([^\s:]+):(\d+)$/.exec(value);
    const port = Number(match?.[2]);
    if (match === null || port < 1 || port > 65_535)
      reject(value, 'a socket: tcp://host:port or unix:///absolute/path');
    return { kind: 'tcp', host: (match[1] ?? '').toLowerCase(), port };
  },
  (socket) => (socket.kind === 'unix' ? `unix://${socket.path}` : `tcp://${socket.host}:${socket.port}`),
);
