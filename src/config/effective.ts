/**
 * The effective configuration, for `check`: as JSON by option names, and as text in the form of the file. Pure;
 * passwords are never shown.
 */
import type { Json } from './datatype.ts';
import { compareText } from './glob.ts';
import type { Config, GroupConfig, Problem, ProcessConfig, Reading } from './model.ts';
import type { Option, Table } from './option.ts';
import {
  fcgiOptions,
  inetServerOptions,
  listenerOptions,
  programOptions,
  supervisordOptions,
  unixServerOptions,
} from './options.ts';
import { formatProblem, isNote } from './problems.ts';
import { EMPTY_COMMAND } from './start-command.ts';

const HIDDEN = '***';

type Shown = { [name: string]: Json };

function show(option: Option<unknown>, value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (option.isSecret) return HIDDEN;
  return option.type.show === undefined ? (value as Json) : option.type.show(value);
}

/** The values of a table by option name, as JSON has them. */
function showValues(table: Table, values: Readonly<Record<string, unknown>>): Shown {
  return Object.fromEntries(Object.entries(table).map(([name, option]) => [name, show(option, values[name])]));
}

function tablesOf({ type }: ProcessConfig): Table {
  return {
    ...programOptions,
    ...(type === 'eventlistener' ? listenerOptions : type === 'fcgi-program' ? fcgiOptions : {}),
  };
}

function showProcess(proc: ProcessConfig): Shown {
  const { name, group, program, type, options, commandError } = proc;
  // A command that is empty has no words, and one that cannot be split has none that are known.
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

/** The outcome of a reading as one JSON object (`check --json`). */
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
    groups: groups.map(({ name, priority }) => ({ name, priority })),
    programs: groups.flatMap(({ processes }) => processes.map(showProcess)),
  };
}

/** Those that are set aside are in the file all the same; where a name is doubled, the one in use comes first. */
function everyGroup(config: Config): GroupConfig[] {
  return [...config.groups, ...config.setAside].sort((a, b) => a.priority - b.priority || compareText(a.name, b.name));
}

/**
 * The problems of a reading, one a line: `FILE:LINE: [section] option: reason`, with `warning:` before the reason of
 * what is none.
 */
export function formatProblems(reading: Reading): string {
  const warnings = reading.warnings.map((problem) => ({
    ...problem,
    reason: isNote(problem.reason) ? problem.reason : `warning: ${problem.reason}`,
  }));
  return [...reading.errors, ...warnings].map((problem) => `${formatProblem(problem)}\n`).join('');
}

/** A configuration in the form of its file, only what is not at its default. */
export function formatConfig(config: Config, isContainer: boolean): string {
  const sections = [
    formatSection('supervisord', supervisordOptions, config.supervisord, isContainer),
    ...config.unixServers.map((server) => formatSection('unix_http_server', unixServerOptions, server, isContainer)),
    ...config.inetServers.map((server) => formatSection('inet_http_server', inetServerOptions, server, isContainer)),
    ...config.groups.flatMap(({ processes }) =>
      processes.map((proc) =>
        formatSection(
          `${proc.type}:${proc.group === proc.name ? proc.name : `${proc.group}:${proc.name}`}`,
          tablesOf(proc),
          proc.options,
          isContainer,
          config.supervisord,
        ),
      ),
    ),
  ];
  return `; ${config.file ?? 'no file'}: what is in effect; options at their default are left out\n\n${sections.join('\n')}`;
}

/** What has done its work once there are processes. */
const PER_PROCESS = ['process_name', 'numprocs', 'numprocs_start'];

/** `inherited`: values of [supervisord] that stand in where a program has none. */
function formatSection(
  title: string,
  table: Table,
  values: Readonly<Record<string, unknown>>,
  isContainer: boolean,
  inherited: Readonly<Record<string, unknown>> = {},
): string {
  const lines = Object.entries(table).flatMap(([name, option]) => {
    const fallback = isContainer && option.containerDefault !== undefined ? option.containerDefault : option.default;
    const shown = show(option, values[name]);
    const usual = [fallback, ...(option.default === null ? [inherited[name] ?? null] : [])];
    const isUsual = usual.some((value) => JSON.stringify(show(option, value)) === JSON.stringify(shown));
    return isUsual || PER_PROCESS.includes(name) ? [] : [`${name}=${formatValue(option, shown)}`];
  });
  return [`[${title}]`, ...lines, ''].join('\n');
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

/** A value of `environment` between quotes, as the file has it. */
function quoteValue(value: Json): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.includes('"') ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
