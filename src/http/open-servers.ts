/**
 * Opens the servers of a configuration, all or none. Refuses to serve other machines without a password.
 */
import type { AddressInfo, Server } from 'node:net';
import type { InetServerOptions, UnixServerOptions } from '../config/options.ts';
import { reasonOf } from '../core/error-text.ts';
import { type BasicCredentials, type HttpUser, usersOf } from './authentication.ts';
import type { Peer } from '../core/control-socket.ts';
import { descriptorOf, type OpenSocket, type PeerLookup } from './client.ts';
import { isLoopback } from '../core/loopback.ts';
import { createHostRule, trustedNames } from './host-rule.ts';
import { defaultLimits, type ServerLimits } from './limits.ts';
import { ListenError, listenErrorOf } from './listen-error.ts';
import type { Route } from './route.ts';
import { createBounds, createHttpServer, type Report, type ServerBounds } from './server.ts';
import { listenUnix, type UnixAddress } from './unix-socket.ts';

/** One server to open. */
export type ServerSpec = ServerAccess &
  (
    | ({ readonly kind: 'unix'; readonly peerOf: PeerLookup } & UnixAddress)
    /** `@NAME`. An abstract address has no mode, so `isAllowed` checks the peer of every connection. */
    | {
        readonly kind: 'abstract';
        readonly path: string;
        readonly isAllowed: (peer: Peer | null) => boolean;
        readonly peerOf: PeerLookup;
      }
    /** An empty `host` means all addresses of the machine. `isInsecureAllowed` is the option `allow_insecure`. */
    | {
        readonly kind: 'inet';
        readonly host: string;
        readonly port: number;
        readonly isInsecureAllowed: boolean;
        readonly allowedHosts?: readonly string[];
      }
  );

type AbstractSpec = Extract<ServerSpec, { kind: 'abstract' }>;

/** Access to a server. */
export interface ServerAccess {
  readonly credentials: BasicCredentials;
  /** The users of `[api_user:x]`, who are valid on every server. */
  readonly users?: readonly HttpUser[];
  /** Routes that need no password (`metrics_auth=false`, `probes_auth=false`). */
  readonly openAccess?: ReadonlyArray<'metrics_auth' | 'probes_auth'>;
}

/** A listening server. */
export interface OpenServer {
  /** The path, or host:port with the actual port. */
  readonly address: string;
  readonly port: number | null;
  /**
   * Removes the socket, stops listening, and ends unfinished answers within a time limit. Never rejects; errors are
   * reported.
   */
  readonly close: () => Promise<void>;
}

/** Looks up the numeric ids of the `chown` of a unix server. Returns null, after reporting the error, if it fails. */
export type OwnerLookup = (
  owner: NonNullable<UnixServerOptions['chown']>,
) => { readonly uid: number; readonly gid: number } | null;

/** Options that control the access to a route. */
const OPTIONAL_ACCESS = ['metrics_auth', 'probes_auth'] as const;

function openAccessOf(
  options: Pick<InetServerOptions, (typeof OPTIONAL_ACCESS)[number]>,
): NonNullable<ServerAccess['openAccess']> {
  return OPTIONAL_ACCESS.filter((name) => !options[name]);
}

/** Makes the spec of a `[unix_http_server]`. */
export function unixSpec(
  { file, chmod, chown, username, password, ...access }: UnixServerOptions,
  lookUpOwner: OwnerLookup,
  peerOf: PeerLookup,
  users: readonly HttpUser[] = [],
): ServerSpec {
  return {
    kind: 'unix',
    users,
    peerOf,
    path: file,
    mode: chmod,
    owner: chown === null ? null : lookUpOwner(chown),
    credentials: { username, password },
    openAccess: openAccessOf(access),
  };
}

/** Makes the spec of an `[inet_http_server]`. */
export function inetSpec(
  {
    port: { host, port },
    username,
    password,
    allow_insecure: isInsecureAllowed,
    allowed_hosts: allowedHosts,
    ...access
  }: InetServerOptions,
  users: readonly HttpUser[] = [],
): ServerSpec {
  return {
    kind: 'inet',
    users,
    host,
    port,
    isInsecureAllowed,
    allowedHosts,
    credentials: { username, password },
    openAccess: openAccessOf(access),
  };
}

function formatAddress(host: string, port: number): string {
  if (host === '') return `*:${port}`;
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function listenInet(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(listenErrorOf(formatAddress(host, port), error));
    server.once('error', fail);
    server.listen({ port, ...(host === '' ? {} : { host }) }, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
}

/** Listens on an abstract address, which needs no file system and disappears with the socket. */
function listenAbstract(server: Server, { path, isAllowed, peerOf }: AbstractSpec): Promise<void> {
  server.prependListener('connection', (socket: OpenSocket) => {
    if (!isAllowed(peerOf(descriptorOf(socket)))) socket.destroy();
  });
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void => reject(listenErrorOf(path, error));
    server.once('error', fail);
    server.listen({ path: `\0${path.slice(1)}` }, () => {
      server.removeListener('error', fail);
      resolve();
    });
  });
}

function openRoute(route: Route, { openAccess = [] }: ServerAccess): Route {
  return openAccess.some((name) => name === route.access) ? { ...route, access: 'open' } : route;
}

const INSECURE =
  'anyone who can reach this address could run any command; ' +
  'set username and password, or use 127.0.0.1, or set allow_insecure=true';

/** Opens one server. Rejects with a {@link ListenError}. */
export function openServer(
  spec: ServerSpec,
  routes: readonly Route[],
  report: Report,
  limits: ServerLimits = defaultLimits,
): Promise<OpenServer> {
  return openWithin(spec, routes, report, createBounds(limits));
}

async function openWithin(
  spec: ServerSpec,
  routes: readonly Route[],
  report: Report,
  bounds: ServerBounds,
): Promise<OpenServer> {
  const own = usersOf(spec.credentials);
  const users = [...own, ...(spec.users ?? [])];
  // A unix socket without a username is protected by its mode, also from the users that are configured.
  const isGuarded = (spec.kind === 'inet' ? users : own).length > 0;
  if (spec.kind === 'inet' && !isGuarded && !spec.isInsecureAllowed && !isLoopback(spec.host)) {
    throw new ListenError('insecure', formatAddress(spec.host, spec.port), INSECURE);
  }
  const allowedHosts = spec.kind === 'inet' ? (spec.allowedHosts ?? []) : [];
  const isHostAccepted =
    spec.kind === 'inet' && !isGuarded && !spec.isInsecureAllowed ? createHostRule(allowedHosts) : null;
  const { server, close } = createHttpServer(
    routes.map((route) => openRoute(route, spec)),
    {
      users,
      anonymousRole: isGuarded ? null : 'admin',
      isHostAccepted,
      trustedOrigins: trustedNames(allowedHosts),
      peerOf: spec.kind === 'inet' ? null : spec.peerOf,
    },
    bounds,
    report,
  );
  let removeSocket = async (): Promise<void> => undefined;
  if (spec.kind === 'unix') removeSocket = await listenUnix(server, spec, report);
  else if (spec.kind === 'abstract') await listenAbstract(server, spec);
  else await listenInet(server, spec.host, spec.port);
  const port = spec.kind === 'inet' ? (server.address() as AddressInfo).port : null;
  const address = spec.kind === 'inet' ? formatAddress(spec.host, port ?? spec.port) : spec.path;
  // compat: Supervisor's text. Only for TCP, because a unix socket is protected by its mode.
  if (spec.kind === 'inet' && !isGuarded)
    report('critical', "Server 'inet_http_server' running without any HTTP authentication checking");
  // For example, no free descriptor. The server keeps listening.
  server.on('error', (error) => report('error', `cannot accept a connection on ${address}: ${reasonOf(error)}`));
  return {
    address,
    port,
    close: async () => {
      await removeSocket().catch((error: unknown) => report('warn', `cannot remove ${address}: ${reasonOf(error)}`));
      await close();
    },
  };
}

/**
 * Opens all servers, in order. If one cannot be opened, closes the others and rejects with its {@link ListenError}.
 */
export async function openServers(
  specs: readonly ServerSpec[],
  routes: readonly Route[],
  report: Report,
  limits: ServerLimits = defaultLimits,
): Promise<OpenServer[]> {
  const open: OpenServer[] = [];
  try {
    const bounds = createBounds(limits);
    for (const spec of specs) open.push(await openWithin(spec, routes, report, bounds));
    return open;
  } catch (error) {
    await closeServers(open);
    throw error;
  }
}

/** Closes all servers at the same time. */
export async function closeServers(servers: readonly OpenServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()));
}
