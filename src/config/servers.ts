/**
 * The sections around the programs: HTTP servers, supervisorctl, plug-ins. Pure.
 */
import type { InetAddress } from './datatypes.ts';
import type { Document, RawSection } from './dialect.ts';
import { findFactory } from './known-plugins.ts';
import type { PluginConfig } from './model.ts';
import { isModulePath } from './plugin-module.ts';
import type { Table } from './option.ts';
import {
  type CtlOptions,
  ctlOptions,
  ctlPluginOptions,
  type InetServerOptions,
  inetServerOptions,
  rpcInterfaceOptions,
  type UnixServerOptions,
  unixServerOptions,
} from './options.ts';
import type { Problems } from './problems.ts';
import { chainLookup, type SectionReader } from './section-reader.ts';

const MAIN_INTERFACE = 'supervisor.rpcinterface:make_main_rpcinterface';

/** Whether an address is reached from this machine only. */
function isLoopback({ host }: InetAddress): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

/** compat: every section that begins with the name is one, as in Supervisor: `[inet_http_server:public]`. */
function sectionsFrom(document: Document, start: string): RawSection[] {
  return [...document.sections.values()].filter(({ name }) => name.startsWith(start));
}

/**
 * The TCP servers to open. One without a password that other machines could reach is opened on loopback only, where
 * supervisorctl finds it (CVE-2019-12105).
 */
export function readInetServers(document: Document, reader: SectionReader, problems: Problems): InetServerOptions[] {
  const moved = new Set<InetServerOptions>();
  const servers = sectionsFrom(document, 'inet_http_server').map((section) => {
    reader.warnUnknown(section, [inetServerOptions]);
    const server = reader.read(section, inetServerOptions, chainLookup(section.options, document.defaults), null);
    checkAuthentication(section, server, problems);
    if (server.password !== null || server.allow_insecure || isLoopback(server.port)) return server;
    const host = server.port.host.includes(':') ? '::1' : '127.0.0.1';
    const place = section.options.get('port')?.place ?? section.place;
    problems.warn(
      place,
      section.name,
      'port',
      `whoever can reach this address could run any command, so it is opened on ${host} only; set username and password, or allow_insecure=true`,
    );
    const safe = { ...server, port: { ...server.port, host } };
    moved.add(safe);
    return safe;
  });
  // An address that another server has already need not be opened a second time.
  return servers.filter((server, index) => {
    const others = servers.filter((other, at) => other !== server && (!moved.has(other) || at < index));
    return !moved.has(server) || !others.some((other) => occupies(other.port, server.port));
  });
}

/** True if a server at one address listens at a loopback address too. */
function occupies({ host, port }: InetAddress, loopback: InetAddress): boolean {
  return port === loopback.port && ['', 'localhost', '0.0.0.0', '::', loopback.host].includes(host);
}

/** The servers on unix sockets. */
export function readUnixServers(document: Document, reader: SectionReader, problems: Problems): UnixServerOptions[] {
  return sectionsFrom(document, 'unix_http_server').map((section) => {
    reader.warnUnknown(section, [unixServerOptions]);
    const server = reader.read(section, unixServerOptions, chainLookup(section.options, document.defaults), null);
    checkAuthentication(section, server, problems);
    return server;
  });
}

function checkAuthentication(
  section: RawSection,
  { username, password }: UnixServerOptions | InetServerOptions,
  problems: Problems,
): void {
  if ((username === null) === (password === null)) return;
  const [there, missing] = username === null ? ['password', 'username'] : ['username', 'password'];
  problems.error(
    section.options.get(there)?.place ?? section.place,
    section.name,
    missing,
    `is missing, while there is a ${there}; set both or none`,
  );
}

/** `[supervisorctl]`; null where there is none. */
export function readCtlOptions(document: Document, reader: SectionReader): CtlOptions | null {
  const section = document.sections.get('supervisorctl');
  if (section === undefined) return null;
  reader.warnUnknown(section, [ctlOptions]);
  return reader.read(section, ctlOptions, chainLookup(section.options, document.defaults), null);
}

/**
 * `[rpcinterface:x]`: the main one is built in, a module of JavaScript is loaded by who runs us; Python we cannot load.
 */
export function readRpcInterfaces(document: Document, reader: SectionReader, problems: Problems): PluginConfig[] {
  return readPlugins(document, reader, 'rpcinterface:', rpcInterfaceOptions, (section, factory) => {
    if (factory === MAIN_INTERFACE || factory === '' || isModulePath(factory)) return;
    problems.warn(section.place, section.name, 'supervisor.rpcinterface_factory', explainPython(factory, 'methods'));
  });
}

/** `[ctlplugin:x]`: a module of JavaScript is loaded by the client; Python we cannot load. */
export function readCtlPlugins(document: Document, reader: SectionReader, problems: Problems): PluginConfig[] {
  return readPlugins(document, reader, 'ctlplugin:', ctlPluginOptions, (section, factory) => {
    if (factory === '' || isModulePath(factory)) return;
    problems.warn(section.place, section.name, 'supervisor.ctl_factory', explainPython(factory, 'commands'));
  });
}

function explainPython(factory: string, what: string): string {
  const instead = findFactory(factory)?.instead;
  return `"${factory}" is Python and cannot be loaded; its ${what} are not there${instead === undefined ? '' : `; ${instead}`}`;
}

function readPlugins(
  document: Document,
  reader: SectionReader,
  start: string,
  table: Table,
  judge: (section: RawSection, factory: string) => void,
): PluginConfig[] {
  return sectionsFrom(document, start).map((section) => {
    const [factoryName = ''] = Object.keys(table);
    const lookup = chainLookup(section.options, document.defaults);
    const factory = String(reader.read(section, table, lookup, null)[factoryName]);
    judge(section, factory);
    const names = [...new Set([...document.defaults.keys(), ...section.options.keys()])].filter(
      (name) => name !== factoryName,
    );
    const options = new Map(names.map((name) => [name, reader.readText(section, name, lookup(name))]));
    return { name: section.name.slice(start.length), factory, options };
  });
}
