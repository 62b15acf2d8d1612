/**
 * Reads a whole configuration: loads the file, includes, Procfile, text, environment and flags into one document, and
 * makes a Config or a list of errors. Owns the order of these steps; each step is in a file of its own. All access to
 * files goes through the Source.
 */
import { posix } from 'node:path';
import { escapeWildcards } from '../core/path-pattern.ts';
import { readApiUsers } from './api-users.ts';
import { chooseAutostart } from './autostart.ts';
import { shareOptions } from './shared-options.ts';
import { readClientSectionsLeniently } from './client-section.ts';
import { readDashboardSection } from './dashboard-section.ts';
import type { Context } from './datatype.ts';
import { explainUnknownName, findProcesses, type PlaceOf, resolveDependencies } from './dependencies.ts';
import type { Document, RawOption } from './dialect.ts';
import { addEnvironment, readSwitch } from './environment.ts';
import { findFile, type ReadSettings } from './find-files.ts';
import { readGroups } from './groups.ts';
import { pluginOptions } from './listener-options.ts';
import { DocumentLoader } from './load-document.ts';
import type { Config, GroupConfig, Reading } from './model.ts';
import { NameSpace } from './names.ts';
import type { SupervisordOptions } from './options.ts';
import { readNotifySections } from './notify-sections.ts';
import { Problems } from './problems.ts';
import { addProcfile, type ProcfilePrograms, procfilePaths } from './procfile.ts';
import { SectionReader } from './section-reader.ts';
import { readInetServers, readRpcInterfaces, readUnixServers } from './servers.ts';
import type { Source } from './source.ts';
import { checkSockets, warnLazyDependencies } from './shared-sockets.ts';
import { shutdownTimesOf } from './stop-budget.ts';
import { addFlags, MAIN, readSupervisord } from './supervisord-section.ts';
import { warnUnknownDefaults, warnUnknownSections } from './unknown-sections.ts';

/** Finds an option of a section as it is written, also in [program-default]; undefined if it is not set. */
export type FindOption = (section: string, option: string) => RawOption | undefined;

/** A reading, and the text that it was made of. */
export type TracedReading = Reading & { readonly findOption: FindOption };

/** Every text of a configuration in one document. */
interface LoadedDocument {
  readonly document: Document;
  readonly file: string | null;
  readonly included: readonly string[];
  readonly sources: readonly string[];
  readonly procfile: ProcfilePrograms;
}

/** Loads the texts of a configuration. Later texts replace options of earlier texts. */
function loadDocument(source: Source, settings: ReadSettings, problems: Problems): LoadedDocument {
  const { isStatic, flags } = settings;
  const loader = new DocumentLoader(source, problems);
  const { document, included, sources } = loader;
  const file = findFile(source, settings, problems);
  const here = file === null ? source.cwd : posix.dirname(file);
  if (file !== null) loader.addFile(file, isStatic);
  const procfile = addProcfile(document, here, source, problems);
  loader.addInlineText(here, isStatic);
  addEnvironment(document, source.env, here, problems);
  addFlags(document, flags);
  sources.push(...Object.values(procfilePaths(source) ?? {}).map(escapeWildcards));
  return { document, file, included, sources, procfile };
}

/** Returns the facts about the machine that values are checked against. What may hang counts as it should be. */
function contextOf(source: Source, { isStatic }: ReadSettings): Context {
  const mayHang = (path: string): boolean => source.mayHang?.(path) === true;
  const host: Context['host'] = {
    users: source.users,
    isDirectory: (path) => mayHang(path) || source.isDirectory(path),
    isFile: (path) => mayHang(path) || source.isFile(path),
  };
  return { cwd: source.cwd, home: source.env.HOME ?? null, host: isStatic ? null : host };
}

/** Reads a configuration. Never throws for the content of a configuration: all errors are in the outcome. */
export function readConfig(source: Source, settings: ReadSettings): Reading {
  return readDocument(source, settings).reading;
}

/** Reads a configuration in the same way, and keeps its options as they are written. */
export function readTraced(source: Source, settings: ReadSettings): TracedReading {
  const { reading, findOption } = readDocument(source, settings);
  return { ...reading, findOption };
}

function readDocument(
  source: Source,
  settings: ReadSettings,
): { readonly reading: Reading; readonly findOption: FindOption } {
  const problems = new Problems();
  const { isContainer } = settings;
  const { env } = source;
  const { document, file, included, sources, procfile } = loadDocument(source, settings, problems);
  checkSwitches(env, problems);
  const context = contextOf(source, settings);
  const names = new NameSpace(env, source.hostname, document.sections.has('include'));
  const reader = new SectionReader(problems, context, isContainer, names);
  warnUnknownSections(document, problems);
  warnUnknownDefaults(document, reader);

  const supervisord = readSupervisord(document, reader, source, context);
  names.add(supervisord.environment);
  const rpcInterfaces = readRpcInterfaces(document, reader);
  const read = readGroups({
    document,
    reader,
    problems,
    context,
    path: env.PATH,
    isContainer,
    supervisord,
    procfile,
    scales: settings.scales ?? new Map(),
    pluginOptions: pluginOptions(document),
  });
  const findOption = optionsIn(document);
  const placeOf: PlaceOf = (section, option) => findOption(section, option)?.place;
  const main = settings.flags.command === null ? null : MAIN;
  const resolved = resolveDependencies(read.groups, problems, placeOf);
  const groups = shareOptions(chooseAutostart(resolved, main, env, problems));
  if (supervisord.watch_config && sources.length === 0)
    problems.warn(
      placeOf('supervisord', 'watch_config') ?? { file: '', line: 0 },
      'supervisord',
      'watch_config',
      'has no effect, because no file is read: the configuration is in the environment',
    );
  checkForwards(supervisord, groups, placeOf, problems);
  checkSockets(groups, placeOf, problems);
  warnLazyDependencies(groups, placeOf, problems);
  const config = {
    supervisord,
    groups,
    setAside: read.setAside,
    main,
    ...shutdownTimesOf({ isContainer, supervisord, groups, main, placeOf }),
    inetServers: readInetServers(document, reader),
    unixServers: readUnixServers(document, reader),
    apiUsers: readApiUsers({ document, reader, problems, source: settings.isStatic ? null : source }),
    ...readClientSectionsLeniently(document, context, names, problems),
    rpcInterfaces,
    notifications: readNotifySections({
      document,
      reader,
      problems,
      supervisord,
      processes: groups.flatMap(({ processes }) => processes),
    }),
    dashboard: readDashboardSection(document, reader),
    file,
    sectionPlaces: placesIn(document),
    included,
    sources,
  };
  problems.tidy();
  problems.sort();
  const { errors, warnings } = problems;
  const reading: Reading = errors.length > 0 ? { config: null, errors, warnings } : { config, errors: [], warnings };
  return { reading, findOption };
}

/** Returns the places of the options of all sections but programs. */
function placesIn({ sections, defaults }: Document): Config['sectionPlaces'] {
  const others = [...sections.values()].filter(({ name }) => !/^(?:program|eventlistener|fcgi-program):/.test(name));
  return new Map(
    others.map(({ name, options }) => [
      name,
      new Map([...defaults, ...options].map(([option, { place }]) => [option, place])),
    ]),
  );
}

/** Returns a function that finds an option as it is written: in its section, or in [program-default]. */
function optionsIn({ sections }: Document): FindOption {
  return (section, option) =>
    sections.get(section)?.options.get(option) ?? sections.get('program-default')?.options.get(option);
}

function checkSwitches(env: Source['env'], problems: Problems): void {
  const name = 'ONEVISOR_CONTAINER';
  const value = env[name] ?? '';
  if (value !== '' && readSwitch(env, name) === null) problems.errorFrom(name, `"${value}" is not 1 or 0`);
}

/** Reports names in forward_signals that mean no process. */
function checkForwards(
  { forward_signals: forwards }: SupervisordOptions,
  groups: readonly GroupConfig[],
  placeOf: PlaceOf,
  problems: Problems,
): void {
  const all = groups.flatMap(({ processes }) => processes);
  const place = placeOf('supervisord', 'forward_signals') ?? { file: '', line: 0 };
  for (const { name } of forwards) {
    if (findProcesses(name, all).length === 0)
      problems.error(place, 'supervisord', 'forward_signals', explainUnknownName(name, all));
  }
}
