/**
 * Configuration by environment variables: `ONEVISOR_PROGRAM_WEB__USER=app` and the like become options of sections.
 * Owns the names of all variables that we understand. Pure; a variable that is not understood is an error.
 */
import { type Document, ensureSection } from './dialect.ts';
import { isServiceLink } from '../core/service-links.ts';
import type { SourceLocation } from './model.ts';
import { formatSuggestion, nearestName } from './nearest.ts';
import type { Table } from './option.ts';
import {
  fcgiOptions,
  groupOptions,
  inetServerOptions,
  listenerOptions,
  programOptions,
  supervisordOptions,
  unixServerOptions,
} from './options.ts';
import type { Problems } from './problems.ts';

const PREFIX = 'ONEVISOR_';

/** Variables that stand for themselves, with a sentence for the reference. */
export const switches = {
  ONEVISOR_CONF: 'Configuration file; `-c` comes before it. Empty: none is read, nor searched for.',
  ONEVISOR_CONF_TEXT: 'Configuration as text, read after the file.',
  ONEVISOR_PROCFILE: 'A Procfile, each line of which makes a program.',
  ONEVISOR_ONLY: 'Names of the programs or groups that start by themselves, whatever their autostart; no others do.',
  ONEVISOR_EXCEPT: 'Names of the programs or groups that do not start by themselves.',
  ONEVISOR_CONTAINER: '1: behave as in a container; 0: do not, even as PID 1 or as the main process of a container.',
  ONEVISOR_LOG_FORMAT: 'log_format of [supervisord]: raw, prefix, json, logfmt.',
  ONEVISOR_STOP_BUDGET: 'stop_budget of [supervisord]: time from a stop signal to our own end.',
} as const;

export type Switch = keyof typeof switches;

interface Kind {
  readonly word: string;
  /** The section itself, or how it begins where a name follows. */
  readonly section: string;
  readonly isNamed: boolean;
  readonly tables: readonly Table[];
}

const kinds: readonly Kind[] = [
  { word: 'PROGRAM_DEFAULT', section: 'program-default', isNamed: false, tables: [programOptions] },
  { word: 'PROGRAM', section: 'program:', isNamed: true, tables: [programOptions] },
  { word: 'GROUP', section: 'group:', isNamed: true, tables: [groupOptions] },
  { word: 'EVENTLISTENER', section: 'eventlistener:', isNamed: true, tables: [programOptions, listenerOptions] },
  { word: 'FCGI_PROGRAM', section: 'fcgi-program:', isNamed: true, tables: [programOptions, fcgiOptions] },
  { word: 'SUPERVISORD', section: 'supervisord', isNamed: false, tables: [supervisordOptions] },
  { word: 'UNIX_HTTP_SERVER', section: 'unix_http_server', isNamed: false, tables: [unixServerOptions] },
  { word: 'INET_HTTP_SERVER', section: 'inet_http_server', isNamed: false, tables: [inetServerOptions] },
];

type Environment = Readonly<Record<string, string | undefined>>;

/** True if a variable is for us, and not for the programs. One of a Kubernetes service may begin like ours. */
export function isOwnVariable(name: string, value: string): boolean {
  return name.startsWith(PREFIX) && !isServiceLink(name, value);
}

/** True if a variable of ours is something to run: a program, or a text or file with programs. */
export function definesPrograms(env: Environment): boolean {
  const isDefining = /^ONEVISOR_(CONF_TEXT$|PROCFILE$|PROGRAM_|FCGI_PROGRAM_|EVENTLISTENER_)/;
  return Object.entries(env).some(
    ([name, value]) => value !== undefined && isDefining.test(name) && isOwnVariable(name, value),
  );
}

/**
 * Adds what the environment says to a document, over what is there.
 *
 * @param here - directory that `%(here)s` stands for in the values
 */
export function addEnvironment(document: Document, env: Environment, here: string, problems: Problems): void {
  // In the order of names: what a program is comes before its options, and the outcome does not depend on the order of
  // the environment.
  const all = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && name.startsWith(PREFIX) && !Object.hasOwn(switches, name) ? [{ name, value }] : [],
  );
  const ours = all
    .filter(({ name, value }) => isOwnVariable(name, value))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, value } of ours) {
    const place: SourceLocation = { file: name, line: 0 };
    const reason = addVariable(document, name, value, here, place);
    if (reason !== null) problems.error(place, '', null, reason);
  }
  for (const { name } of ours) {
    const meant = findMeantVariable(document, name);
    if (meant !== null)
      problems.error(
        { file: name, line: 0 },
        '',
        null,
        `defines a program of its own; an option follows two underscores, as ${meant}, and the command of a program of this name is ${name}__COMMAND`,
      );
  }
  warnOfLinks(
    all.filter((variable) => !ours.includes(variable)).map(({ name }) => name),
    problems,
  );
  for (const [variable, option] of [
    ['ONEVISOR_LOG_FORMAT', 'log_format'],
    ['ONEVISOR_STOP_BUDGET', 'stop_budget'],
  ] as const) {
    const value = env[variable];
    if (value !== undefined) setOption(document, 'supervisord', option, value, here, { file: variable, line: 0 });
  }
}

function warnOfLinks(names: readonly string[], problems: Problems): void {
  const [first, ...others] = names.toSorted();
  if (first === undefined) return;
  const rest = others.length === 0 ? '' : ` (and ${others.length} more)`;
  problems.warn(
    { file: first, line: 0 },
    '',
    null,
    `describes a Kubernetes service and is ignored${rest}; set enableServiceLinks: false in the pod to be rid of it`,
  );
}

/**
 * The right name of a variable that defines a program, where an option of another program is meant:
 * ONEVISOR_PROGRAM_WEB_AUTOSTART beside a program "web".
 */
function findMeantVariable(document: Document, variable: string): string | null {
  const own = variable.startsWith(`${PREFIX}PROGRAM_`) ? variable.slice(`${PREFIX}PROGRAM_`.length) : '';
  const defined = document.sections.get(findSection(document, 'program:', own));
  // A program of that name may be in the file.
  if (own.includes('__') || defined?.place.file !== variable || defined.options.get('command')?.place.file !== variable)
    return null;
  return (
    kinds
      .filter(({ isNamed }) => isNamed)
      .flatMap((kind) =>
        splitOption(kind, own).flatMap(({ head, option }) => {
          const section = findSection(document, kind.section, head);
          return document.sections.has(section) ? [`${PREFIX}${kind.word}_${head}__${option}`] : [];
        }),
      )[0] ?? null
  );
}

/** All ways to read NAME_OPTION, the longest option first. */
function splitOption({ tables }: Kind, text: string): Array<{ head: string; option: string }> {
  const options = knownOptions(tables)
    .map((name) => name.toUpperCase())
    .toSorted((a, b) => b.length - a.length);
  return options.flatMap((option) =>
    text.endsWith(`_${option}`) && text.length > option.length + 1
      ? [{ head: text.slice(0, -option.length - 1), option }]
      : [],
  );
}

function knownOptions(tables: readonly Table[]): string[] {
  return tables.flatMap((table) => Object.entries(table).flatMap(([row, { aliases }]) => [row, ...aliases]));
}

function setOption(
  document: Document,
  section: string,
  option: string,
  value: string,
  here: string,
  place: SourceLocation,
): void {
  ensureSection(document, section, place).options.set(option, { value, place, here, literal: false });
}

/** Adds one variable; returns why it is not understood. */
function addVariable(
  document: Document,
  variable: string,
  value: string,
  here: string,
  place: SourceLocation,
): string | null {
  if (!variable.isWellFormed()) return 'the name of this variable has bytes that are not UTF-8';
  const rest = variable.slice(PREFIX.length);
  const kind =
    kinds.find(({ word, isNamed }) => rest.startsWith(`${word}__`) || (isNamed && rest.startsWith(`${word}_`))) ??
    kinds.find(({ word }) => rest === word);
  if (kind === undefined) return `there is no such variable${suggestVariable(variable)}`;
  const tail = rest.slice(kind.word.length + 1);
  const cut = tail.lastIndexOf('__');
  const name = kind.isNamed ? (cut === -1 ? tail : tail.slice(0, cut)) : null;
  if (name === '' || name?.startsWith('_') === true)
    return `a name must follow ${PREFIX}${kind.word}_, as ${PREFIX}${kind.word}_WEB`;
  const section = name === null ? kind.section : findSection(document, kind.section, name);
  const option = (name === null ? tail.slice(1) : cut === -1 ? '' : tail.slice(cut + 2)).toLowerCase();
  if (option === '' && kind.word === 'PROGRAM') {
    setOption(document, section, 'command', value, here, place);
    return null;
  }
  const known = knownOptions(kind.tables);
  if (option === '') {
    const [meant] = splitOption(kind, tail);
    return `an option must follow, as ${meant === undefined ? `${variable}__${String(known[0]).toUpperCase()}` : `${PREFIX}${kind.word}_${meant.head}__${meant.option}`}`;
  }
  if (!known.includes(option)) {
    const nearest = nearestName(option, known);
    return `[${section}] has no option "${option}"${nearest === null ? '' : ` (did you mean ${variable.slice(0, variable.length - option.length)}${nearest.toUpperCase()}?)`}`;
  }
  setOption(document, section, option, value, here, place);
  return null;
}

/**
 * The section that a name in capitals means: one that is there, compared without case, `-` and `.` as `_`, or a new
 * one.
 */
function findSection(document: Document, start: string, name: string): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[-.]/g, '_');
  const found = [...document.sections.keys()].find(
    (section) => section.startsWith(start) && plain(section.slice(start.length)) === plain(name),
  );
  return found ?? start + name.toLowerCase();
}

/** The nearest variable there is: a switch, or the same words after another beginning. */
function suggestVariable(variable: string): string {
  const words = variable.slice(PREFIX.length).split('_');
  const candidates = kinds.map(({ word, isNamed }) => {
    const tail = words.slice(word.split('_').length).join('_').replace(/^_+/, '');
    const separator = isNamed ? '_' : '__';
    return PREFIX + word + separator + (tail === '' ? (isNamed ? 'NAME' : 'OPTION') : tail);
  });
  return formatSuggestion(variable, [...Object.keys(switches), ...candidates]);
}

/** A switch that is on or off; null where it is not set or neither. */
export function readSwitch(env: Environment, name: Switch): boolean | null {
  const value = env[name]?.toLowerCase();
  if (value === undefined || value === '') return null;
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  return ['0', 'false', 'no', 'off'].includes(value) ? false : null;
}
