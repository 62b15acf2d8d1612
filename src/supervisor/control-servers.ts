/**
 * Opens and closes the HTTP servers of a configuration. A container without a unix server gets a private control
 * socket. The routes come from server-routes.ts.
 */
import type { Config } from '../config/model.ts';
import { isAbstract, isTrustedPeer, type Peer } from '../core/control-socket.ts';
import type { Report } from '../engine/ports.ts';
import type { HttpUser } from '../http/authentication.ts';
import {
  closeServers,
  inetSpec,
  openServer,
  openServers,
  type OpenServer,
  type OwnerLookup,
  type ServerSpec,
  unixSpec,
} from '../http/open-servers.ts';
import { ListenError } from '../http/listen-error.ts';
import type { Route } from '../http/route.ts';

/** Mode of the private control socket: for our own user only. */
const PRIVATE_MODE = 0o700;

/** Parts of {@link ControlServers}. */
export interface ControlServersParts {
  readonly report: Report;
  readonly lookUpOwner: OwnerLookup;
  /** Possible paths of the private control socket, the preferred one first. Empty outside containers. */
  readonly privateAddresses: readonly string[];
  /** Finds the process at the other end of a connection; null if the kernel does not know it. */
  readonly peerOf: (fd: number) => Peer | null;
}

/** The open servers. */
export class ControlServers {
  readonly #parts: ControlServersParts;
  #servers: readonly OpenServer[] = [];
  #serverUrl: string | null = null;
  /** The last opening; never rejects. */
  #opening: Promise<void> = Promise.resolve();

  constructor(parts: ControlServersParts) {
    this.#parts = parts;
  }

  /** Value of SUPERVISOR_SERVER_URL for programs; null if there is no server. */
  get serverUrl(): string | null {
    return this.#serverUrl;
  }

  /** Opens the servers of a configuration, all or none. Rejects with a {@link ListenError}. */
  open(config: Config, routes: readonly Route[]): Promise<void> {
    const opening = this.#open(config, routes);
    // The caller gets the error.
    this.#opening = opening.catch(() => undefined);
    return opening;
  }

  async #open(config: Config, routes: readonly Route[]): Promise<void> {
    const { report, lookUpOwner, peerOf } = this.#parts;
    const users = usersOf(config);
    const specs: ServerSpec[] = [
      ...config.unixServers.map((server) => unixSpec(server, lookUpOwner, peerOf, users)),
      ...config.inetServers.map((server) => inetSpec(server, users)),
    ];
    this.#servers = await openServers(specs, routes, report);
    if (config.unixServers.length === 0)
      await this.#openPrivate(routes, users, config.main !== null && config.groups.length === 1);
    this.#serverUrl =
      config.unixServers.length === 0 && config.inetServers[0] !== undefined
        ? urlOfInet(config.inetServers[0].port)
        : urlOfUnix(this.#servers.find(({ port }) => port === null)?.address);
  }

  /** Closes all servers, also those that are being opened: their sockets would stay in the file system. */
  async close(): Promise<void> {
    await this.#opening;
    await closeServers(this.#servers);
    this.#servers = [];
    this.#serverUrl = null;
  }

  /**
   * Opens the private control socket at the first path that works. If none works, the supervisor runs without a socket.
   */
  async #openPrivate(routes: readonly Route[], users: readonly HttpUser[], isAlone: boolean): Promise<void> {
    const { report, privateAddresses } = this.#parts;
    const failures: ListenError[] = [];
    for (const address of privateAddresses) {
      try {
        const server = await openServer({ ...this.#privateSpec(address), users }, routes, report);
        this.#servers = [...this.#servers, server];
        const taken = failures.find(({ code }) => code === 'inUse');
        if (taken !== undefined)
          report('warn', `the control socket is ${address}: another supervisor listens on ${taken.address}`);
        return;
      } catch (error) {
        if (!(error instanceof ListenError)) throw error;
        failures.push(error);
      }
    }
    // A main program alone needs little control.
    if (failures.length > 0)
      report(
        isAlone ? 'debug' : 'warn',
        'cannot open a control socket, so supervisorctl will not work: ' +
          failures.map(({ message }) => message).join('; '),
      );
  }

  #privateSpec(address: string): ServerSpec {
    const credentials = { username: null, password: null };
    const { peerOf } = this.#parts;
    if (!isAbstract(address))
      return { kind: 'unix', path: address, mode: PRIVATE_MODE, owner: null, credentials, peerOf };
    const isAllowed = (peer: Peer | null): boolean => peer !== null && isTrustedPeer(peer, process.getuid?.() ?? 0);
    return { kind: 'abstract', path: address, isAllowed, credentials, peerOf };
  }
}

/** Returns the users that are valid on every server. */
function usersOf({ apiUsers }: Config): HttpUser[] {
  return apiUsers.flatMap(({ name, password, options: { role } }) =>
    password === null ? [] : [{ name, password, role }],
  );
}

function urlOfUnix(path: string | undefined): string | null {
  return path === undefined ? null : `unix://${path}`;
}

function urlOfInet({ host, port }: { readonly host: string; readonly port: number }): string {
  const shown = host.includes(':') ? `[${host}]` : host;
  return `http://${shown === '' ? 'localhost' : shown}:${port}`;
}
