/**
 * The types of options that are languages of their own: dependencies, forwarded signals, health checks, limits,
 * templates. Pure; whether a name that stands in them exists is checked once all programs are known (dependencies.ts).
 */
import { type EnvironmentFile } from '../core/environment-text.ts';
import { parseLogTemplate, TemplateError } from '../core/log-template.ts';
import type { Condition } from '../core/process-record.ts';
import { type Limit } from '../core/resource-limits.ts';
import { UNTAKEN_SIGNALS } from '../core/signals.ts';
import { CommandLineError, splitCommandLine } from './command-line.ts';
import { dataType, reject, UnclosedValue, WrongValue } from './datatype.ts';
import { byteSize, duration, parseByteSize, requireText, signal, showSignal } from './datatypes.ts';
import { strip } from './python-text.ts';

/** A dependency as written. */
export interface DependencySpec {
  readonly name: string;
  /** Any one of them is enough; empty where none is given. */
  readonly conditions: readonly Condition[];
}

/** Conditions as they can be written, by their names in lower case. */
export const CONDITIONS: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ['started', 'started'],
  ['running', 'started'],
  ['ready', 'ready'],
  ['healthy', 'healthy'],
  ['completed', 'completed'],
  ['exited', 'exited'],
  ['completed_successfully', 'completed'],
]);

/** Conditions of supervisord-dependent-startup: states of Supervisor. Our own conditions are accepted as well. */
export const STATE_CONDITIONS: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ...CONDITIONS,
  ['fatal', 'fatal'],
  ['backoff', 'backoff'],
  ['stopped', 'stopped'],
]);

function readDependencySpec(word: string, known: ReadonlyMap<string, Condition>): DependencySpec {
  const colon = word.lastIndexOf(':');
  const condition = known.get(word.slice(colon + 1).toLowerCase());
  if (colon > 0 && condition !== undefined) return { name: word.slice(0, colon), conditions: [condition] };
  return { name: word, conditions: [] };
}

function formatDependencySpec({ name, conditions }: DependencySpec): string {
  return conditions.length === 0 ? name : `${name}:${conditions.join(',')}`;
}

/** `db:healthy, migrate:completed, cache`. */
export const dependencyList = dataType<readonly DependencySpec[]>(
  'name[:condition], …',
  (value) =>
    value
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) => readDependencySpec(word, CONDITIONS)),
  (specs) => specs.map(formatDependencySpec).join(', '),
);

/**
 * `db:running migrate:exited,fatal`, as supervisord-dependent-startup reads it: a state after a comma is one more that
 * is enough.
 */
export const startupList = dataType<readonly DependencySpec[]>(
  'name:state[,state] …',
  (value) => {
    const specs: DependencySpec[] = [];
    for (const word of value.split(/\s+/).filter((part) => part !== '')) {
      for (const [index, part] of word
        .split(',')
        .filter((piece) => piece !== '')
        .entries()) {
        const further = index === 0 || part.includes(':') ? undefined : STATE_CONDITIONS.get(part.toLowerCase());
        const last = specs.at(-1);
        if (further !== undefined && last !== undefined && last.conditions.length > 0)
          specs[specs.length - 1] = { ...last, conditions: [...last.conditions, further] };
        else specs.push(readDependencySpec(part, STATE_CONDITIONS));
      }
    }
    return specs;
  },
  (specs) => specs.map(formatDependencySpec).join(' '),
);

/** A signal that is sent on instead of being obeyed. */
export interface Forward {
  readonly signal: number;
  /** Program, group or `group:process`. */
  readonly name: string;
}

/** `USR1:web,HUP:nginx`. */
export const forwardList = dataType<readonly Forward[]>(
  'signal:name, …',
  (value, context) =>
    value
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) => {
        const colon = word.indexOf(':');
        if (colon < 1 || colon === word.length - 1) reject(word, 'a signal and a program, as USR1:web');
        return { signal: signal.parse(word.slice(0, colon), context), name: word.slice(colon + 1) };
      }),
  (list) => list.map((forward) => `${showSignal(forward.signal)}:${forward.name}`).join(','),
);

/** Signals that end the supervisor as SIGTERM does. */
export const stopSignalList = dataType<readonly number[]>(
  'signals',
  (value, context) =>
    value
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) => {
        const number = signal.parse(word, context);
        return UNTAKEN_SIGNALS.includes(number)
          ? reject(word, 'a signal that the supervisor can take, as WINCH or USR1')
          : number;
      }),
  (list) => list.map(showSignal).join(','),
);

/** How the health of a program is asked for. */
export type Probe =
  | { readonly kind: 'http'; readonly url: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'command'; readonly command: string };

const CHECKS = 'a check: http://host:port/path, https://…, tcp://host:port, unix:///path, or a command';

export const probe = dataType<Probe>(
  'http://… \\| tcp://host:port \\| unix:///path \\| command',
  (value) => {
    const word = strip(value);
    if (word === '') reject(value, CHECKS);
    switch (/^([a-z][a-z0-9+.-]*):\/\//i.exec(word)?.[1]?.toLowerCase()) {
      case undefined:
        checkSplit(word);
        return { kind: 'command', command: word };
      case 'http':
      case 'https':
        return URL.canParse(word)
          ? { kind: 'http', url: word }
          : reject(value, 'a URL, as http://localhost:8080/health');
      case 'unix': {
        const path = word.slice('unix://'.length);
        return path.startsWith('/')
          ? { kind: 'unix', path: requireText(path) }
          : reject(value, 'a socket with an absolute path, as unix:///run/app.sock');
      }
      case 'tcp': {
        const match = /^tcp:\/\/(?:\[([^\]]+)\]|([^\s:/]+)):(\d+)$/i.exec(word);
        const port = Number(match?.[3]);
        if (match === null || port < 1 || port > 65_535) reject(value, 'an address as tcp://localhost:5432');
        return { kind: 'tcp', host: match[1] ?? match[2] ?? '', port };
      }
      default:
        return reject(value, CHECKS);
    }
  },
  (value) => {
    switch (value.kind) {
      case 'http':
        return value.url;
      case 'tcp':
        return `tcp://${value.host.includes(':') ? `[${value.host}]` : value.host}:${value.port}`;
      case 'unix':
        return `unix://${value.path}`;
      case 'command':
        return value.command;
    }
  },
);

/** What else can be done about a command that a line has no room for. */
export const USE_SCRIPT = 'put the commands into a script';

/**
 * A check or hook that cannot be split could never pass. Unlike the command of a program, of which Supervisor accepts
 * any, such a one is wrong.
 */
function checkSplit(command: string): void {
  try {
    if (splitCommandLine(command).length === 0) reject(command, 'a command');
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    throw new UnclosedValue(
      `cannot be split into words: ${error.message}; close the quote, or write it as \\"`,
      USE_SCRIPT,
    );
  }
}

/** The command of a hook. */
export const hookCommand = dataType('command', (value) => {
  checkSplit(value);
  return value;
});

const SHORTEST_CHECK_S = 0.001;

/** A time for a check or between two; Docker's shortest is a millisecond too. */
export const checkDuration = dataType('seconds', (value, context) => {
  const seconds = duration.parse(value, context);
  return seconds >= SHORTEST_CHECK_S ? seconds : reject(value, 'a duration of 1ms or more, as 500ms, 30s or 1m30s');
});

/** Paths with commas or spaces between them, `-` before one that may be missing. */
export const environmentFiles = dataType<readonly EnvironmentFile[]>(
  '[-]path, …',
  (value) =>
    value
      .split(/[\s,]+/)
      .filter((word) => word !== '')
      .map((word) =>
        word.startsWith('-') ? { path: word.slice(1), isOptional: true } : { path: word, isOptional: false },
      ),
  (files) => files.map(({ path, isOptional }) => (isOptional ? `-${path}` : path)).join(', '),
);

/** `soft[:hard]`, each a number (a size may have KB, MB, GB) or `unlimited`. */
export const limit = dataType<Limit>(
  'soft[:hard]',
  (value) => {
    const parts = value.split(':').map((part): number => {
      const word = strip(part).toLowerCase();
      const number = ['unlimited', 'infinity', '-1'].includes(word) ? Infinity : parseByteSize(word);
      return number !== null && number >= 0
        ? number
        : reject(part, 'a limit: unlimited, or a whole number of 0 or more, as 1024 or 50MB');
    });
    const [soft = 0, hard = soft] = parts;
    if (parts.length > 2) reject(value, 'a limit as soft[:hard]');
    if (soft > hard) throw new WrongValue(`the soft limit ${value.split(':')[0]} is above the hard one`);
    return { soft, hard };
  },
  ({ soft, hard }) => [soft, hard].map((side) => (side === Infinity ? 'unlimited' : String(side))).join(':'),
);

/** A size of memory, above which something happens. */
export const memoryLimit = dataType('size', (value, context) => {
  const bytes = byteSize.parse(strip(value), context);
  return bytes > 0 ? bytes : reject(value, 'a size of memory: above 0, as 300MB');
});

/** The template of a log prefix; quotes around it keep spaces at its ends. */
export const logTemplate = dataType('template', (value) => {
  const template = /^(["'])([^]*)\1$/.exec(value)?.[2] ?? value;
  try {
    parseLogTemplate(template);
    return template;
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new WrongValue(error.message);
  }
});

/**
 * When logs are rotated by time: at the full hour, at midnight, in the night to Sunday, or every so many seconds; 0 for
 * never.
 */
export type RotateInterval = 'hourly' | 'daily' | 'weekly' | number;

const SHORTEST_INTERVAL = 1;

/** How often a log is rotated; a duration, or a word. */
export const rotateInterval = dataType<RotateInterval>('hourly \\| daily \\| weekly \\| seconds', (value) => {
  const word = strip(value).toLowerCase();
  if (word === 'hourly' || word === 'daily' || word === 'weekly') return word;
  const what = 'a rotation interval: hourly, daily, weekly, or a duration of 1s or more as 90m or 2h; 0 for never';
  if (!/^[\d.]/.test(word)) reject(value, what);
  const seconds = duration.parse(value, { cwd: '/', home: null, host: null });
  return seconds === 0 || seconds >= SHORTEST_INTERVAL ? seconds : reject(value, what);
});
