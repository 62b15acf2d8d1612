/**
 * From the sections of programs, event listeners and FastCGI programs to their processes, with Supervisor's rules about
 * what fits together. Grouping is in groups.ts; dependencies between programs are resolved in dependencies.ts. Pure.
 */
import { reportIdleFailure, reportIdleOptions, reportShellSyntax } from './advice.ts';
import { CommandLineError, splitCommandLine } from './command-line.ts';
import type { Context } from './datatype.ts';
import type { Document, RawOption, RawSection } from './dialect.ts';
import { eventNames } from './events.ts';
import { findListener } from './known-plugins.ts';
import type { LogTarget } from './log-target.ts';
import type { ProcessConfig } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import {
  type EventListenerOptions,
  type FcgiProgramOptions,
  fcgiOptions,
  listenerOptions,
  type ProgramOptions,
  programOptions,
  type SupervisordOptions,
} from './options.ts';
import type { Subject } from './names.ts';
import type { Table } from './option.ts';
import type { Problems } from './problems.ts';
import type { ProcfilePrograms } from './procfile.ts';
import { formatPythonString } from './python-text.ts';
import { USE_SCRIPT } from './relations.ts';
import { chainLookup, findOption, hintAtCut, type Lookup, type SectionReader } from './section-reader.ts';

/** What processes are made from, the same for all of a reading. */
export interface ProgramContext {
  readonly document: Document;
  readonly reader: SectionReader;
  readonly problems: Problems;
  readonly context: Context;
  /** PATH of the supervisor. */
  readonly path: string | undefined;
  readonly isContainer: boolean;
  readonly supervisord: SupervisordOptions;
  /** Further options of the programs of a Procfile. */
  readonly procfile: ProcfilePrograms;
}

/** Reason why a program without a command cannot be started. */
export const EMPTY_COMMAND = 'command is empty';

/** A slip of the finger must not fill the memory: Linux has 32768 pids by default. */
const MOST_PROCESSES = 32_768;

/** Seconds of stop_budget that an unset stopwaitsecs leaves for what comes after a program. */
const BUDGET_REST = 2;

export type ProcessType = ProcessConfig['type'];

/** Section names of each type begin with it. */
export const prefixes: Readonly<Record<ProcessType, string>> = {
  program: 'program:',
  eventlistener: 'eventlistener:',
  'fcgi-program': 'fcgi-program:',
};

/** The options of a program that has a plug-in in Python do what is built in here. */
const STDOUT_PLUGIN = 'supervisor_stdout:event_handler';
const DEFAULT_RESULT_HANDLER = 'supervisor.dispatchers:default_handler';

/** The options that do not depend on the number of a process: they are judged even where there is none. */
const sharedOptions: Table = Object.fromEntries(
  Object.entries(programOptions).filter(([, { scope }]) => scope !== 'process'),
);

/** True if the results of a listener are judged by Python of somebody else, which cannot be loaded. */
export function hasForeignJudge({ result_handler: judge }: Partial<EventListenerOptions>): boolean {
  return judge !== undefined && judge !== DEFAULT_RESULT_HANDLER;
}

/**
 * True if a listener is there for the sake of supervisor-stdout, whose work is built in. A copy has another name; what
 * it is shows in its events: a handler that gets the output of programs, and nothing else, is there to write it.
 */
export function isStdoutPlugin(options: Partial<EventListenerOptions>): boolean {
  const { events = [], result_handler: judge } = options;
  return (
    judge === STDOUT_PLUGIN ||
    (hasForeignJudge(options) && events.length > 0 && events.every((name) => name.startsWith('PROCESS_LOG')))
  );
}

/** Whether a listener is there for the sake of supervisord-dependent-startup, whose work is built in. */
export function isStartupPlugin({ type, argv }: Pick<ProcessConfig, 'type' | 'argv'>): boolean {
  return (
    type === 'eventlistener' && argv.some((word) => /(^|\/)supervisord[-_]dependent[-_]startup(\.py)?$/.test(word))
  );
}

/** Characters that would break namespecs and URLs (Supervisor's rule for names). */
export function findBadCharacter(name: string): string | null {
  return /[ :/]/.exec(name)?.[0] ?? null;
}

/** The x of `[program:x]`; what is wrong with it becomes a problem. */
export function readProgramName(section: RawSection, problems: Problems): string {
  const name = section.name.slice(section.name.indexOf(':') + 1).trim();
  const bad = findBadCharacter(name);
  if (bad !== null) problems.error(section.place, section.name, null, `the name must not contain "${bad}"`);
  if (name === '') problems.error(section.place, section.name, null, 'the name is missing after the colon');
  return name;
}

/**
 * The processes of one section, as members of a group, in the order of their numbers.
 *
 * @param needsSocket - whether a FastCGI program must have one: in a `[group:x]` it need not
 */
export function readProcesses(
  programContext: ProgramContext,
  section: RawSection,
  type: ProcessType,
  group: string,
  needsSocket: boolean,
): ProcessConfig[] {
  const { reader, document, problems } = programContext;
  const program = readProgramName(section, problems);
  const defaults = type === 'eventlistener' ? undefined : document.sections.get('program-default')?.options;
  const lookup = chainLookup(section.options, defaults, document.defaults);
  const subject: Subject = { program, group, number: null, count: 0, environment: new Map() };
  reader.warnUnknown(
    section,
    [programOptions, ...(type === 'eventlistener' ? [listenerOptions] : type === 'fcgi-program' ? [fcgiOptions] : [])],
    pluginOptions(document),
  );
  const { numprocs: wanted, numprocs_start: first } = reader.read(
    section,
    { numprocs: programOptions.numprocs, numprocs_start: programOptions.numprocs_start },
    lookup,
    subject,
  );
  const numprocs = wanted > MOST_PROCESSES ? 1 : wanted;
  if (wanted > MOST_PROCESSES)
    problems.error(
      lookup('numprocs')?.place ?? section.place,
      section.name,
      'numprocs',
      `is above ${MOST_PROCESSES}, more than can be run`,
    );
  const named = withProcessName(programContext, section, lookup, numprocs, programContext.procfile.ports.has(program));
  const special = readSpecial(programContext, section, type, lookup, subject, needsSocket);
  if (numprocs < 1) {
    problems.warn(
      lookup('numprocs')?.place ?? section.place,
      section.name,
      'numprocs',
      'is below 1, so there is no process of this program',
    );
    reader.read(section, sharedOptions, lookup, subject);
  }
  const processes: ProcessConfig[] = [];
  for (let number = first; number < first + numprocs; number++) {
    const own = readEnvironment(programContext, section, lookup, { ...subject, number, count: numprocs }, first);
    const read = reader.read(section, programOptions, named, { ...subject, number, count: numprocs, environment: own });
    const options = {
      ...special,
      ...derive(programContext, section, lookup, type, {
        ...read,
        environment: new Map([...programContext.supervisord.environment, ...own]),
      }),
    };
    const command = lookup('command');
    reportShellSyntax(problems, section.name, lookup, options);
    reportIdleOptions(problems, section, lookup, options);
    reportIdleFailure(problems, section.name, lookup, options);
    if (!options.process_name.isWellFormed())
      problems.error(
        lookup('process_name')?.place ?? section.place,
        section.name,
        'process_name',
        'has bytes that are not UTF-8; a name must be text',
      );
    const proc: ProcessConfig = {
      name: options.process_name,
      group,
      program,
      number,
      type,
      options,
      ...splitCommand(programContext, section, command, options.command),
      dependsOn: [],
      echoed: [],
      place: command === undefined ? section.place : command.place,
    };
    if (type === 'eventlistener') reportListener(programContext, proc, section.name);
    processes.push(proc);
  }
  return processes;
}

/**
 * The lookup with a `process_name` in it. It is not expanded before it is judged: with numprocs it must name the
 * number.
 */
function withProcessName(
  { problems }: ProgramContext,
  section: RawSection,
  lookup: Lookup,
  numprocs: number,
  isProcfile: boolean,
): Lookup {
  const raw = findOption(lookup, 'process_name', programOptions.process_name);
  const value =
    raw?.value ??
    (isProcfile && numprocs > 1 ? '%(program_name)s.%(process_num)d' : programOptions.process_name.default);
  const place = raw?.place ?? section.place;
  const bad = findBadCharacter(value.replace(/%\([^()]*\)/g, ''));
  if (bad !== null) problems.error(place, section.name, 'process_name', `the name must not contain "${bad}"`);
  if (numprocs > 1 && !value.includes('%(process_num)')) {
    problems.error(
      place,
      section.name,
      'process_name',
      'must contain %(process_num) when numprocs is above 1, as process_name=%(program_name)s_%(process_num)02d',
    );
  }
  const option: RawOption = { here: '/', literal: false, ...raw, value, place };
  return (name) => (name === 'process_name' ? option : lookup(name));
}

/** The program's own variables come first: the other options of the process can use them. */
function readEnvironment(
  { reader, procfile: { ports, variables } }: ProgramContext,
  section: RawSection,
  lookup: Lookup,
  subject: Subject,
  first: number,
): ReadonlyMap<string, string> {
  const { environment } = reader.read(section, { environment: programOptions.environment }, lookup, subject);
  const port = ports.get(subject.program);
  return port === undefined
    ? environment
    : new Map([...variables, ['PORT', String(port + (subject.number ?? first) - first)], ...environment]);
}

/** What only listeners and FastCGI programs have. */
function readSpecial(
  programContext: ProgramContext,
  section: RawSection,
  type: ProcessType,
  lookup: Lookup,
  subject: Subject,
  needsSocket: boolean,
): Partial<EventListenerOptions & FcgiProgramOptions> {
  const { reader, problems } = programContext;
  if (type === 'program') return {};
  if (type === 'fcgi-program') {
    // compat: the members of a [group:x] need no socket in Supervisor.
    const options = reader.read(section, fcgiOptions, lookup, subject, needsSocket ? [] : ['socket']);
    for (const name of ['socket_owner', 'socket_mode'] as const) {
      if (options.socket.kind === 'tcp' && options[name] !== null)
        problems.error(
          lookup(name)?.place ?? section.place,
          section.name,
          name,
          'is for unix sockets only; remove it, or use a socket as unix:///path',
        );
    }
    return options;
  }
  const options = reader.read(section, listenerOptions, lookup, subject);
  const events = options.events.map((name) => name.toUpperCase());
  const place = lookup('events')?.place ?? section.place;
  if (lookup('events') !== undefined && events.length === 0)
    problems.error(place, section.name, 'events', 'is empty; name the events, as events=PROCESS_STATE');
  for (const name of events) {
    if (!eventNames.some((known) => known === name))
      problems.error(
        place,
        section.name,
        'events',
        `there is no event named "${name}"${formatSuggestion(name, eventNames)}`,
      );
  }
  const listener = { ...options, events };
  const warning = explainForeignJudge(listener);
  if (warning !== null)
    problems.warn(lookup('result_handler')?.place ?? section.place, section.name, 'result_handler', warning);
  return listener;
}

/** Treatment of a `result_handler` in Python; null for the default one. */
function explainForeignJudge(options: Pick<EventListenerOptions, 'events' | 'result_handler'>): string | null {
  const { result_handler: judge } = options;
  const builtIn =
    'built in: the output is written with the name of the program before each line, and this listener is not started';
  if (judge === STDOUT_PLUGIN) return `what supervisor_stdout does is ${builtIn}`;
  if (isStdoutPlugin(options)) {
    return `"${judge}" is Python and cannot be loaded; with these events it does what supervisor_stdout does, which is ${builtIn}; to start it, remove result_handler`;
  }
  return hasForeignJudge(options)
    ? `"${judge}" is Python and cannot be loaded; every result but FAIL is accepted`
    : null;
}

/** Options that plug-ins of this configuration read from the sections of programs. */
function pluginOptions(document: Document): string[] {
  const listeners = [...document.sections.values()].filter(({ name }) => name.startsWith(prefixes.eventlistener));
  return listeners.flatMap(
    ({ options }) => findListener((options.get('command')?.value ?? '').split(/\s+/))?.options ?? [],
  );
}

/**
 * Names what is built in, where a listener is a known plug-in that is not installed. Where it is, it runs, and there is
 * nothing to say.
 */
function reportListener(
  { problems, context: { host }, path }: ProgramContext,
  { argv, options, place }: ProcessConfig,
  section: string,
): void {
  const plugin = findListener(argv);
  const [command = ''] = argv;
  if (plugin === undefined) return;
  const folders = (options.environment.get('PATH') ?? path ?? '').split(':');
  const candidates = command.includes('/') ? [command] : folders.map((folder) => `${folder}/${command}`);
  if (host !== null && candidates.some((file) => host.isFile(file))) return;
  const isMissing = host === null ? `"${plugin.name}" needs Python` : `"${command}" is not there`;
  problems.warn(place, section, 'command', `${isMissing}; ${plugin.instead}`);
}

/** Values that depend on others, and what must not come together. */
function derive(
  programContext: ProgramContext,
  section: RawSection,
  lookup: Lookup,
  type: ProcessType,
  read: ProgramOptions,
): ProgramOptions {
  const { problems, supervisord, isContainer } = programContext;
  const placeOf = (name: string): RawOption['place'] => lookup(name)?.place ?? section.place;
  const killasgroup = lookup('killasgroup') === undefined ? read.stopasgroup : read.killasgroup;
  if (read.stopasgroup && !killasgroup)
    problems.error(
      placeOf('killasgroup'),
      section.name,
      'killasgroup',
      'cannot be false while stopasgroup is true; remove it',
    );
  if (type === 'eventlistener' && read.redirect_stderr)
    problems.error(
      placeOf('redirect_stderr'),
      section.name,
      'redirect_stderr',
      'cannot be true for an event listener: its standard output carries the protocol',
    );
  if (read.notify !== null && read.notification_fd !== null)
    problems.error(
      placeOf('notification_fd'),
      section.name,
      'notification_fd',
      'cannot be set together with notify: it says readiness in one way; remove one of the two',
    );
  if (read.notify === null && (read.watchdog_sec ?? 0) > 0)
    problems.error(
      placeOf('watchdog_sec'),
      section.name,
      'watchdog_sec',
      'needs notify=sd, by which the program says WATCHDOG=1; add it, or use healthcheck',
    );
  const stdout = readStream(programContext, section, lookup, 'stdout', read);
  const stderr = readStream(programContext, section, lookup, 'stderr', read);
  // The standard output of a listener is a protocol and nothing for people.
  const isProtocol = type === 'eventlistener' && isContainer && lookup('stdout_logfile') === undefined;
  const hasErrorFile = stderr.targets.some(({ kind }) => kind === 'file' || kind === 'stdio');
  if (read.redirect_stderr && hasErrorFile)
    problems.warn(
      placeOf('stderr_logfile'),
      section.name,
      'stderr_logfile',
      'is ignored, because redirect_stderr is true',
    );
  const none: readonly LogTarget[] = [{ kind: 'none' }];
  return {
    ...read,
    killasgroup,
    stopwaitsecs:
      lookup('stopwaitsecs') === undefined ? defaultStopWait(supervisord, read.stopwaitsecs) : read.stopwaitsecs,
    serverurl: read.serverurl?.trim().toUpperCase() === 'AUTO' ? null : read.serverurl,
    stdout_logfile: isProtocol ? none : stdout.targets,
    stdout_syslog: stdout.syslog,
    stderr_logfile: read.redirect_stderr ? none : stderr.targets,
    stderr_syslog: stderr.syslog,
    // A schedule starts it; coming up with the supervisor as well must be asked for.
    autostart: lookup('autostart') === undefined && read.cron !== null ? false : read.autostart,
    kill_orphans:
      lookup('kill_orphans') === undefined && (read.stopasgroup || killasgroup) ? 'stop' : read.kill_orphans,
    log_format: read.log_format ?? supervisord.log_format,
    log_prefix: read.log_prefix ?? supervisord.log_prefix,
    log_timestamp: read.log_timestamp ?? supervisord.log_timestamp,
    log_json_lines: read.log_json_lines ?? supervisord.log_json_lines,
    log_partial_after: read.log_partial_after ?? supervisord.log_partial_after,
    rotate_interval: read.rotate_interval ?? supervisord.rotate_interval,
    compress: read.compress ?? supervisord.compress,
    success_exit_codes: [...new Set([...read.success_exit_codes, ...supervisord.success_exit_codes])],
  };
}

/** The budget for the end says how much time there is; without one it is the default of the option. */
function defaultStopWait({ stop_budget: budget }: SupervisordOptions, fallback: number): number {
  return budget === null ? fallback : Math.max(1, Math.floor(budget - BUDGET_REST));
}

/** compat: the log file name `syslog` means NONE with `stdout_syslog=true`. */
function readStream(
  { problems }: ProgramContext,
  section: RawSection,
  lookup: Lookup,
  stream: 'stdout' | 'stderr',
  read: ProgramOptions,
): { targets: readonly LogTarget[]; syslog: boolean } {
  const targets = read[`${stream}_logfile`];
  const name = `${stream}_logfile`;
  const place = lookup(name)?.place ?? section.place;
  if (targets.length === 1 && targets[0]?.kind === 'syslog') {
    problems.warn(place, section.name, name, `syslog as a file name is deprecated; use ${stream}_syslog=true`);
    return { targets: [{ kind: 'none' }], syslog: true };
  }
  if (targets.some(({ kind }) => kind === 'auto') && read[`${stream}_logfile_maxbytes`] === 0) {
    problems.warn(
      lookup(`${name}_maxbytes`)?.place ?? place,
      section.name,
      `${name}_maxbytes`,
      'an automatic log that is never rotated can fill the disk; set a size, or a log file of your own',
    );
  }
  return { targets, syslog: read[`${stream}_syslog`] };
}

/** compat: a command line that cannot be split is found out at its start, not here; a warning says so already. */
function splitCommand(
  { problems }: ProgramContext,
  section: RawSection,
  raw: RawOption | undefined,
  command: string,
): Pick<ProcessConfig, 'argv' | 'commandError'> {
  try {
    const argv = splitCommandLine(command);
    if (argv.length === 0 && raw !== undefined)
      problems.warn(raw.place, section.name, 'command', 'is empty, so the program cannot be started');
    return { argv, commandError: argv.length === 0 ? EMPTY_COMMAND : null };
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    const hint = raw === undefined ? '' : hintAtCut(raw, USE_SCRIPT);
    problems.warn(
      raw?.place ?? section.place,
      section.name,
      'command',
      `cannot be split into words, so the program cannot be started: ${error.message}${hint}`,
    );
    return { argv: [], commandError: `can't parse command ${formatPythonString(command)}: ${error.message}` };
  }
}
