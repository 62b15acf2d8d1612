/**
 * Reads the sections other than programs: HTTP servers, supervisorctl, plug-ins. Pure.
 */
import { hasApiUsers } from './api-users.ts';
import { isLoopback } from '../core/loopback.ts';
import { isSameAddress } from '../core/same-address.ts';
import type { InetAddress } from './datatypes.ts';
import type { Document, RawSection } from './dialect.ts';
import { findFactory } from './known-plugins.ts';
import type { PluginConfig } from './model.ts';
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
import { isModulePath } from './plugin-module.ts';
import type { SectionReader } from './section-reader.ts';
import type { SectionView } from './section-view.ts';

const MAIN_INTERFACE = 'supervisor.rpcinterface:make_main_rpcinterface';

/** compat: every section that begins with the name counts, as in Supervisor: `[inet_http_server:public]`. */
function sectionsFrom(document: Document, start: string): RawSection[] {
  return [...document.sections.values()].filter(({ name }) => name.startsWith(start));
}

/**
 * Returns the TCP servers to open. If other machines could reach a server without a password, its address is changed to
 * loopback, where supervisorctl still finds it (CVE-2019-12105).
 */
export function readInetServers(document: Document, reader: SectionReader): InetServerOptions[] {
  const moved = new Set<InetServerOptions>();
  const hasUsers = hasApiUsers(document);
  const views = new Map<InetServerOptions, SectionView>();
  const servers = sectionsFrom(document, 'inet_http_server').map((section) => {
    reader.warnUnknown(section, [inetServerOptions]);
    const view = reader.open(section, [document.defaults]);
    const server = readCredentials(view, reader.read(view, inetServerOptions, null));
    // An empty password counts as none: it comes from a variable that is not set.
    const hasPassword = hasUsers || (server.password !== null && server.password !== '');
    if (hasPassword || server.allow_insecure || isLoopback(server.port.host)) {
      views.set(server, view);
      return server;
    }
    const host = server.port.host.includes(':') ? '::1' : '127.0.0.1';
    view.warn(
      'port',
      `anyone who can reach this address could run any command, so it is opened on ${host} only; ` +
        'set username and password, or allow_insecure=true',
    );
    const safe = { ...server, port: { ...server.port, host } };
    moved.add(safe);
    return safe;
  });
  reportSameAddresses(views);
  // Leave out a moved server if another server has its address already.
  return servers.filter((server, index) => {
    const others = servers.filter((other, at) => other !== server && (!moved.has(other) || at < index));
    return !moved.has(server) || !others.some((other) => occupies(other.port, server.port));
  });
}

/** Warns of a server whose address another one has already. A server that was moved to loopback is left out. */
function reportSameAddresses(views: ReadonlyMap<InetServerOptions, SectionView>): void {
  const all = [...views.entries()];
  for (const [index, [server, view]] of all.entries()) {
    const other = all.slice(0, index).find(([before]) => isSameAddress(before.port, server.port));
    if (other !== undefined)
      view.warn(
        'port',
        `is the port of [${other[1].name}] too, and only one server can listen there; use another port`,
      );
  }
}

/** True if a server at one address listens at a loopback address too. */
function occupies({ host, port }: InetAddress, loopback: InetAddress): boolean {
  return port === loopback.port && ['', 'localhost', '0.0.0.0', '::', loopback.host].includes(host);
}

/** Returns the servers on unix sockets. */
export function readUnixServers(document: Document, reader: SectionReader): UnixServerOptions[] {
  return sectionsFrom(document, 'unix_http_server').map((section) => {
    reader.warnUnknown(section, [unixServerOptions]);
    const view = reader.open(section, [document.defaults]);
    return readCredentials(view, reader.read(view, unixServerOptions, null));
  });
}

/**
 * Checks that a server has both user and password, or none. compat: a server whose user is empty has no authentication
 * (supervisor.http.make_http_servers). Here it keeps a password that is not empty.
 */
function readCredentials<T extends UnixServerOptions | InetServerOptions>(view: SectionView, server: T): T {
  const { username, password } = server;
  if ((username === null) === (password === null))
    return username === '' && password === '' ? { ...server, username: null, password: null } : server;
  const [there, missing] = username === null ? ['password', 'username'] : ['username', 'password'];
  view.error(missing, `is missing, but ${there} is set; set both or none`, there);
  return server;
}

/** Returns the options of `[supervisorctl]`; null if there is no such section. */
export function readCtlOptions(document: Document, reader: SectionReader): CtlOptions | null {
  const section = document.sections.get('supervisorctl');
  if (section === undefined) return null;
  reader.warnUnknown(section, [ctlOptions]);
  return reader.read(reader.open(section, [document.defaults]), ctlOptions, null);
}

/** A kind of plug-in section. */
interface PluginKind {
  /** Beginning of the section name. */
  readonly start: string;
  readonly table: Table;
  /** Name of the option with the factory. */
  readonly factory: string;
  /** Factory in Python that is built in; null if there is none. */
  readonly builtIn: string | null;
  /** Things that a plug-in adds. */
  readonly adds: string;
}

const RPC_INTERFACES: PluginKind = {
  start: 'rpcinterface:',
  table: rpcInterfaceOptions,
  factory: 'supervisor.rpcinterface_factory',
  builtIn: MAIN_INTERFACE,
  adds: 'methods',
};

const CTL_PLUGINS: PluginKind = {
  start: 'ctlplugin:',
  table: ctlPluginOptions,
  factory: 'supervisor.ctl_factory',
  builtIn: null,
  adds: 'commands',
};

/** Returns each `[rpcinterface:x]`. The main interface is built in. The supervisor loads modules of JavaScript. */
export function readRpcInterfaces(document: Document, reader: SectionReader): PluginConfig[] {
  return readPlugins(document, reader, RPC_INTERFACES);
}

/** Returns each `[ctlplugin:x]`. The client loads modules of JavaScript. */
export function readCtlPlugins(document: Document, reader: SectionReader): PluginConfig[] {
  return readPlugins(document, reader, CTL_PLUGINS);
}

function readPlugins(document: Document, reader: SectionReader, kind: PluginKind): PluginConfig[] {
  return sectionsFrom(document, kind.start).map((section) => {
    const view = reader.open(section, [document.defaults]);
    const factory = String(reader.read(view, kind.table, null)[kind.factory]);
    if (factory !== '' && factory !== kind.builtIn && !isModulePath(factory))
      view.warn(kind.factory, explainPython(factory, kind.adds), null);
    const names = [...new Set([...document.defaults.keys(), ...section.options.keys()])].filter(
      (name) => name !== kind.factory,
    );
    const options = new Map(names.map((name) => [name, reader.readText(view, name)]));
    return { name: section.name.slice(kind.start.length), factory, options };
  });
}

/** Explains that a factory in Python cannot be loaded, and names the replacement that is built in. */
function explainPython(factory: string, adds: string): string {
  const instead = findFactory(factory)?.instead;
  const hint = instead === undefined ? '' : `; ${instead}`;
  return `"${factory}" is Python and cannot be loaded; its ${adds} are not available${hint}`;
}
