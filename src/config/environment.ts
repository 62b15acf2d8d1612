/**
 * Configuration by environment variables: `ONEVISOR_PROGRAM_WEB__USER=app` and the like become options of sections.
 * Owns the names of all variables that we understand. Pure; a variable that is not understood is an error.
 */
import { type Document, ensureSection } from './dialect.ts';
import type { Place } from './model.ts';
import { formatSuggestion, nearestName } from './nearest.ts';
import type { Table } from './option.ts';
import { fcgiOptions, groupOptions, inetServerOptions, listenerOptions, programOptions, supervisordOptions, unixServerOptions } from './options.ts';
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

/** Whether a variable is for us, and not for the programs. */
export function isOwnVariable(name: string): boolean {
  return name.startsWith(PREFIX);
}

/**
 * Adds what the environment says to a document, over what is there.
 *
 * @param here - directory that `%(here)s` stands for in the values
 */
export function addEnvironment(document: Document, env: Readonly<Record<string, string | undefined>>, here: string, problems: Problems): void {
  // In the order of names: what a program is comes before its options, and the outcome does not depend on the order of the environment.
  for (const name of Object.keys(env).filter(isOwnVariable).sort()) {
    const value = env[name];
    if (value === undefined || Object.hasOwn(switches, name)) continue;
    const place: Place = { file: name, line: 0 };
    const reason = addVariable(document, name, value, here, place);
    if (reason !== null) problems.error(place, '', null, reason);
  }
  const format = env.ONEVISOR_LOG_FORMAT;
  if (format !== undefined) setOption(document, 'supervisord', 'log_format', format, here, { file: 'ONEVISOR_LOG_FORMAT', line: 0 });
}

function setOption(document: Document, section: string, option: string, value: string, here: string, place: Place): void {
  ensureSection(document, section, place).options.set(option, { value, place, here, literal: false });
}

/** Adds one variable; returns why it is not understood. */
function addVariable(document: Document, variable: string, value: string, here: string, place: Place): string | null {
  if (!variable.isWellFormed()) return 'the name of this variable has bytes that are not UTF-8';
  const rest = variable.slice(PREFIX.length);
  const kind = kinds.find(({ word, isNamed }) => rest.startsWith(`${word}__`) || (isNamed && rest.startsWith(`${word}_`))) ?? kinds.find(({ word }) => rest === word);
  if (kind === undefined) return `there is no such variable${suggestVariable(variable)}`;
  const tail = rest.slice(kind.word.length + 1);
  const cut = tail.lastIndexOf('__');
  const name = kind.isNamed ? (cut === -1 ? tail : tail.slice(0, cut)) : null;
  if (name === '' || name?.startsWith('_') === true) return `a name must follow ${PREFIX}${kind.word}_, as ${PREFIX}${kind.word}_WEB`;
  const section = name === null ? kind.section : findSection(document, kind.section, name);
  const option = (name === null ? tail.slice(1) : cut === -1 ? '' : tail.slice(cut + 2)).toLowerCase();
  if (option === '' && kind.word === 'PROGRAM') {
    setOption(document, section, 'command', value, here, place);
    return null;
  }
  const known = kind.tables.flatMap((table) => Object.entries(table).flatMap(([row, { aliases }]) => [row, ...aliases]));
  if (option === '') return `an option must follow, as ${variable}__${String(known[0]).toUpperCase()}`;
  if (!known.includes(option)) {
    const nearest = nearestName(option, known);
    return `[${section}] has no option "${option}"${nearest === null ? '' : ` (did you mean ${variable.slice(0, variable.length - option.length)}${nearest.toUpperCase()}?)`}`;
  }
  setOption(document, section, option, value, here, place);
  return null;
}

/** The section that a name in capitals means: one that is there, compared without case, `-` and `.` as `_`, or a new one. */
function findSection(document: Document, start: string, name: string): string {
  const plain = (text: string): string => text.toLowerCase().replace(/[-.]/g, '_');
  const found = [...document.sections.keys()].find((section) => section.startsWith(start) && plain(section.slice(start.length)) === plain(name));
  return found ?? start + name.toLowerCase();
}

/** The nearest variable there is: a switch, or the same words after another beginning. */
function suggestVariable(variable: string): string {
  const words = variable.slice(PREFIX.length).split('_');
  const candidates = kinds.map(({ word, isNamed }) => {
    const count = word.split('_').length;
    const tail = words.slice(count).join('_');
    return PREFIX + word + (tail === '' ? (isNamed ? '_NAME' : '__OPTION') : `_${tail}`);
  });
  return formatSuggestion(variable, [...Object.keys(switches), ...candidates]);
}

/** A switch that is on or off; null where it is not set or neither. */
export function readSwitch(env: Readonly<Record<string, string | undefined>>, name: Switch): boolean | null {
  const value = env[name]?.toLowerCase();
  if (value === undefined || value === '') return null;
  if (['1', 'true', 'yes', 'on'].includes(value)) return true;
  return ['0', 'false', 'no', 'off'].includes(value) ? false : null;
}
