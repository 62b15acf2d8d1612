/**
 * Configuration by environment variables: `ONEVISOR_PROGRAM_WEB__USER=app` and the like become options of sections.
 * Owns the names of all our variables. Pure; a variable that is not understood is an error.
 */
import { isServiceLink } from '../core/service-links.ts';
import { parseBoolean } from './datatypes.ts';
import { type Document, ensureSection } from './dialect.ts';
import { formatSuggestion, nearestName } from './nearest.ts';
import type { Table } from './option.ts';
import {
  apiUserOptions,
  dashboardOptions,
  fcgiOptions,
  groupOptions,
  inetServerOptions,
  listenerOptions,
  notifyOptions,
  programOptions,
  supervisordOptions,
  unixServerOptions,
} from './options.ts';
import type { Problems } from './problems.ts';

const PREFIX = 'ONEVISOR_';

/** Variables with a meaning of their own, each with a sentence for the reference. */
export const switches = {
  ONEVISOR_CONF: 'Configuration file; `-c` comes before it. Empty: no file is read or searched.',
  ONEVISOR_CONF_TEXT: 'Configuration as text, read after the file.',
  ONEVISOR_PROCFILE: 'A Procfile, each line of which makes a program.',
  ONEVISOR_ONLY: 'Names of the only programs or groups that start automatically, whatever their autostart.',
  ONEVISOR_EXCEPT: 'Names of the programs or groups that do not start automatically.',
  ONEVISOR_CONTAINER: '1: behave as in a container; 0: do not, even as PID 1 or as the main process of a container.',
  ONEVISOR_LIBC:
    "system: run with the image's glibc and libstdc++, for users in LDAP and the like and for native plug-ins. " +
    'Otherwise with those inside the executable. Programs do not get this variable.',
  ONEVISOR_LOG_FORMAT: 'log_format of [supervisord]: raw, prefix, json, logfmt.',
  ONEVISOR_STOP_BUDGET: 'stop_budget of [supervisord]: time from a stop signal to our own exit.',
} as const;

export type Switch = keyof typeof switches;

/** Switches that are options of [supervisord]. */
const SWITCH_OPTIONS = [
  ['ONEVISOR_LOG_FORMAT', 'log_format'],
  ['ONEVISOR_STOP_BUDGET', 'stop_budget'],
] as const;

/** A kind of section that variables can set options of. */
interface Kind {
  readonly word: string;
  /** Name of the section, or its beginning if a name follows. */
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
  { word: 'NOTIFY', section: 'notify:', isNamed: true, tables: [notifyOptions] },
  { word: 'API_USER', section: 'api_user:', isNamed: true, tables: [apiUserOptions] },
  { word: 'SUPERVISORD', section: 'supervisord', isNamed: false, tables: [supervisordOptions] },
  { word: 'UNIX_HTTP_SERVER', section: 'unix_http_server', isNamed: false, tables: [unixServerOptions] },
  { word: 'INET_HTTP_SERVER', section: 'inet_http_server', isNamed: false, tables: [inetServerOptions] },
  { word: 'DASHBOARD', section: 'dashboard', isNamed: false, tables: [dashboardOptions] },
];

/** A kind of section that variables can set options of: the parts of the names of its variables, and its options. */
export interface VariableKind {
  /** Beginning of the name of the section, as in {@link SectionKind}. */
  readonly start: string;
  /** Beginning of the names, for example `ONEVISOR_PROGRAM_`. The name of the section and the option follow. */
  readonly prefix: string;
  readonly isNamed: boolean;
  readonly tables: readonly Table[];
}

/** The kinds of sections that variables can set options of. */
export const variableKinds: readonly VariableKind[] = kinds.map(({ word, section, isNamed, tables }) => ({
  start: section,
  prefix: `${PREFIX}${word}${isNamed ? '_' : ''}`,
  isNamed,
  tables,
}));

/** Returns the variable for an option of a kind of section; null if no variable sets it. */
export function variableOf(start: string, option: string): string | null {
  const kind = variableKinds.find((one) => one.start === start);
  return kind === undefined ? null : `${kind.prefix}${kind.isNamed ? '<NAME>' : ''}__${option.toUpperCase()}`;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** An environment variable that is set. */
interface Variable {
  readonly name: string;
  readonly value: string;
}

/** True if a variable is for us and not for the programs. The variable of a Kubernetes service may begin like ours. */
export function isOwnVariable(name: string, value: string): boolean {
  return name.startsWith(PREFIX) && !isServiceLink(name, value);
}

/** True if a variable of ours defines programs, or names a text or file with programs. */
export function definesPrograms(env: Environment): boolean {
  const isDefining = /^ONEVISOR_(CONF_TEXT$|PROCFILE$|PROGRAM_|FCGI_PROGRAM_|EVENTLISTENER_)/;
  return Object.entries(env).some(
    ([name, value]) => value !== undefined && isDefining.test(name) && isOwnVariable(name, value),
  );
}

/**
 * Adds the variables of the environment to a document. They replace options that are there already.
 *
 * @param here - value of `%(here)s` in the values
 */
export function addEnvironment(document: Document, env: Environment, here: string, problems: Problems): void {
  const all = Object.entries(env).flatMap(([name, value]) =>
    value !== undefined && name.startsWith(PREFIX) && !Object.hasOwn(switches, name) ? [{ name, value }] : [],
  );
  // Sorted by name, so that a program comes before its options and the order of the environment does not matter.
  const ours = all
    .filter(({ name, value }) => isOwnVariable(name, value))
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const variable of ours) {
    const target = findTarget(document, variable.name);
    if (typeof target === 'string') problems.errorFrom(variable.name, target);
    else setOption(document, target, variable, here);
  }
  for (const { name } of ours) {
    const meant = findMeantVariable(document, name);
    if (meant !== null) problems.errorFrom(name, explainMeant(name, meant));
  }
  const links = all.filter((variable) => !ours.includes(variable));
  warnOfLinks(
    links.map(({ name }) => name),
    problems,
  );
  for (const [name, option] of SWITCH_OPTIONS) {
    const value = env[name];
    if (value !== undefined) setOption(document, { section: 'supervisord', option }, { name, value }, here);
  }
}

/** An option of a section. */
interface Target {
  readonly section: string;
  readonly option: string;
}

function setOption(document: Document, { section, option }: Target, { name, value }: Variable, here: string): void {
  const place = { file: name, line: 0 };
  ensureSection(document, section, place).options.set(option, { value, place, here, literal: false });
}

function warnOfLinks(names: readonly string[], problems: Problems): void {
  const [first, ...others] = names.toSorted();
  if (first === undefined) return;
  const rest = others.length === 0 ? '' : ` (and ${others.length} more)`;
  problems.warnFrom(
    first,
    `describes a Kubernetes service and is ignored${rest}; set enableServiceLinks: false in the pod to remove it`,
  );
}

function explainMeant(name: string, meant: string): string {
  return (
    `defines another program; two underscores stand before an option: ${meant}; ` +
    `if a program with this name is meant, write ${name}__COMMAND`
  );
}

/**
 * Finds the right name of a variable that defines a program by mistake, because an option of another program was meant:
 * ONEVISOR_PROGRAM_WEB_AUTOSTART with a program "web". Null for other variables.
 */
function findMeantVariable(document: Document, variable: string): string | null {
  const own = variable.startsWith(`${PREFIX}PROGRAM_`) ? variable.slice(`${PREFIX}PROGRAM_`.length) : '';
  const defined = document.sections.get(findSection(document, 'program:', own));
  // Not a mistake if the file has a program of that name.
  if (own.includes('__') || defined?.place.file !== variable || defined.options.get('command')?.place.file !== variable)
    return null;
  const candidates = kinds
    .filter(({ isNamed }) => isNamed)
    .flatMap((kind) =>
      splitOption(kind, own).flatMap(({ head, option }) => {
        const section = findSection(document, kind.section, head);
        return document.sections.has(section) ? [`${PREFIX}${kind.word}_${head}__${option}`] : [];
      }),
    );
  return candidates[0] ?? null;
}

/** Returns all ways to read NAME_OPTION, the longest option first. */
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

/** Finds the kind of section that a variable belongs to. */
function findKind(rest: string): Kind | undefined {
  return (
    kinds.find(({ word, isNamed }) => rest.startsWith(`${word}__`) || (isNamed && rest.startsWith(`${word}_`))) ??
    kinds.find(({ word }) => rest === word)
  );
}

/** Finds the option that a variable sets. Returns a reason, as text, if the variable is not understood. */
function findTarget(document: Document, variable: string): Target | string {
  if (!variable.isWellFormed()) return 'the name of this variable has bytes that are not UTF-8';
  const rest = variable.slice(PREFIX.length);
  const kind = findKind(rest);
  if (kind === undefined) return `there is no such variable${suggestVariable(variable)}`;
  const tail = rest.slice(kind.word.length + 1);
  const { name, option } = splitTail(kind, tail);
  if (name === '' || name?.startsWith('_') === true)
    return `a name must follow ${PREFIX}${kind.word}_, for example ${PREFIX}${kind.word}_WEB`;
  const section = name === null ? kind.section : findSection(document, kind.section, name);
  if (option === '') {
    if (kind.word === 'PROGRAM') return { section, option: 'command' };
    return `an option must follow, for example ${exampleOf(kind, variable, tail)}`;
  }
  const known = knownOptions(kind.tables);
  if (known.includes(option)) return { section, option };
  const nearest = nearestName(option, known);
  const head = variable.slice(0, variable.length - option.length);
  const hint = nearest === null ? '' : ` (did you mean ${head}${nearest.toUpperCase()}?)`;
  return `[${section}] has no option "${option}"${hint}`;
}

/** Splits `WEB__USER` into name and option. The name is null for a section without a name. */
function splitTail({ isNamed }: Kind, tail: string): { readonly name: string | null; readonly option: string } {
  if (!isNamed) return { name: null, option: tail.slice(1).toLowerCase() };
  const cut = tail.lastIndexOf('__');
  if (cut === -1) return { name: tail, option: '' };
  return { name: tail.slice(0, cut), option: tail.slice(cut + 2).toLowerCase() };
}

/** Returns an example of a variable with an option, for a variable without one. */
function exampleOf(kind: Kind, variable: string, tail: string): string {
  const [meant] = splitOption(kind, tail);
  if (meant !== undefined) return `${PREFIX}${kind.word}_${meant.head}__${meant.option}`;
  return `${variable}__${String(knownOptions(kind.tables)[0]).toUpperCase()}`;
}

/**
 * Returns the section that a name in capitals means: an existing section, compared without case and with `-` and `.` as
 * `_`, or a new section.
 */
function findSection(document: Document, start: string, name: string): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[-.]/g, '_');
  const found = [...document.sections.keys()].find(
    (section) => section.startsWith(start) && plain(section.slice(start.length)) === plain(name),
  );
  return found ?? start + name.toLowerCase();
}

/** Suggests the nearest variable: a switch, or the same words after another beginning. */
function suggestVariable(variable: string): string {
  const words = variable.slice(PREFIX.length).split('_');
  const candidates = kinds.map(({ word, isNamed }) => {
    const tail = words.slice(word.split('_').length).join('_').replace(/^_+/, '');
    const sample = isNamed ? 'NAME' : 'OPTION';
    return PREFIX + word + (isNamed ? '_' : '__') + (tail === '' ? sample : tail);
  });
  return formatSuggestion(variable, [...Object.keys(switches), ...candidates]);
}

/** Reads a switch that is on or off; null if it is not set, or neither. */
export function readSwitch(env: Environment, name: Switch): boolean | null {
  return parseBoolean(env[name] ?? '');
}
