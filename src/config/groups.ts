/**
 * From processes to groups: those of `[group:x]`, and one for each program, listener and FastCGI program that is in
 * none. Pure.
 */
import type { RawSection } from './dialect.ts';
import { compareText } from './glob.ts';
import type { GroupConfig, ProcessConfig } from './model.ts';
import { formatSuggestion } from './nearest.ts';
import { groupOptions, programOptions } from './options.ts';
import {
  isStartupPlugin,
  isStdoutPlugin,
  prefixes,
  type ProcessType,
  readProcesses,
  readProgramName,
  type ProgramContext,
} from './programs.ts';
import { chainLookup } from './section-reader.ts';

/** Supervisor starts listeners first and stops them last. */
const LISTENER_PRIORITY = -1;

/** All groups by priority, then name; those set aside apart from them. */
export interface Grouping {
  readonly groups: GroupConfig[];
  readonly setAside: GroupConfig[];
}

/** Makes the groups of a document. */
export function readGroups(programContext: ProgramContext): Grouping {
  const sections = [...programContext.document.sections.values()];
  const taken = new Set<string>();
  const made = sections
    .filter(({ name }) => name.startsWith('group:'))
    .map((section) => readGroup(programContext, section, taken));
  for (const type of ['program', 'eventlistener', 'fcgi-program'] as const) {
    for (const section of sections)
      if (section.name.startsWith(prefixes[type]) && !taken.has(section.name))
        made.push(readOwnGroup(programContext, section, type));
  }
  made.sort((a, b) => a.priority - b.priority || compareText(a.name, b.name));
  return setAside(programContext, made);
}

/** `[group:x]`: its programs have no groups of their own then. */
function readGroup(programContext: ProgramContext, section: RawSection, taken: Set<string>): GroupConfig {
  const { reader, document, problems } = programContext;
  const name = readProgramName(section, problems);
  const lookup = chainLookup(section.options, document.defaults);
  const { programs, priority } = reader.read(section, groupOptions, lookup, null);
  reader.warnUnknown(section, [groupOptions]);
  const place = lookup('programs')?.place ?? section.place;
  const known = (['program', 'fcgi-program'] as const).flatMap((type) =>
    [...document.sections.keys()]
      .filter((other) => other.startsWith(prefixes[type]))
      .map((other) => other.slice(prefixes[type].length)),
  );
  const processes = programs.flatMap((program): ProcessConfig[] => {
    const plain = document.sections.get(prefixes.program + program);
    const fcgi = document.sections.get(prefixes['fcgi-program'] + program);
    if (plain !== undefined && fcgi !== undefined)
      problems.error(
        place,
        section.name,
        'programs',
        `"${program}" is both a program and a fcgi-program; rename one of them`,
      );
    const member = plain ?? fcgi;
    if (member === undefined) {
      problems.error(
        place,
        section.name,
        'programs',
        program === ''
          ? 'there is an empty name; remove the comma too many'
          : `there is no program named "${program}"${formatSuggestion(program, known)}`,
      );
      return [];
    }
    taken.add(member.name);
    return readProcesses(programContext, member, member === plain ? 'program' : 'fcgi-program', name, false);
  });
  return { name, priority, type: 'program', processes: tidy(programContext, section, processes) };
}

/** The group that a program, listener or FastCGI program has by itself; it has the priority of its section. */
function readOwnGroup(programContext: ProgramContext, section: RawSection, type: ProcessType): GroupConfig {
  const { reader, document, problems } = programContext;
  const name = readProgramName(section, problems);
  const lookup = chainLookup(
    section.options,
    type === 'eventlistener' ? undefined : document.sections.get('program-default')?.options,
    document.defaults,
  );
  const { priority } = reader.read(section, { priority: programOptions.priority }, lookup, null);
  const processes = readProcesses(programContext, section, type, name, true);
  const isDefault = type === 'eventlistener' && lookup('priority') === undefined;
  return {
    name,
    priority: isDefault ? LISTENER_PRIORITY : priority,
    type,
    processes: tidy(programContext, section, processes),
  };
}

/**
 * By priority, else in the order of `programs`, and those of one program by name, as Supervisor starts them. compat: of
 * several processes with one name the last is the one.
 */
function tidy({ problems }: ProgramContext, section: RawSection, processes: readonly ProcessConfig[]): ProcessConfig[] {
  const named = new Map<string, ProcessConfig>();
  for (const proc of processes) {
    if (named.has(proc.name))
      problems.warn(
        proc.place,
        `${prefixes[proc.type]}${proc.program}`,
        'process_name',
        `two processes of [${section.name}] have the name "${proc.name}"; the last one is kept`,
      );
    named.set(proc.name, proc);
  }
  const programs = [...new Set(processes.map(({ program }) => program))];
  const place = ({ program }: ProcessConfig): number => programs.indexOf(program);
  return [...named.values()].sort(
    (a, b) => a.options.priority - b.options.priority || place(a) - place(b) || compareText(a.name, b.name),
  );
}

/** compat: of two groups with one name Supervisor runs the first. What a built-in replaces is not run either. */
function setAside({ problems }: ProgramContext, made: readonly GroupConfig[]): Grouping {
  const grouping: Grouping = { groups: [], setAside: [] };
  const names = new Set<string>();
  for (const group of made) {
    const [first] = group.processes;
    const isDouble = names.has(group.name);
    if (isDouble && first !== undefined)
      problems.warn(
        first.place,
        `${prefixes[first.type]}${first.program}`,
        null,
        `there is a group "${group.name}" already, so this one is not run; rename one of them`,
      );
    const isStartup = first !== undefined && isStartupPlugin(first);
    if (isStartup)
      problems.warn(
        first.place,
        `${prefixes[first.type]}${first.program}`,
        'command',
        'what supervisord_dependent_startup does is built in: programs with dependent_startup=true are started in their order, and this listener is not',
      );
    const isReplaced = isStartup || (first !== undefined && isStdoutPlugin(first.options));
    (isDouble || isReplaced ? grouping.setAside : grouping.groups).push(group);
    names.add(group.name);
  }
  const listeners = grouping.setAside
    .flatMap(({ processes }) => processes)
    .filter(({ options }) => isStdoutPlugin(options) && options.autostart);
  const events = new Set(listeners.flatMap(({ options }) => options.events ?? []));
  return events.size > 0 ? { ...grouping, groups: grouping.groups.map((group) => echo(group, events)) } : grouping;
}

/** supervisor-stdout writes out what comes as PROCESS_LOG events: the streams for which these are enabled. */
function echo(group: GroupConfig, events: ReadonlySet<string>): GroupConfig {
  const wanted = (stream: string): boolean =>
    ['EVENT', 'PROCESS_LOG', `PROCESS_LOG_${stream.toUpperCase()}`].some((name) => events.has(name));
  const streams = (['stdout', 'stderr'] as const).filter(wanted);
  return {
    ...group,
    processes: group.processes.map((proc) => ({
      ...proc,
      echoed: streams.filter((stream) => proc.options[`${stream}_events_enabled`]),
    })),
  };
}
