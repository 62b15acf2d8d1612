/**
 * Reads a whole configuration: finds the file, adds includes, Procfile, text and environment, flags on top, and makes a Config or a list of errors.
 * Owns the order in which things come; what they mean is in the files it calls. All that is outside comes through the Source.
 */
import { posix } from 'node:path';
import { joinCommandLine } from './command-line.ts';
import type { Context } from './datatype.ts';
import { absolutePath } from './datatypes.ts';
import { listNames, findProcesses, resolveDependencies } from './dependencies.ts';
import { addDocument, addText, type Document, emptyDocument, ensureSection, type TextProblems } from './dialect.ts';
import { addEnvironment, definesPrograms, readSwitch } from './environment.ts';
import { ExpansionError, expand } from './expand.ts';
import type { Flags } from './flags.ts';
import { findMatches } from './glob.ts';
import { readGroups } from './groups.ts';
import type { Config, GroupConfig, Place, ProcessConfig, Reading } from './model.ts';
import { NameSpace } from './names.ts';
import { formatSuggestion } from './nearest.ts';
import { fcgiOptions, includeOptions, programOptions, sectionKinds, supervisordOptions, type SupervisordOptions } from './options.ts';
import { Problems } from './problems.ts';
import { addProcfile } from './procfile.ts';
import { splitWords } from './python-text.ts';
import { chainLookup, SectionReader } from './section-reader.ts';
import { findTemplateLines } from './template.ts';
import { readCtlOptions, readCtlPlugins, readInetServers, readRpcInterfaces, readUnixServers } from './servers.ts';
import { isForbidden, type Source } from './source.ts';
import { endTimesOf } from './stop-budget.ts';

/** How a configuration is read. */
export interface ReadSettings {
  readonly isContainer: boolean;
  /** No look-up that depends on the host: users, directories, includes. */
  readonly isStatic: boolean;
  readonly flags: Flags;
  /** Path of our executable, beside whose directory Supervisor looks for the file. */
  readonly executable: string;
}

/** Where Supervisor looks for its file, in its order and as it names the places. */
export function searchNames(executable: string): string[] {
  const base = posix.dirname(posix.dirname(executable));
  const candidates = ['etc/supervisord.conf', 'supervisord.conf'].map((name) => posix.join(base, name));
  return [...candidates, 'supervisord.conf', 'etc/supervisord.conf', '/etc/supervisord.conf', '/etc/supervisor/supervisord.conf'];
}

/** The same as absolute paths. */
export function searchPaths(executable: string, cwd: string): string[] {
  return [...new Set(searchNames(executable).map((path) => posix.resolve(cwd, path)))];
}

/**
 * True if there is nothing to read a configuration from: no file is named or found, no variable defines a program, and
 * no command is given.
 */
export function isUnconfigured(source: Source, { flags, executable }: Pick<ReadSettings, 'flags' | 'executable'>): boolean {
  const named = flags.file ?? source.env.ONEVISOR_CONF ?? null;
  const hasFile = named === null ? searchPaths(executable, source.cwd).some((path) => source.isFile(path)) : named !== '';
  return !hasFile && flags.command === null && !definesPrograms(source.env);
}

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
  const context: Context = { cwd: source.cwd, home: env.HOME ?? null, host: settings.isStatic ? null : { users: source.users, isDirectory: (path) => source.isDirectory(path), isFile: (path) => source.isFile(path) } };
  const names = new NameSpace(env, source.hostname, document.sections.has('include'));
  const reader = new SectionReader(problems, context, settings.isContainer, names);
  warnUnknownSections(document, problems);
  warnUnknownDefaults(document, reader);

  const supervisord = readSupervisord(document, reader, source);
  names.add(supervisord.environment);
  const rpcInterfaces = readRpcInterfaces(document, reader, problems);
  const workshop = { document, reader, problems, context, path: env.PATH, isContainer: settings.isContainer, supervisord, procfile };
  const { groups, setAside } = readGroups(workshop);
  const main = flags.command === null ? null : MAIN;
  const placeOf = (section: string, option: string): Place | undefined => chainLookup(document.sections.get(section)?.options, document.sections.get('program-default')?.options)(option)?.place;
  const resolved = chooseAutostart(resolveDependencies(groups, problems, placeOf), main, env, problems);
  checkForwards(supervisord, resolved, placeOf('supervisord', 'forward_signals'), problems);
  const ends = endTimesOf({ isContainer: settings.isContainer, supervisord, groups: resolved, main, placeOf });
  const servers = { inetServers: readInetServers(document, reader, problems), unixServers: readUnixServers(document, reader, problems) };
  const { ctl, ctlPlugins } = readCtl(document, context, names, problems);

  problems.tidy();
  problems.sort();
  if (problems.errors.length > 0) return { config: null, errors: problems.errors, warnings: problems.warnings };
  const config: Config = { supervisord, groups: resolved, setAside, main, ...ends, ...servers, ctl, rpcInterfaces, ctlPlugins, file, included };
  return { config, errors: [], warnings: problems.warnings };
}

/**
 * Options of `[supervisorctl]` alone, for the client: from the file that the supervisor would read, without its includes.
 * Warnings about other sections and about plug-ins in Python come from the supervisor, once, not from every command.
 */
export function readCtlConfig(source: Source, settings: ReadSettings): Pick<Config, 'ctl' | 'ctlPlugins' | 'file'> & Pick<Reading, 'errors' | 'warnings'> {
  const problems = new Problems();
  const document = emptyDocument();
  const file = findFile(source, settings, null);
  if (file !== null) readInto(document, file, source, problems, null);
  const context: Context = { cwd: source.cwd, home: source.env.HOME ?? null, host: null };
  const reader = new SectionReader(problems, context, settings.isContainer, new NameSpace(source.env, source.hostname, false));
  const ctl = readCtlOptions(document, reader);
  return { ctl: ctl === null ? null : tidyCtl(ctl, context), ctlPlugins: readCtlPlugins(document, reader, problems), file, errors: problems.errors, warnings: problems.warnings.filter(({ section }) => section === 'supervisorctl') };
}

/**
 * The servers of the configuration that another supervisor runs with, and its file, for a client that looks for them.
 * What is wrong elsewhere in it does not
 * matter: a file that was edited since still tells where the supervisor is.
 */
export function readServerConfig(source: Source, settings: ReadSettings): Pick<Config, 'unixServers' | 'inetServers' | 'file'> {
  const problems = new Problems();
  const document = emptyDocument();
  const file = findFile(source, settings, null);
  const here = file === null ? source.cwd : posix.dirname(file);
  if (file !== null) addFile(document, file, source, settings, problems);
  addInlineText(document, here, source, settings, problems);
  addEnvironment(document, source.env, here, problems);
  const context: Context = { cwd: source.cwd, home: source.env.HOME ?? null, host: null };
  const reader = new SectionReader(problems, context, settings.isContainer, new NameSpace(source.env, source.hostname, false));
  const unixServers = readUnixServers(document, reader, problems).filter((server) => server.file !== '');
  const inetServers = readInetServers(document, reader, problems).filter((server) => server.port.port !== 0);
  return { unixServers, inetServers, file };
}

/** The file to read; null where there is none, which is a problem unless something else configures us. */
function findFile(source: Source, settings: ReadSettings, problems: Problems | null): string | null {
  const { flags, executable } = settings;
  const named = flags.file ?? source.env.ONEVISOR_CONF ?? null;
  if (named !== null && named !== '') return posix.resolve(source.cwd, named);
  // Set and empty: no file, whatever lies about in the image.
  const paths = named === '' ? [] : searchPaths(executable, source.cwd);
  const found = paths.find((path) => source.isFile(path));
  if (found !== undefined) return found;
  if (isUnconfigured(source, settings)) problems?.error({ file: '-c', line: 0 }, '', null, `${named === '' ? 'there is no configuration' : `no configuration file found at ${paths.join(', ')}`}; name one with -c, or set ONEVISOR_PROGRAM_<NAME>=<command>, or give a command after --`);
  return null;
}

/** Adds the main file and what it includes; returns the latter. */
function addFile(document: Document, file: string, source: Source, { isStatic }: ReadSettings, problems: Problems): string[] {
  if (!readInto(document, file, source, problems, null)) return [];
  const included = addIncludes(document, posix.dirname(file), source, isStatic, problems);
  // compat: included files count.
  if (!document.sections.has('supervisord')) problems.error({ file, line: 0 }, 'supervisord', null, 'the section is missing; add a line [supervisord]');
  return included;
}

/** Reads one file into a document. `from` is what names it; null for the main file. */
function readInto(document: Document, path: string, source: Source, problems: Problems, from: Place | null): boolean {
  const read = source.read(path);
  if (read.ok) {
    problems.markTemplate(path, findTemplateLines(read.text));
    report(addText(document, read.text, path, posix.dirname(path)), problems);
    return true;
  }
  const reason = `cannot read ${path}: ${read.reason}`;
  // compat: an included file that cannot be opened is left out, one that is not UTF-8 is an error.
  if (from === null) problems.error({ file: path, line: 0 }, '', null, reason);
  else if (isForbidden(read.code)) problems.error(from, 'include', 'files', reason);
  else problems.warn(from, 'include', 'files', reason);
  return false;
}

/** `[include] files`; patterns are relative to the file they stand in, and included files cannot include others. */
function addIncludes(document: Document, here: string, source: Source, isStatic: boolean, problems: Problems): string[] {
  const section = document.sections.get('include');
  const raw = section?.options.get('files') ?? document.defaults.get('files');
  if (section === undefined) return [];
  if (raw === undefined) {
    problems.error(section.place, section.name, 'files', `is missing; add it, as files=${String(includeOptions.files.sample)}`);
    return [];
  }
  try {
    const patterns = splitWords(expand(raw.value, new NameSpace(source.env, source.hostname, true).forInclude(here)));
    return (isStatic ? [] : patterns).flatMap((pattern) => {
      const found = findMatches(posix.resolve(here, pattern), source);
      if (found.length === 0) problems.warn(raw.place, section.name, 'files', `no file matches ${posix.resolve(here, pattern)}`);
      return found.filter((path) => readInto(document, path, source, problems, raw.place));
    });
  } catch (error) {
    if (!(error instanceof ExpansionError)) throw error;
    problems.error(raw.place, section.name, 'files', `cannot expand the value: ${error.message}`);
    return [];
  }
}

function report({ errors, warnings }: TextProblems, problems: Problems): void {
  for (const problem of errors) problems.error(problem, problem.section, problem.option, problem.reason);
  for (const problem of warnings) problems.warn(problem, problem.section, problem.option, problem.reason);
}

/** Adds the text of ONEVISOR_CONF_TEXT with its own includes; returns these. */
function addInlineText(document: Document, here: string, source: Source, { isStatic }: ReadSettings, problems: Problems): string[] {
  const { ONEVISOR_CONF_TEXT: text } = source.env;
  if (text === undefined) return [];
  if (!text.isWellFormed()) problems.error({ file: 'ONEVISOR_CONF_TEXT', line: 0 }, '', null, 'it is not UTF-8; a configuration must be');
  const own = emptyDocument();
  report(addText(own, text, 'ONEVISOR_CONF_TEXT', here), problems);
  const included = addIncludes(own, here, source, isStatic, problems);
  addDocument(document, own);
  return included;
}

function checkSwitches(env: Source['env'], problems: Problems): void {
  const name = 'ONEVISOR_CONTAINER';
  const value = env[name] ?? '';
  if (value !== '' && readSwitch(env, name) === null) problems.error({ file: name, line: 0 }, '', null, `"${value}" is not 1 or 0`);
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
  const defaults = { autorestart: 'false', startsecs: '0', startretries: '0', exit_on_end: 'true', stdout_logfile: '/dev/stdout', stderr_logfile: '/dev/stderr' };
  for (const [name, value] of Object.entries({ ...own, ...defaults })) if (name in own || !options.has(name)) options.set(name, { value, place, here: '/', literal: true });
  // As tini and dumb-init: what a command says is not mixed with news of a supervisor.
  const supervisord = ensureSection(document, 'supervisord', place).options;
  if (!supervisord.has('loglevel')) supervisord.set('loglevel', { value: 'warn', place, here: '/', literal: true });
}

function warnUnknownSections(document: Document, problems: Problems): void {
  for (const { name, place } of document.sections.values()) {
    const isKnown = sectionKinds.some(({ start }) => (start.endsWith(':') ? name.startsWith(start) : name === start || (start.endsWith('_http_server') && name.startsWith(start))));
    const colon = name.indexOf(':');
    const starts = sectionKinds.map(({ start }) => (start.endsWith(':') ? start + (colon === -1 ? 'x' : name.slice(colon + 1)) : start));
    if (!isKnown) problems.warn(place, name, null, `there is no such section, it is ignored${formatSuggestion(name, starts)}`);
  }
}

/** The options of sections that are not read by themselves. What a `[fcgi-program:x]` does not have it takes from `[program-default]` as well. */
function warnUnknownDefaults(document: Document, reader: SectionReader): void {
  for (const [name, tables] of [['include', [includeOptions]], ['program-default', [programOptions, fcgiOptions]]] as const) {
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
  if (variables?.value.includes('%%%%') === true) reader.warn(variables.place, section.name, 'environment', 'a percent sign is written %% here too, as in Supervisor 4.4, and %%%% makes two');
  const temporary = source.env.TMPDIR ?? source.env.TEMP ?? source.env.TMP;
  const childlogdir = lookup('childlogdir') === undefined && temporary !== undefined && source.isDirectory(temporary) ? temporary : options.childlogdir;
  // The defaults are names in the working directory of now; a daemon leaves it.
  const logfile = options.logfile.map((target) => (target.kind === 'file' ? { ...target, path: posix.resolve(source.cwd, target.path) } : target));
  return { ...options, childlogdir, logfile, pidfile: options.pidfile === null ? null : posix.resolve(source.cwd, options.pidfile) };
}

/**
 * ONEVISOR_ONLY and ONEVISOR_EXCEPT: which programs start by themselves. What ONLY names does, whatever its `autostart`, unless it has a
 * schedule. Listeners are part of the supervisor and go on; so does the main program.
 */
function chooseAutostart(groups: readonly GroupConfig[], main: string | null, env: Source['env'], problems: Problems): GroupConfig[] {
  const all = groups.flatMap(({ processes }) => processes);
  const select = (variable: 'ONEVISOR_ONLY' | 'ONEVISOR_EXCEPT'): ReadonlySet<ProcessConfig> | null => {
    const text = env[variable];
    if (text === undefined) return null;
    const words = text.split(/[\s,]+/).filter((word) => word !== '');
    return new Set(words.flatMap((name) => {
      const found = findProcesses(name, all);
      if (found.length === 0) problems.error({ file: variable, line: 0 }, '', null, `there is no program, group or process named "${name}"${formatSuggestion(name, listNames(all))}`);
      return found;
    }));
  };
  const only = select('ONEVISOR_ONLY');
  const except = select('ONEVISOR_EXCEPT');
  const starts = (process: ProcessConfig): boolean => {
    const { autostart, cron } = process.options;
    if (process.type === 'eventlistener' || process.group === main) return autostart;
    if (except?.has(process) === true) return false;
    return only === null ? autostart : only.has(process) && (autostart || cron === null);
  };
  return groups.map((group) => ({ ...group, processes: group.processes.map((process) => ({ ...process, options: { ...process.options, autostart: starts(process) } })) }));
}

function checkForwards({ forward_signals: forwards }: SupervisordOptions, groups: readonly GroupConfig[], place: Place | undefined, problems: Problems): void {
  const all = groups.flatMap(({ processes }) => processes);
  for (const { name } of forwards) {
    if (findProcesses(name, all).length === 0) problems.error(place ?? { file: '', line: 0 }, 'supervisord', 'forward_signals', `there is no program, group or process named "${name}"${formatSuggestion(name, listNames(all))}`);
  }
}

/** compat: Supervisor does not look at what is for its client only, so what is wrong there is a warning. */
function readCtl(document: Document, context: Context, names: NameSpace, problems: Problems): Pick<Config, 'ctl' | 'ctlPlugins'> {
  const own = new Problems();
  const reader = new SectionReader(own, context, false, names);
  const ctl = readCtlOptions(document, reader);
  const ctlPlugins = readCtlPlugins(document, reader, own);
  for (const problem of [...own.errors, ...own.warnings]) problems.warn(problem, problem.section, problem.option, problem.reason);
  return { ctl: ctl === null ? null : tidyCtl(ctl, context), ctlPlugins };
}

/** Paths of `[supervisorctl]` are made absolute. */
function tidyCtl(ctl: NonNullable<Config['ctl']>, context: Context): NonNullable<Config['ctl']> {
  const start = 'unix://';
  const serverurl = ctl.serverurl.startsWith(start) ? start + absolutePath(ctl.serverurl.slice(start.length), context) : ctl.serverurl;
  return { ...ctl, serverurl, history_file: ctl.history_file === null || ctl.history_file === '' ? null : absolutePath(ctl.history_file, context) };
}
