/** Reads the sections `[notify:x]`: who is told about which events. Pure. */
import { createProgramFilter } from '../core/alert-programs.ts';
import { explainUnknownName } from './dependencies.ts';
import type { Document } from './dialect.ts';
import type { NotifyConfig, ProcessConfig, SourceLocation } from './model.ts';
import { defaultOf } from './option.ts';
import {
  type NotifyOptions,
  notifyOptions,
  type ProgramOptions,
  programOptions,
  type SupervisordOptions,
} from './options.ts';
import type { Problems } from './problems.ts';
import { inheritOptions } from './process-rules.ts';
import type { SectionReader } from './section-reader.ts';
import { NOTIFY_PREFIX, readProgramName } from './section-names.ts';
import type { SectionView } from './section-view.ts';

/** Options of each way of delivery. */
const ONLY_FOR = {
  url: ['template', 'headers', 'header_file', 'ca_file'],
  command: ['user', 'environment', 'directory'],
} as const;

/** Facts that the sections are read with. */
export interface NotifyContext {
  readonly document: Document;
  readonly reader: SectionReader;
  readonly problems: Problems;
  readonly supervisord: SupervisordOptions;
  readonly processes: readonly ProcessConfig[];
}

/** Returns each `[notify:x]`. */
export function readNotifySections(context: NotifyContext): NotifyConfig[] {
  const { document, reader, problems, processes } = context;
  const sections = [...document.sections.values()].filter(({ name }) => name.startsWith(NOTIFY_PREFIX));
  return sections.map((section) => {
    const name = readProgramName(section, problems);
    reader.warnUnknown(section, [notifyOptions]);
    const view = reader.open(section, [document.defaults]);
    const options = reader.read(view, notifyOptions, null);
    checkDelivery(view);
    checkPrograms(view, options, processes);
    return { name, options, runner: makeRunner(name, options, context.supervisord, section.place) };
  });
}

/** Checks that a section has one way of delivery, and only options of that way. */
function checkDelivery(view: SectionView): void {
  const ways = (['command', 'url', 'url_file'] as const).filter((name) => view.isSet(name));
  const [way, other] = ways;
  if (way === undefined)
    view.error('command', 'is missing; add command=…, url=https://… or url_file=/run/secrets/…', null);
  else if (other !== undefined) view.error(other, `is set, and ${way} too; make a [notify:x] for each of them`);
  else {
    const wrong = way === 'command' ? ONLY_FOR.url : ONLY_FOR.command;
    const owner = way === 'command' ? 'url or url_file' : 'command';
    for (const name of wrong) if (view.isSet(name)) view.error(name, `is for ${owner} only; remove it`);
  }
}

/** Reports names that mean no process. A pattern may be for programs to come. */
function checkPrograms(view: SectionView, { programs }: NotifyOptions, processes: readonly ProcessConfig[]): void {
  for (const name of programs) {
    const filter = createProgramFilter([name]);
    if (name === '*' || processes.some((proc) => filter.hasProcess(proc))) continue;
    if (/[*?]/.test(name)) view.warn('programs', `"${name}" matches no process`);
    else view.error('programs', explainUnknownName(name, processes));
  }
}

/** Makes the program that a command is run as: with the user, directory and variables of the section. */
function makeRunner(
  name: string,
  { user, environment, directory }: NotifyOptions,
  supervisord: SupervisordOptions,
  place: SourceLocation,
): ProcessConfig {
  const defaults = Object.fromEntries(
    Object.entries(programOptions).map(([option, row]) => [option, defaultOf<unknown>(row, false)]),
  ) as ProgramOptions;
  return {
    name,
    group: `${NOTIFY_PREFIX}${name}`,
    program: name,
    number: 0,
    type: 'program',
    options: {
      ...defaults,
      ...inheritOptions(defaults, supervisord),
      user,
      directory,
      environment: environment ?? new Map<string, string>(),
    },
    argv: [],
    commandError: null,
    dependsOn: [],
    listenPlace: place,
    optionPlaces: new Map(),
    echoed: [],
    scaledFrom: null,
    place,
  };
}
