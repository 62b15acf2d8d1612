/**
 * Reads a whole configuration: finds the file, adds includes, Procfile, text and environment, flags on top, and makes a
 * Config or a list of errors. Owns the order in which things come; what they mean is in the files it calls. All that is
 * outside comes through the Source.
 */
import { posix } from 'node:path';
import { joinCommandLine } from './command-line.ts';
import type { Context } from './datatype.ts';
import { absolutePath } from './datatypes.ts';
import { listNames, findProcesses, resolveDependencies } from './dependencies.ts';
import { type Document, emptyDocument, ensureSection } from './dialect.ts';
import { addEnvironment, readSwitch } from './environment.ts';
import { addFile, addInlineText, findFile, type ReadSettings, readInto } from './find-files.ts';
import type { Flags } from './flags.ts';
import { readGroups } from './groups.ts';
import type { Config, GroupConfig, SourceLocation, ProcessConfig, Reading } from './model.ts';
import { NameSpace } from './names.ts';
import { formatSuggestion } from './nearest.ts';
import {
  fcgiOptions,
  includeOptions,
  programOptions,
  sectionKinds,
  supervisordOptions,
  type SupervisordOptions,
} from './options.ts';
import { Problems } from './problems.ts';
import { addProcfile } from './procfile.ts';
import { chainLookup, SectionReader } from './section-reader.ts';
import { readCtlOptions, readCtlPlugins, readInetServers, readRpcInterfaces, readUnixServers } from './servers.ts';
import type { Source } from './source.ts';
import { endTimesOf } from './stop-budget.ts';

/** Name of the program that a command line after `--` makes. */
const MAIN = 'main';

/** Reads a configuration. Never throws for what is in it: all that is wrong is in the outcome. */
export function readConfig(source: Source, settings: ReadSettings): Reading {
  const problems = new Problems();
  const document = emptyDocument();
  const { env } = source;
  const { flags } = settings;
  const file = findFile(source, settings, problems);
  const here = file === null ? source.cwd : posix.dirname(file);
  const included = file === null ? [] : addFile(document, file, source, settings, problems);
  const procfile = addProcfile(document, here, source, problems);
  included.push(...addInlineText(document, here, source, settings, problems));
  addEnvironment(document, env, here, problems);
  addFlags(document, flags);
  checkSwitches(env, problems);
  const context: Context = {
    cwd: source.cwd,
    home: env.HOME ?? null,
    host: settings.isStatic
      ? null
      : { users: source.users, isDirectory: (path) => source.isDirectory(path), isFile: (path) => source.isFile(path) },
  };
  const names = new NameSpace(env, source.hostname, document.sections.has('include'));
  const reader = new SectionReader(problems, context, settings.isContainer, names);
  warnUnknownSections(document, problems);
  warnUnknownDefaults(document, reader);

  const supervisord = readSupervisord(document, reader, source);
  names.add(supervisord.environment);
  const rpcInterfaces = readRpcInterfaces(document, reader, problems);
  const programContext = {
    document,
    reader,
    problems,
    context,
    path: env.PATH,
    isContainer: settings.isContainer,
    supervisord,
    procfile,
  };
  const { groups, setAside } = readGroups(programContext);
  const main = flags.command === null ? null : MAIN;
  const placeOf = (section: string, option: string): SourceLocation | undefined =>
    chainLookup(document.sections.get(section)?.options, document.sections.get('program-default')?.options)(option)
      ?.place;
  const resolved = chooseAutostart(resolveDependencies(groups, problems, placeOf), main, env, problems);
  checkForwards(supervisord, resolved, placeOf('supervisord', 'forward_signals'), problems);
  const ends = endTimesOf({ isContainer: settings.isContainer, supervisord, groups: resolved, main, placeOf });
  const servers = {
    inetServers: readInetServers(document, reader, problems),
    unixServers: readUnixServers(document, reader, problems),
  };
  const { ctl, ctlPlugins } = readCtl(document, context, names, problems);

  problems.tidy();
  problems.sort();
  if (problems.errors.length > 0) return { config: null, errors: problems.errors, warnings: problems.warnings };
  const config: Config = {
    supervisord,
    groups: resolved,
    setAside,
    main,
    ...ends,
    ...servers,
    ctl,
    rpcInterfaces,
    ctlPlugins,
    file,
    included,
  };
  return { config, errors: [], warnings: problems.warnings };
}

/** The part of a configuration that is meant for the client. */
export interface CtlReading extends Pick<Config, 'ctl' | 'ctlPlugins' | 'file'>, Pick<Reading, 'errors' | 'warnings'> {
  /** True if the file names `serverurl`: the value cannot tell a default from the same text in the file. */
  readonly isUrlWritten: boolean;
}

/**
 * Options of `[supervisorctl]` alone, for the client: from the file that the supervisor would read, without its
 * includes. Warnings about other sections and about plug-ins in Python come from the supervisor, once, not from every
 * command.
 */
export function readCtlConfig(source: Source, settings: ReadSettings): CtlReading {
  const problems = new Problems();
  const document = emptyDocument();
  const file = findFile(source, settings, null);
  if (file !== null) readInto(document, file, source, problems, null);
  const context: Context = { cwd: source.cwd, home: source.env.HOME ?? null, host: null };
  const names = new NameSpace(source.env, source.hostname, false);
  const reader = new SectionReader(problems, context, settings.isContainer, names);
  const ctl = readCtlOptions(document, reader);
  const written = [document.defaults, document.sections.get('supervisorctl')?.options];
  return {
    ctl: ctl === null ? null : tidyCtl(ctl, context),
    isUrlWritten: written.some((options) => options?.has('serverurl') === true),
    ctlPlugins: readCtlPlugins(document, reader, problems),
    file,
    errors: problems.errors,
    warnings: problems.warnings.filter(({ section }) => section === 'supervisorctl'),
  };
}

/**
 * The servers of the configuration that another supervisor runs with, and its file, for a client that looks for them.
 * What is wrong elsewhere in it does not matter: a file that was edited since still tells where the supervisor is.
 */
export function readServerConfig(
  source: Source,
  settings: ReadSettings,
): Pick<Config, 'unixServers' | 'inetServers' | 'file'> {
  const problems = new Problems();
  const document = emptyDocument();
  const file = findFile(source, settings, null);
  const here = file === null ? source.cwd : posix.dirname(file);
  if (file !== null) addFile(document, file, source, settings, problems);
  addInlineText(document, here, source, settings, problems);
  addEnvironment(document, source.env, here, problems);
  const context: Context = { cwd: source.cwd, home: source.env.HOME ?? null, host: null };
  const reader = new SectionReader(
    problems,
    context,
    settings.isContainer,
    new NameSpace(source.env, source.hostname, false),
  );
  const unixServers = readUnixServers(document, reader, problems).filter((server) => server.file !== '');
  const inetServers = readInetServers(document, reader, problems).filter((server) => server.port.port !== 0);
  return { unixServers, inetServers, file };
}

function checkSwitches(env: Source['env'], problems: Problems): void {
  const name = 'ONEVISOR_CONTAINER';
  const value = env[name] ?? '';
  if (value !== '' && readSwitch(env, name) === null)
    problems.error({ file: name, line: 0 }, '', null, `"${value}" is not 1 or 0`);
}

/** Flags become options of `[supervisord]`; a command line becomes the program `main`. */
function addFlags(document: Document, flags: Flags): void {
  for (const [option, { flag, value }] of flags.overrides) {
    const place = { file: flag, line: 0 };
    ensureSection(document, 'supervisord', place).options.set(option, { value, place, here: '/', literal: true });
  }
  if (flags.command === null) return;
  const place = { file: '--', line: 0 };
  const { options } = ensureSection(document, `program:${MAIN}`, place);
  const own = { command: joinCommandLine(flags.command) };
  // What is set for the program `main` elsewhere stands; these are its defaults.
  const defaults = {
    autorestart: 'false',
    startsecs: '0',
    startretries: '0',
    exit_on_end: 'true',
    stdout_logfile: '/dev/stdout',
    stderr_logfile: '/dev/stderr',
  };
  for (const [name, value] of Object.entries({ ...own, ...defaults }))
    if (name in own || !options.has(name)) options.set(name, { value, place, here: '/', literal: true });
  // As tini and dumb-init: what a command says is not mixed with news of a supervisor.
  const supervisord = ensureSection(document, 'supervisord', place).options;
  if (!supervisord.has('loglevel')) supervisord.set('loglevel', { value: 'warn', place, here: '/', literal: true });
}

function warnUnknownSections(document: Document, problems: Problems): void {
  for (const { name, place } of document.sections.values()) {
    const isKnown = sectionKinds.some(({ start }) =>
      start.endsWith(':')
        ? name.startsWith(start)
        : name === start || (start.endsWith('_http_server') && name.startsWith(start)),
    );
    const colon = name.indexOf(':');
    const starts = sectionKinds.map(({ start }) =>
      start.endsWith(':') ? start + (colon === -1 ? 'x' : name.slice(colon + 1)) : start,
    );
    if (!isKnown)
      problems.warn(place, name, null, `there is no such section, it is ignored${formatSuggestion(name, starts)}`);
  }
}

/**
 * The options of sections that are not read by themselves. What a `[fcgi-program:x]` does not have it takes from
 * `[program-default]` as well.
 */
function warnUnknownDefaults(document: Document, reader: SectionReader): void {
  for (const [name, tables] of [
    ['include', [includeOptions]],
    ['program-default', [programOptions, fcgiOptions]],
  ] as const) {
    const section = document.sections.get(name);
    if (section !== undefined) reader.warnUnknown(section, tables);
  }
}

function readSupervisord(document: Document, reader: SectionReader, source: Source): SupervisordOptions {
  const section = ensureSection(document, 'supervisord', { file: '', line: 0 });
  reader.warnUnknown(section, [supervisordOptions]);
  const lookup = chainLookup(section.options, document.defaults);
  const options = reader.read(section, supervisordOptions, lookup, null);
  const variables = lookup('environment');
  if (variables?.value.includes('%%%%') === true)
    reader.warn(
      variables.place,
      section.name,
      'environment',
      'a percent sign is written %% here too, as in Supervisor 4.4, and %%%% makes two',
    );
  const temporary = source.env.TMPDIR ?? source.env.TEMP ?? source.env.TMP;
  const childlogdir =
    lookup('childlogdir') === undefined && temporary !== undefined && source.isDirectory(temporary)
      ? temporary
      : options.childlogdir;
  // The defaults are names in the working directory of now; a daemon leaves it.
  const logfile = options.logfile.map((target) =>
    target.kind === 'file' ? { ...target, path: posix.resolve(source.cwd, target.path) } : target,
  );
  return {
    ...options,
    childlogdir,
    logfile,
    pidfile: options.pidfile === null ? null : posix.resolve(source.cwd, options.pidfile),
  };
}

/**
 * ONEVISOR_ONLY and ONEVISOR_EXCEPT: which programs start by themselves. What ONLY names does, whatever its
 * `autostart`, unless it has a schedule. Listeners are part of the supervisor and go on; so does the main program.
 */
function chooseAutostart(
  groups: readonly GroupConfig[],
  main: string | null,
  env: Source['env'],
  problems: Problems,
): GroupConfig[] {
  const all = groups.flatMap(({ processes }) => processes);
  const select = (variable: 'ONEVISOR_ONLY' | 'ONEVISOR_EXCEPT'): ReadonlySet<ProcessConfig> | null => {
    const text = env[variable];
    if (text === undefined) return null;
    const words = text.split(/[\s,]+/).filter((word) => word !== '');
    return new Set(
      words.flatMap((name) => {
        const found = findProcesses(name, all);
        if (found.length === 0)
          problems.error(
            { file: variable, line: 0 },
            '',
            null,
            `there is no program, group or process named "${name}"${formatSuggestion(name, listNames(all))}`,
          );
        return found;
      }),
    );
  };
  const only = select('ONEVISOR_ONLY');
  const except = select('ONEVISOR_EXCEPT');
  const starts = (proc: ProcessConfig): boolean => {
    const { autostart, cron } = proc.options;
    if (proc.type === 'eventlistener' || proc.group === main) return autostart;
    if (except?.has(proc) === true) return false;
    return only === null ? autostart : only.has(proc) && (autostart || cron === null);
  };
  return groups.map((group) => ({
    ...group,
    processes: group.processes.map((proc) => ({
      ...proc,
      options: { ...proc.options, autostart: starts(proc) },
    })),
  }));
}

function checkForwards(
  { forward_signals: forwards }: SupervisordOptions,
  groups: readonly GroupConfig[],
  place: SourceLocation | undefined,
  problems: Problems,
): void {
  const all = groups.flatMap(({ processes }) => processes);
  for (const { name } of forwards) {
    if (findProcesses(name, all).length === 0)
      problems.error(
        place ?? { file: '', line: 0 },
        'supervisord',
        'forward_signals',
        `there is no program, group or process named "${name}"${formatSuggestion(name, listNames(all))}`,
      );
  }
}

/** compat: Supervisor does not look at what is for its client only, so what is wrong there is a warning. */
function readCtl(
  document: Document,
  context: Context,
  names: NameSpace,
  problems: Problems,
): Pick<Config, 'ctl' | 'ctlPlugins'> {
  const own = new Problems();
  const reader = new SectionReader(own, context, false, names);
  const ctl = readCtlOptions(document, reader);
  const ctlPlugins = readCtlPlugins(document, reader, own);
  for (const problem of [...own.errors, ...own.warnings])
    problems.warn(problem, problem.section, problem.option, problem.reason);
  return { ctl: ctl === null ? null : tidyCtl(ctl, context), ctlPlugins };
}

/** Paths of `[supervisorctl]` are made absolute. */
function tidyCtl(ctl: NonNullable<Config['ctl']>, context: Context): NonNullable<Config['ctl']> {
  const start = 'unix://';
  const serverurl = ctl.serverurl.startsWith(start)
    ? start + absolutePath(ctl.serverurl.slice(start.length), context)
    : ctl.serverurl;
  return {
    ...ctl,
    serverurl,
    history_file: ctl.history_file === null || ctl.history_file === '' ? null : absolutePath(ctl.history_file, context),
  };
}
