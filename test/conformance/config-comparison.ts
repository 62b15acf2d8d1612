/** Configurations as we read them, in the form in which config-oracle.py shows Supervisor's reading, and comparison. */
import { hostname } from 'node:os';
import { describeReading } from '../../src/config/effective.ts';
import { noFlags } from '../../src/config/flags.ts';
import type { Config, GroupConfig } from '../../src/config/model.ts';
import { readConfig } from '../../src/config/read.ts';
import type { Source } from '../../src/config/source.ts';
import { formatSocketAddress } from '../../src/core/socket-address.ts';

/** Variables of a reading. */
export const ENV = { HOME: '/root', PATH: '/usr/bin:/bin', SHELL: '/bin/sh', USER: 'app', HOSTNAME: 'host' };

export type Outcome = Readonly<Record<string, unknown>>;
type Rows = Readonly<Record<string, Outcome>>;

/** Lists the differences. Only members of `expected` are compared, except in lists and environments. */
export function compareValues(expected: unknown, actual: unknown, path: string): string[] {
  if (
    typeof expected === 'object' &&
    typeof actual === 'object' &&
    expected !== null &&
    actual !== null &&
    Array.isArray(expected) === Array.isArray(actual)
  ) {
    const all = Array.isArray(expected) || path.endsWith('environment') || path === '';
    const keys = new Set([...Object.keys(expected), ...(all ? Object.keys(actual) : [])]);
    return [...keys].flatMap((key) =>
      compareValues((expected as Outcome)[key], (actual as Outcome)[key], `${path}.${key}`),
    );
  }
  return expected === actual ? [] : [`${path}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
}

/** Lists the differences of two configurations. */
export function compareConfigs(expected: Outcome, actual: Outcome): string[] {
  const byName = (list: unknown): Rows =>
    Object.fromEntries(
      (list as Outcome[]).map((row) => [
        row.group === undefined ? String(row.name) : `${JSON.stringify(row.group)}:${String(row.name)}`,
        row,
      ]),
    );
  const rows = (['groups', 'programs'] as const).flatMap((part) => {
    const [want, have] = [byName(expected[part]), byName(actual[part])];
    return [...new Set([...Object.keys(want), ...Object.keys(have)])].flatMap((key) =>
      compareValues(want[key], have[key], `${part} ${key}`),
    );
  });
  const lists = (['order', 'servers', 'interfaces'] as const)
    .filter((part) => expected[part] !== undefined)
    .flatMap((part) => compareValues(expected[part], actual[part], part));
  return [...compareValues(expected.supervisord, actual.supervisord, 'supervisord'), ...rows, ...lists];
}

/** Reads a configuration, and describes the reading as config-oracle.py does. */
export function readWith(source: Source, file: string, isStatic: boolean): Outcome {
  const reading = readConfig(source, {
    isContainer: false,
    isStatic,
    flags: { ...noFlags, file },
    executable: '/usr/bin/onevisor',
  });
  const shown = describeReading(reading) as Outcome;
  const whole = reading.config === null ? shown : { ...shown, ...describeParts(reading.config) };
  return JSON.parse(JSON.stringify(whole)) as Outcome;
}

/** Returns what config-oracle.py shows in other words than `check --json`. */
function describeParts({ groups, setAside, inetServers, unixServers, rpcInterfaces }: Config): Outcome {
  const all = [...groups, ...setAside].sort((a, b) => a.priority - b.priority || (a.name < b.name ? -1 : 1));
  const firsts = all.filter(({ name }, index) => all.findIndex((other) => other.name === name) === index);
  return {
    groups: all.map(describeGroup),
    order: firsts.map(({ name, processes }) => ({ name, processes: processes.map((proc) => proc.name) })),
    servers: [
      ...inetServers.map(({ port: { host, port }, username, password }) => ({ host, port, username, password })),
      ...unixServers.map(({ file, chmod, username, password }) => ({ file, chmod, username, password })),
    ],
    interfaces: rpcInterfaces.map(({ name, factory, options }) => ({
      name,
      factory,
      options: Object.fromEntries(options),
    })),
  };
}

/** Mode of a FastCGI socket for which none is set. */
const SOCKET_MODE = 0o700;

function describeGroup({ name, priority, type, processes: [first] }: GroupConfig): Outcome {
  const {
    events = [],
    buffer_size,
    result_handler,
    socket,
    socket_backlog: backlog,
    socket_mode,
  } = first?.options ?? {};
  if (type === 'eventlistener')
    return { name, priority, listener: { buffer_size, result_handler, events: [...new Set(events)].sort() } };
  if (type !== 'fcgi-program' || socket === undefined) return { name, priority };
  const mode = socket.kind === 'tcp' ? null : (socket_mode ?? SOCKET_MODE);
  return { name, priority, socket: { url: formatSocketAddress(socket), backlog, mode } };
}

/** A configuration as text. */
export interface Texts {
  readonly text: string;
  /** Files in the same directory, by their names. */
  readonly files: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  /** True: no include is read. */
  readonly isStatic: boolean;
}

/** Directory of the file, as deep as that of config-oracle.py. A host name is turned into lower case. */
const HERE = '/tmp/@here@';

/** Reads texts as config-oracle.py reads them: no user or directory is looked up. */
export function readTexts({ text, files, env, isStatic }: Texts): Outcome {
  const all = new Map(
    Object.entries({ 'supervisord.conf': text, ...files }).map(([name, one]) => [`${HERE}/${name}`, one]),
  );
  const namesIn = (path: string): string[] => {
    const start = path.endsWith('/') ? path : `${path}/`;
    const below = [...all.keys()].filter((name) => name.startsWith(start));
    return [...new Set(below.map((name) => name.slice(start.length).split('/')[0] ?? ''))];
  };
  const source: Source = {
    env,
    cwd: HERE,
    hostname: hostname(),
    users: null,
    read: (path) => {
      const found = all.get(path);
      return found === undefined ? { ok: false, code: 'ENOENT', reason: 'no such file' } : { ok: true, text: found };
    },
    isFile: (path) => all.has(path),
    isDirectory: (path) => namesIn(path).length > 0,
    list: namesIn,
    // Directories that options name count as existing.
    mayHang: () => true,
  };
  const outcome = readWith(source, `${HERE}/supervisord.conf`, isStatic);
  return JSON.parse(JSON.stringify(outcome).replaceAll(HERE, '@HERE@')) as Outcome;
}
