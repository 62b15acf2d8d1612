/**
 * The types of options that stand alone: numbers, sizes, times, users, paths, addresses. Each accepts exactly the texts
 * that Supervisor's own conversion accepts. The error for another text has the expected form. Pure; look-ups go through
 * the context.
 */
import { posix } from 'node:path';
import { formatMode, formatOwner, type Owner } from '../core/file-access.ts';
import { type Context, type DataType, dataType, reject, WrongValue } from './datatype.ts';
import { parseInteger, strip } from './python-text.ts';

export const text = dataType('text', (value) => value);

function describeRange(min: number, max: number): string {
  if (min === -Infinity) return 'a whole number';
  return max === Infinity ? `a whole number of ${min} or more` : `a whole number from ${min} to ${max}`;
}

/** A whole number from `min` to `max`, both included. */
export function integerBetween(min: number, max: number): DataType<number> {
  return dataType('integer', (value) => {
    const number = parseInteger(value);
    return number !== null && number >= min && number <= max ? number : reject(value, describeRange(min, max));
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

const TRUE_WORDS: readonly string[] = ['yes', 'true', 'on', '1'];
const FALSE_WORDS: readonly string[] = ['no', 'false', 'off', '0'];

/** Reads Supervisor's words for true and false, in any case; null for other words. */
export function parseBoolean(value: string): boolean | null {
  const word = value.toLowerCase();
  if (TRUE_WORDS.includes(word)) return true;
  return FALSE_WORDS.includes(word) ? false : null;
}

export const boolean = dataType(
  'boolean',
  (value) => parseBoolean(value) ?? reject(value, 'true or false (also yes, no, on, off, 1, 0)'),
);

/** A word of a list, in any case. */
export function choice<T extends string>(...words: readonly T[]): DataType<T> {
  return dataType(
    words.join(' \\| '),
    (value) => words.find((word) => word === value.toLowerCase()) ?? reject(value, `one of ${words.join(', ')}`),
  );
}

export const autorestart = dataType('true \\| false \\| unexpected', (value): 'true' | 'false' | 'unexpected' => {
  if (value.toLowerCase() === 'unexpected') return 'unexpected';
  const isAlways = parseBoolean(value) ?? reject(value, 'true, false or unexpected');
  return isAlways ? 'true' : 'false';
});

const SUFFIXES = new Map([
  ['kb', 1024],
  ['mb', 1024 ** 2],
  ['gb', 1024 ** 3],
]);

/** Reads a whole number, with KB, MB or GB (powers of 1024); null for other texts. */
export function parseByteSize(value: string): number | null {
  const factor = SUFFIXES.get(value.slice(-2).toLowerCase());
  const number = parseInteger(factor === undefined ? value : value.slice(0, -2));
  return number === null ? null : number * (factor ?? 1);
}

export const byteSize = dataType(
  'size',
  (value) =>
    parseByteSize(value) ??
    reject(value, 'a size: a whole number of bytes, or a number with KB, MB or GB, for example 50MB'),
);

const UNITS = new Map([
  ['ms', 0.001],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
]);

/** A time in seconds: a number, or numbers with units as in Docker (`1m30s`, `500ms`). */
export const duration = dataType('seconds', (value) => {
  const word = strip(value).toLowerCase();
  if (/^\d+(\.\d+)?$/.test(word)) return Number(word);
  if (!/^(\d+(\.\d+)?(ms|[smhdw]))+$/.test(word))
    return reject(value, 'a duration: a number of seconds, or with units: 500ms, 30s, 1m30s, 2h, 1d');
  return [...word.matchAll(/([\d.]+)(ms|[smhdw])/gy)].reduce(
    (sum, [, number, unit]) => sum + Number(number) * (UNITS.get(unit ?? '') ?? 0),
    0,
  );
});

/** A time in seconds in an option that Supervisor has: a whole number as Python reads it, or a {@link duration}. */
export const secondsNumber = dataType(
  'seconds',
  (value, context) => parseInteger(value) ?? duration.parse(value, context),
);

/** True if Supervisor refuses the text of a time, or of what a text with an expansion stands for. */
export function isRefusedTime(text: string, seconds: number): boolean {
  return !Number.isInteger(seconds) || (!text.includes('%') && parseInteger(text) === null);
}

/** An octal number, as a mode or a umask. */
export const octal = dataType(
  'octal',
  (value) => parseInteger(value, 8) ?? reject(value, 'an octal number, for example 022'),
);

const OWNER_WRITES = 0o200;
const LARGEST_MODE = 0o777;

/** The mode of a file that we write. */
export const fileMode = dataType(
  'mode',
  (value) => {
    const mode = parseInteger(value, 8) ?? -1;
    return mode >= 0 && mode <= LARGEST_MODE && (mode & OWNER_WRITES) !== 0
      ? mode
      : reject(value, 'an octal mode up to 0777 by which its owner can write, for example 0640');
  },
  formatMode,
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

/** Names with commas between them. compat: `a,` has an empty name at its end. */
export const nameList = dataType('names', (value): readonly string[] =>
  value === '' ? [] : value.split(',').map(strip),
);

/** Words with spaces or commas between them. */
export const wordList = dataType('words', (value): readonly string[] =>
  value.split(/[\s,]+/).filter((word) => word !== ''),
);

/** Replaces `~` and `~user` at the beginning of a path, as Python's os.path.expanduser() does. */
export function expandHome(path: string, context: Context): string {
  if (!path.startsWith('~')) return path;
  const end = path.indexOf('/') === -1 ? path.length : path.indexOf('/');
  const home = end === 1 ? context.home : (context.host?.users?.userByName(path.slice(1, end))?.home ?? null);
  if (home === null) return path;
  let length = home.length;
  while (home.charAt(length - 1) === '/') length--;
  return home.slice(0, length) + path.slice(end) || '/';
}

/** Refuses a path that is not UTF-8. Only directories and files of programs may be so (files/bytes.ts). */
export function requireText(path: string): string {
  if (path.isWellFormed()) return path;
  throw new WrongValue(`the path ${path.toWellFormed()} has bytes that are not UTF-8; use another path`);
}

/** Makes a path of the supervisor itself absolute, from its working directory. */
export function absolutePath(path: string, context: Context): string {
  return posix.resolve(context.cwd, requireText(expandHome(path, context)));
}

/** Returns the directory of a file if it does not exist. Null: it exists, or nothing is looked up. */
export function findMissingDirectory(path: string, { cwd, host }: Context): string | null {
  if (host === null || !path.includes('/')) return null;
  const directory = posix.resolve(cwd, path.slice(0, path.lastIndexOf('/') + 1));
  return host.isDirectory(directory) ? null : directory;
}

/** A file whose directory exists. */
export const filePath = dataType('path', (value, context) => {
  const path = requireText(expandHome(value, context));
  const missing = findMissingDirectory(path, context);
  if (missing !== null)
    throw new WrongValue(`the directory ${missing} of ${value} does not exist; create it, or use another path`);
  return absolutePath(path, context);
});

/** A directory that exists. The path may have bytes that are not UTF-8. */
export const workingDirectory = dataType('directory', (value, context) => {
  const path = expandHome(value, context);
  if (context.host?.isDirectory(posix.resolve(context.cwd, path)) === false)
    throw new WrongValue(`the directory ${value} does not exist; create it, or use another path`);
  return path;
});

/** A directory that exists, for files of the supervisor. */
export const existingDirectory = dataType('directory', (value, context) =>
  requireText(workingDirectory.parse(value, context)),
);

/** The path of a socket, made absolute. Its directory may be made later. */
export const socketPath = dataType('path', (value, context) => absolutePath(strip(value), context));

/** Largest uid and gid; the number above it means "do not change" (chown(2)). */
const LARGEST_ID = 0xff_ff_ff_fe;

/** Advice for names that are in LDAP or the like: by default, our libc reads /etc/passwd and /etc/group only. */
const OTHER_SOURCES = ' (if it is not in /etc/passwd or /etc/group, set ONEVISOR_LIBC=system)';

/**
 * `user[:group]`. Names must exist, unless the reading is static. Numbers need no entry in passwd or group, as with
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
      reject(user, `a user of this system; create it, or name another one${OTHER_SOURCES}`);
    if (group !== null && !isId(group) && users.groupByName(group) === null)
      reject(group, `a group of this system; create it, or name another one${OTHER_SOURCES}`);
    return { user, group };
  },
  formatOwner,
);

function isId(text: string): boolean {
  return /^\d{1,10}$/.test(text) && Number(text) <= LARGEST_ID;
}

/** Most columns or rows: a terminal has 16 bits for each (ioctl_tty(2)). */
const MAX_TERMINAL = 65_535;

/** Size of a terminal in characters: `COLUMNSxROWS`. */
export const terminalSize = dataType<{ readonly columns: number; readonly rows: number }>(
  'COLUMNSxROWS',
  (value) => {
    const [columns = 0, rows = 0] = (/^\s*(\d+)x(\d+)\s*$/i.exec(value) ?? []).slice(1).map(Number);
    const fits = [columns, rows].every((number) => number >= 1 && number <= MAX_TERMINAL);
    return fits ? { columns, rows } : reject(value, 'a size as COLUMNSxROWS, for example 80x24');
  },
  ({ columns, rows }) => `${columns}x${rows}`,
);

/** Address of a TCP server; an empty host means all interfaces. */
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
      reject(value, 'an address: a port from 1 to 65535, or host:port, for example 127.0.0.1:9001 or *:9001');
    const host = value
      .slice(0, Math.max(colon, 0))
      .toLowerCase()
      .replace(/^\[(.*)\]$/, '$1');
    return { host: host === '*' ? '' : host, port };
  },
  ({ host, port }) => `${host === '' ? '*' : host}:${port}`,
);
