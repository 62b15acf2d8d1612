/**
 * Makes groups of processes: those of `[group:x]`, and one for each program, listener and FastCGI program that is in no
 * `[group:x]`. Pure.
 */
import { STREAM_NAMES } from '../core/stream-name.ts';
import type { RawSection } from './dialect.ts';
import { compareText } from './glob.ts';
import { isStartupPlugin, isStdoutPlugin } from './listener-options.ts';
import type { GroupConfig, ProcessConfig } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import { groupOptions, programOptions } from './options.ts';
import { fallbacksOf, type ProgramContext, ProgramReader, type ProgramSection } from './program-reader.ts';
import { prefixes, type ProcessType, readProgramName, sectionNameOf } from './section-names.ts';
import type { SectionView } from './section-view.ts';

/** Supervisor starts listeners first and stops them last. */
const LISTENER_PRIORITY = -1;

/** The option that the group of a program has from its section. */
const PRIORITY = { priority: programOptions.priority };

const STARTUP_BUILT_IN =
  'the work of supervisord_dependent_startup is built in: programs with dependent_startup=true are started in ' +
  'order, and this listener is not started';

/** Groups sorted by priority, then by name. */
export interface Grouping {
  readonly groups: GroupConfig[];
  /** Groups that are never started. */
  readonly setAside: GroupConfig[];
}

/** Makes the groups of a document. */
export function readGroups(context: ProgramContext): Grouping {
  const sections = [...context.document.sections.values()];
  const taken = new Set<string>();
  const made = sections
    .filter(({ name }) => name.startsWith('group:'))
    .map((section) => readGroup(context, section, taken));
  for (const type of ['program', 'eventlistener', 'fcgi-program'] as const) {
    for (const section of sections)
      if (section.name.startsWith(prefixes[type]) && !taken.has(section.name))
        made.push(readOwnGroup(context, section, type));
  }
  made.sort((a, b) => a.priority - b.priority || compareText(a.name, b.name));
  return divideGroups(context, made);
}

/** Reads a `[group:x]`. Adds the sections of its programs to `taken`: they get no groups of their own. */
function readGroup(context: ProgramContext, section: RawSection, taken: Set<string>): GroupConfig {
  const { reader, document, problems } = context;
  const name = readProgramName(section, problems);
  const view = reader.open(section, [document.defaults]);
  const { programs, priority } = reader.read(view, groupOptions, null);
  reader.warnUnknown(section, [groupOptions]);
  const members = programs.map((program) => {
    const member = findMember(context, view, program);
    if (member === null) return [];
    taken.add(member.section.name);
    return new ProgramReader(context, { ...member, group: name, needsSocket: false }).read();
  });
  return { name, priority, type: 'program', processes: sortProcesses(context, section, members) };
}

/** Finds the section of a name in `programs`; null, with an error, if there is none. */
function findMember(
  { document: { sections } }: ProgramContext,
  view: SectionView,
  name: string,
): Pick<ProgramSection, 'section' | 'type'> | null {
  const plain = sections.get(prefixes.program + name);
  const fcgi = sections.get(prefixes['fcgi-program'] + name);
  if (plain !== undefined && fcgi !== undefined)
    view.error('programs', `"${name}" is both a program and a fcgi-program; rename one of them`);
  if (plain !== undefined) return { section: plain, type: 'program' };
  if (fcgi !== undefined) return { section: fcgi, type: 'fcgi-program' };
  const known = (['program', 'fcgi-program'] as const).flatMap((type) =>
    [...sections.keys()]
      .filter((other) => other.startsWith(prefixes[type]))
      .map((other) => other.slice(prefixes[type].length)),
  );
  view.error(
    'programs',
    name === ''
      ? 'a name is empty; remove the extra comma'
      : `there is no program named "${name}"${formatSuggestion(name, known)}`,
  );
  return null;
}

/** Reads the group that a program, listener or FastCGI program has by itself. It has the priority of its section. */
function readOwnGroup(context: ProgramContext, section: RawSection, type: ProcessType): GroupConfig {
  const { reader, document, problems } = context;
  const name = readProgramName(section, problems);
  const view = reader.open(section, fallbacksOf(document, type));
  const { priority } = reader.read(view, PRIORITY, null);
  const processes = new ProgramReader(context, { section, type, group: name, needsSocket: true }).read();
  const isDefault = type === 'eventlistener' && !view.isSet('priority');
  return {
    name,
    priority: isDefault ? LISTENER_PRIORITY : priority,
    type,
    processes: sortProcesses(context, section, [processes]),
  };
}

/**
 * Sorts processes as Supervisor starts them: by priority, then by the order in `programs`, then by name. compat: of
 * several processes with the same name, the last one is kept.
 */
function sortProcesses(
  { problems }: ProgramContext,
  section: RawSection,
  members: ReadonlyArray<readonly ProcessConfig[]>,
): ProcessConfig[] {
  const named = new Map<string, ProcessConfig>();
  // A name keeps the place of the first process that had it.
  for (const proc of members.flatMap((processes) => processes.toSorted((a, b) => compareText(a.name, b.name)))) {
    if (named.has(proc.name))
      problems.warn(
        proc.place,
        sectionNameOf(proc),
        'process_name',
        `two processes of [${section.name}] have the name "${proc.name}"; the last one is kept`,
      );
    named.set(proc.name, proc);
  }
  return [...named.values()].sort((a, b) => a.options.priority - b.options.priority);
}

/**
 * Divides groups into those that run and those that are set aside. compat: of two groups with the same name, Supervisor
 * runs the first one. A listener whose work is built in does not run either.
 */
function divideGroups({ problems }: ProgramContext, made: readonly GroupConfig[]): Grouping {
  const grouping: Grouping = { groups: [], setAside: [] };
  const names = new Set<string>();
  for (const group of made) {
    const [first] = group.processes;
    const isDouble = names.has(group.name);
    if (isDouble && first !== undefined)
      problems.warn(
        first.place,
        sectionNameOf(first),
        null,
        `a group "${group.name}" exists already, so this group is not run; rename one of them`,
      );
    const isStartup = first !== undefined && isStartupPlugin(first);
    if (isStartup) problems.warn(first.place, sectionNameOf(first), 'command', STARTUP_BUILT_IN);
    const isReplaced = isStartup || (first !== undefined && isStdoutPlugin(first.options));
    (isDouble || isReplaced ? grouping.setAside : grouping.groups).push(group);
    names.add(group.name);
  }
  return echoOutput(grouping);
}

/** Does the work of supervisor-stdout: marks the streams that its listeners would write out. */
function echoOutput(grouping: Grouping): Grouping {
  const listeners = grouping.setAside
    .flatMap(({ processes }) => processes)
    .filter(({ options }) => isStdoutPlugin(options) && options.autostart);
  const events = new Set(listeners.flatMap(({ options }) => options.events ?? []));
  const isWanted = (stream: string): boolean =>
    ['EVENT', 'PROCESS_LOG', `PROCESS_LOG_${stream.toUpperCase()}`].some((name) => events.has(name));
  const streams = STREAM_NAMES.filter(isWanted);
  if (streams.length === 0) return grouping;
  const echo = (proc: ProcessConfig): ProcessConfig => ({
    ...proc,
    // PROCESS_LOG events exist only for streams that have them enabled.
    echoed: streams.filter((stream) => proc.options[`${stream}_events_enabled`]),
  });
  return { ...grouping, groups: grouping.groups.map((group) => ({ ...group, processes: group.processes.map(echo) })) };
}
