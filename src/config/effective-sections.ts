/**
 * The effective configuration of a running supervisor, section by section, with the place of each option. Secrets are
 * hidden: marked options, values of variables, and parts of values that may be secrets. Pure.
 */
import { HIDDEN, hideSecrets } from '../core/hide-secrets.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { Json } from './datatype.ts';
import type { Config, GroupConfig, OptionPlaces, ProcessConfig, SourceLocation } from './model.ts';
import type { Option, Table } from './option.ts';
import {
  apiUserOptions,
  dashboardOptions,
  fcgiOptions,
  inetServerOptions,
  listenerOptions,
  notifyOptions,
  programOptions,
  supervisordOptions,
  unixServerOptions,
} from './options.ts';

/** An option with its value and its place. */
export interface EffectiveOption {
  readonly name: string;
  readonly value: Json;
  /** Place where it is set; null for a default and for an inherited value. */
  readonly place: SourceLocation | null;
}

/** A section with its options. */
export interface EffectiveSection {
  readonly section: string;
  /** Display name of the process; null for another section. */
  readonly process: string | null;
  /** With defaults or without. Takes some time, so that a caller makes one section at a time. */
  readonly options: (hasDefaults: boolean) => readonly EffectiveOption[];
}

/** The parts of a configuration that have sections here. */
export type ShownConfig = Pick<
  Config,
  'supervisord' | 'unixServers' | 'inetServers' | 'apiUsers' | 'dashboard' | 'notifications' | 'sectionPlaces'
>;

/** Options whose value is made of variables. Their names are shown, their values are not. */
const VARIABLES: ReadonlySet<string> = new Set(['environment']);

/** Options that only one type of process has. */
const OWN_OPTIONS: Readonly<Record<ProcessConfig['type'], Table>> = {
  program: {},
  eventlistener: listenerOptions,
  'fcgi-program': fcgiOptions,
};

/** Returns the sections: of the supervisor, and of the processes of the active groups. */
export function effectiveSections(config: ShownConfig, groups: readonly GroupConfig[]): readonly EffectiveSection[] {
  const { supervisord, unixServers, inetServers, apiUsers, dashboard, notifications, sectionPlaces } = config;
  const section = (name: string, table: Table, values: object, places?: OptionPlaces): EffectiveSection => ({
    section: name,
    process: null,
    options: (hasDefaults) => optionsOf(table, values, places ?? sectionPlaces.get(name) ?? new Map(), hasDefaults),
  });
  const servers = (start: string, table: Table, all: readonly object[]): EffectiveSection[] => {
    const names = [...sectionPlaces.keys()].filter((name) => name.startsWith(start));
    // A server that is not opened makes it unknown which section belongs to which server.
    const isSame = names.length === all.length;
    return all.map((values, index) => section((isSame ? names[index] : undefined) ?? start, table, values));
  };
  return [
    section('supervisord', supervisordOptions, supervisord),
    ...servers('unix_http_server', unixServerOptions, unixServers),
    ...servers('inet_http_server', inetServerOptions, inetServers),
    ...(sectionPlaces.has('dashboard') ? [section('dashboard', dashboardOptions, dashboard)] : []),
    ...apiUsers.map(({ name, options }) => section(`api_user:${name}`, apiUserOptions, options)),
    ...groups.flatMap(({ processes }) => processes.map(processSection)),
    ...notifications.map(({ name, options }) => section(`notify:${name}`, notifyOptions, options)),
  ];
}

function processSection(proc: ProcessConfig): EffectiveSection {
  const { type, program, group, name, options, optionPlaces } = proc;
  const table = { ...programOptions, ...OWN_OPTIONS[type] };
  return {
    section: `${type}:${program}`,
    process: formatNamespec(group, name),
    options: (hasDefaults) => optionsOf(table, options, optionPlaces, hasDefaults),
  };
}

function optionsOf(table: Table, values: object, places: OptionPlaces, hasDefaults: boolean): EffectiveOption[] {
  const byName = values as Readonly<Record<string, unknown>>;
  return Object.entries(table).flatMap(([name, option]) => {
    const place = [name, ...option.aliases].map((known) => places.get(known)).find((found) => found !== undefined);
    // Most values are the default itself, and need no text for a comparison.
    if (place === undefined && !hasDefaults && byName[name] === option.default) return [];
    const value = show(name, option, byName[name]);
    const isShown = place !== undefined || hasDefaults || !isDefault(name, option, value);
    return isShown ? [{ name, value, place: place ?? null }] : [];
  });
}

/** The defaults of options as JSON. A configuration with 200 programs compares 20,000 values with them. */
const defaults = new WeakMap<Option<unknown>, readonly string[]>();

function isDefault(name: string, option: Option<unknown>, value: Json): boolean {
  const known =
    defaults.get(option) ??
    [option.default, option.containerDefault].map((standard) => JSON.stringify(show(name, option, standard)));
  defaults.set(option, known);
  return known.includes(JSON.stringify(value));
}

function show(name: string, option: Option<unknown>, value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (option.isSecret) return HIDDEN;
  const shown = option.type.show === undefined ? (value as Json) : option.type.show(value);
  if (!VARIABLES.has(name)) return hide(shown);
  return Object.fromEntries(Object.keys(shown ?? {}).map((variable) => [variable.toWellFormed(), HIDDEN]));
}

/** Hides secrets in all texts of a value, and replaces bytes that are not UTF-8: JSON is text. */
function hide(value: Json): Json {
  if (typeof value === 'string') return hideSecrets(value).toWellFormed();
  if (typeof value !== 'object' || value === null) return value;
  // No option has such a value. A later one must not show a secret by mistake.
  return isList(value) ? value.map(hide) : HIDDEN;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
