/**
 * The effective configuration, for `check`: as JSON by option names, and as text in the form of the file. Pure;
 * passwords are never shown.
 */
import { HIDDEN } from '../core/hide-secrets.ts';
import type { Json } from './datatype.ts';
import { compareText } from './glob.ts';
import type { Config, GroupConfig, Problem, ProcessConfig, Reading } from './model.ts';
import { defaultOf, type Option, type Table } from './option.ts';
import {
  apiUserOptions,
  dashboardOptions,
  fcgiOptions,
  inetServerOptions,
  listenerOptions,
  notifyOptions,
  programOptions,
  supervisordOptions,
  unixServerOptions,
} from './options.ts';
import { formatProblem, isNote } from './problems.ts';
import { EMPTY_COMMAND } from './start-command.ts';

type Shown = { [name: string]: Json };

function show(option: Option<unknown>, value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (option.isSecret) return HIDDEN;
  return option.type.show === undefined ? (value as Json) : option.type.show(value);
}

/** Returns the values of a table by option name, as JSON. */
function showValues(table: Table, values: Readonly<Record<string, unknown>>): Shown {
  return Object.fromEntries(Object.entries(table).map(([name, option]) => [name, show(option, values[name])]));
}

/** Options that only one type of process has. */
const OWN_OPTIONS: Readonly<Record<ProcessConfig['type'], Table>> = {
  program: {},
  eventlistener: listenerOptions,
  'fcgi-program': fcgiOptions,
};

function tablesOf({ type }: ProcessConfig): Table {
  return {
    ...programOptions,
    ...OWN_OPTIONS[type],
  };
}

function showProcess(proc: ProcessConfig): Shown {
  const { name, group, program, type, options, commandError } = proc;
  // An empty command has no words. The words of a command that cannot be split are unknown.
  const argv = commandError === null || commandError === EMPTY_COMMAND ? proc.argv : null;
  return { ...showValues(tablesOf(proc), options), group, name, program, type, argv };
}

const showProblem = ({ file, line, section, option, reason }: Problem): Shown => ({
  file,
  line,
  section,
  option,
  reason,
});

/** Replaces bytes that are not UTF-8 (files/bytes.ts) by U+FFFD: JSON is text. */
function toText(value: Json): Json {
  if (typeof value === 'string') return value.toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  if (isList(value)) return value.map(toText);
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name.toWellFormed(), toText(member)]));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

/** Returns the outcome of a reading as one JSON object (`check --json`). */
export function describeReading(reading: Reading): Json {
  return toText(describe(reading));
}

function describe(reading: Reading): Json {
  const { config } = reading;
  const problems = { errors: reading.errors.map(showProblem), warnings: reading.warnings.map(showProblem) };
  if (config === null) return { ok: false, ...problems };
  const groups = everyGroup(config);
  return {
    ok: true,
    ...problems,
    file: config.file,
    included: config.included,
    supervisord: showValues(supervisordOptions, config.supervisord),
    unix_http_servers: config.unixServers.map((server) => showValues(unixServerOptions, server)),
    inet_http_servers: config.inetServers.map((server) => showValues(inetServerOptions, server)),
    api_users: config.apiUsers.map(({ name, options }) => ({ name, ...showValues(apiUserOptions, options) })),
    groups: groups.map(({ name, priority }) => ({ name, priority })),
    notifications: config.notifications.map(({ name, options }) => ({ name, ...showValues(notifyOptions, options) })),
    dashboard: showValues(dashboardOptions, config.dashboard),
    programs: groups.flatMap(({ processes }) => processes.map(showProcess)),
  };
}

/** Returns all groups of the file, with those that are set aside. Of two with one name, the running group is first. */
function everyGroup(config: Config): GroupConfig[] {
  return [...config.groups, ...config.setAside].sort((a, b) => a.priority - b.priority || compareText(a.name, b.name));
}

/**
 * Formats the problems of a reading, one on each line: `FILE:LINE: [section] option: reason`. The reason of a warning
 * begins with `warning:`, unless it is a note.
 */
export function formatProblems(reading: Reading): string {
  const warnings = reading.warnings.map((problem) => ({
    ...problem,
    reason: isNote(problem.reason) ? problem.reason : `warning: ${problem.reason}`,
  }));
  return [...reading.errors, ...warnings].map((problem) => `${formatProblem(problem)}\n`).join('');
}

/** Formats a configuration in the form of its file, with only the options that are not at their default. */
export function formatConfig(config: Config, isContainer: boolean): string {
  const format = (title: string, table: Table, values: Values, inherited: Values = {}): string => {
    // A FastCGI program of a [group:x] may have no socket.
    const isUsual = (name: string, option: Option<unknown>): boolean =>
      values[name] === undefined ||
      isDefault(option, values[name], isContainer) ||
      isInherited(option, values[name], inherited[name]);
    const lines = Object.entries(table)
      .filter(([name, option]) => !PER_PROCESS.includes(name) && !isUsual(name, option))
      .map(([name, option]) => `${name}=${formatValue(option, show(option, values[name]))}`);
    return [`[${title}]`, ...lines, ''].join('\n');
  };
  const sections = [
    format('supervisord', supervisordOptions, config.supervisord),
    ...config.unixServers.map((server) => format('unix_http_server', unixServerOptions, server)),
    ...config.inetServers.map((server) => format('inet_http_server', inetServerOptions, server)),
    ...config.groups
      .flatMap(({ processes }) => processes)
      .map((proc) => format(titleOf(proc), tablesOf(proc), proc.options, config.supervisord)),
    ...config.apiUsers.map(({ name, options }) => format(`api_user:${name}`, apiUserOptions, options)),
    ...config.notifications.map(({ name, options }) => format(`notify:${name}`, notifyOptions, options)),
    // A section with defaults only is left out.
    ...[format('dashboard', dashboardOptions, config.dashboard)].filter((text) => text.includes('=')),
  ];
  const head = `; ${config.file ?? 'no file'}: values in effect, without options at their default`;
  return `${head}\n\n${sections.join('\n')}`;
}

type Values = Readonly<Record<string, unknown>>;

/** Options that say which processes exist. They have no meaning for a single process. */
const PER_PROCESS: readonly string[] = ['process_name', 'numprocs', 'numprocs_start'];

function titleOf({ type, group, name }: ProcessConfig): string {
  return `${type}:${group === name ? name : `${group}:${name}`}`;
}

function isSame(option: Option<unknown>, a: unknown, b: unknown): boolean {
  return JSON.stringify(show(option, a)) === JSON.stringify(show(option, b));
}

function isDefault(option: Option<unknown>, value: unknown, isContainer: boolean): boolean {
  return isSame(option, value, defaultOf(option, isContainer));
}

/** True for the value of [supervisord], which replaces a missing value of a program. */
function isInherited(option: Option<unknown>, value: unknown, inherited: unknown): boolean {
  return option.default === null && isSame(option, value, inherited ?? null);
}

function formatValue(option: Option<unknown>, value: Json): string {
  if (value === null) return 'NONE';
  if (typeof value === 'number')
    return option.type.name === 'octal' ? value.toString(8).padStart(3, '0') : String(value);
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'object')
    return Object.entries(value)
      .map(([name, text]) => `${name}=${quoteValue(text)}`)
      .join(',');
  return String(value).replaceAll('\n', '\n  ');
}

/** Formats a value of `environment` in quotes, as in the file. */
function quoteValue(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.includes('"') ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
