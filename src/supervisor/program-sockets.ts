/**
 * The sockets of programs: those of `listen`, which programs share by their addresses, and the socket of each
 * `[fcgi-program:x]`. Starts no process.
 *
 * A socket of `listen` is open for as long as a program names it, so that connections wait while the program restarts
 * or is stopped. It closes when all its programs are FATAL, and opens again at the next start. A shutdown closes our
 * descriptors at once: then the socket ends with the programs that have it. A socket of FastCGI is open from the first
 * start until no process of the program runs or is due to start.
 */
import type { Owner } from '../core/file-access.ts';
import type { Config, GroupConfig, ProcessConfig } from '../config/model.ts';
import { formatProblem } from '../config/problems.ts';
import { sectionNameOf } from '../config/section-names.ts';
import { requirementOf } from '../config/shared-sockets.ts';
import type { ListenSpec } from '../core/listen-spec.ts';
import { isSameAddress } from '../core/same-address.ts';
import { formatSocketAddress, type SocketAddress } from '../core/socket-address.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { Addon } from '../native/addon.ts';
import { lookUpOwner } from '../process/credentials.ts';
import { type ListeningSocket, ListeningSocketError, type ListenRequest } from '../process/listening-socket.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { OpenSockets } from './open-sockets.ts';

/** compat: mode and backlog if `socket_mode` and `socket_backlog` are not set. The kernel limits the backlog, too. */
const DEFAULT_MODE = 0o700;
const DEFAULT_BACKLOG = 4096;
/** Ports below this one may be reserved for root (ip(7), ip_unprivileged_port_start). */
const FIRST_FREE_PORT = 1024;

/** A socket for a program: its descriptor in the supervisor, and its name in LISTEN_FDNAMES. */
export interface PassedSocket {
  readonly fd: number;
  readonly name: string;
}

/** A socket of a changed configuration that cannot be opened. The message names file, line and option. */
export class SocketRefusal extends Error {
  override readonly name = 'SocketRefusal';

  /** The message, under the name that answers of the supervisor have for it. */
  get refused(): string {
    return this.message;
  }
}

/** Sockets of a group whose update is under way. */
export interface PendingSockets {
  /** Opens those sockets that need the ports of sockets which the group has given up. Throws {@link SocketRefusal}. */
  complete(): void;
  /** Ends the update. Sockets that nothing needs any more are closed, also those that were opened for it. */
  end(): void;
  /** Ends an update that was refused: permissions of sockets are as before. */
  undo(): void;
}

/** Parts of {@link ProgramSockets} that exist only once the supervisor runs. */
interface RunningParts {
  readonly engine: () => Pick<Engine, 'processes' | 'process'>;
  readonly report: Report;
}

/** The processes that name a socket. */
interface SocketUsers {
  readonly ids: string[];
  /** Index of the process that was the latest one found to need the socket. */
  neededAt: number;
}

/** The open sockets of all programs. */
export class ProgramSockets {
  readonly #addon: Addon;
  readonly #sockets: OpenSockets;
  readonly #early: Array<Parameters<Report>> = [];
  /** Sockets that updates under way need. */
  readonly #pending = new Set<ReadonlySet<string>>();
  /** By the key of the socket, computed on first use. */
  #users: Map<string, SocketUsers> | null = null;
  #engine: RunningParts['engine'] = () => ({ processes: () => [], process: () => null });
  #report: Report = (...line) => void this.#early.push(line);
  /** User that the supervisor becomes. A socket that is closed then may be impossible to open again. */
  #ownUser: Owner | null = null;

  constructor(addon: Addon) {
    this.#addon = addon;
    this.#sockets = new OpenSockets(addon, (...line) => this.#report(...line));
  }

  /** Reports from now on to the log, first everything that was to be reported until now. */
  attach({ engine, report }: RunningParts): void {
    this.#engine = engine;
    this.#report = report;
    for (const line of this.#early.splice(0)) report(...line);
  }

  /**
   * Opens the sockets of `listen` of a whole configuration, at the start before the supervisor gives up root, and
   * closes those of another configuration.
   */
  begin({ groups, supervisord: { user } }: Pick<Config, 'groups' | 'supervisord'>): void {
    this.#ownUser = user;
    this.#users = null;
    const needed = new Set<string>();
    for (const proc of groups.flatMap(({ processes }) => processes))
      for (const key of listenKeysOf(proc)) needed.add(key);
    this.#sockets.closeExcept((key) => needed.has(key));
    this.openAll(groups);
  }

  /** Opens the sockets of groups. A failure is reported, and each start tries again. */
  openAll(groups: readonly GroupConfig[]): void {
    for (const proc of groups.flatMap(({ processes }) => processes)) {
      for (const spec of proc.options.listen) {
        try {
          this.#openOrPermit(spec, proc);
        } catch (error) {
          if (!isRefusal(error)) throw error;
          this.#report('error', describeRefusal(proc, spec, error));
        }
      }
    }
  }

  /** Returns the sockets of `listen` for a process that is about to start. Throws {@link SpawnError}. */
  passedTo(proc: ProcessConfig): PassedSocket[] {
    return proc.options.listen.map((spec) => {
      try {
        const fd = this.#sockets.open(keyOf(spec.address), this.#requestOf(spec, proc));
        return { fd, name: spec.name ?? proc.program };
      } catch (error) {
        if (!(error instanceof ListeningSocketError)) throw error;
        throw new SpawnError('descriptors', error.code, reasonOf(spec, error));
      }
    });
  }

  /** Returns the sockets of `listen`; null if one is not open. A socket that is opened again is another object. */
  findAll({ options }: ProcessConfig): ReadonlyArray<Pick<ListeningSocket, 'fd'>> | null {
    const found = options.listen.flatMap(({ address }) => this.#sockets.find(keyOf(address)) ?? []);
    return found.length === options.listen.length ? found : null;
  }

  /**
   * Returns the standard input of a FastCGI program that is about to start: its socket; null for a program of another
   * kind. Throws {@link SpawnError}.
   */
  inputOf(proc: ProcessConfig): number | null {
    const { socket: address, socket_backlog, socket_mode, socket_owner } = proc.options;
    if (proc.type !== 'fcgi-program' || address === undefined) return null;
    try {
      return this.#sockets.open(fastCgiKeyOf(proc, address), {
        address,
        backlog: socket_backlog ?? DEFAULT_BACKLOG,
        mode: socket_mode ?? DEFAULT_MODE,
        owner: address.kind === 'unix' ? this.#ownerOf(socket_owner ?? null, proc) : null,
        replaces: 'any',
      });
    } catch (error) {
      if (!(error instanceof ListeningSocketError)) throw error;
      // compat: the text is that of supervisor.process.FastCGIProcessGroup.
      const text = `Could not create FastCGI socket ${formatSocketAddress(address)}: ${error.message}`;
      throw new SpawnError('stdio', error.code, text);
    }
  }

  /**
   * Opens the sockets that a changed or added group needs, while its former processes run. If one is refused, throws
   * {@link SocketRefusal}, and everything is as it was.
   */
  prepare(group: GroupConfig): PendingSockets {
    const wanted = group.processes.flatMap((proc) => proc.options.listen.map((spec) => ({ proc, spec })));
    const keys = new Set(wanted.map(({ spec }) => keyOf(spec.address)));
    const isBlocked = ({ spec }: { spec: ListenSpec }): boolean => this.#isBlocked(spec.address);
    const blocked = wanted.filter(isBlocked);
    const undoes: Array<() => void> = [];
    const end = (): void => {
      this.#pending.delete(keys);
      this.closeUnused();
    };
    const undo = (): void => {
      for (const restore of undoes.splice(0).toReversed()) restore();
      end();
    };
    const open = (some: typeof wanted): void => {
      for (const { proc, spec } of some) {
        try {
          undoes.push(this.#openOrPermit(spec, proc));
        } catch (error) {
          if (!isRefusal(error)) throw error;
          undo();
          throw new SocketRefusal(describeRefusal(proc, spec, error));
        }
      }
    };
    this.#pending.add(keys);
    open(wanted.filter((one) => !blocked.includes(one)));
    return {
      complete: () => {
        if (blocked.length > 0) this.closeUnused(group);
        open(blocked);
      },
      end,
      undo,
    };
  }

  /** Closes the sockets that no process needs any more after an event. */
  observe(event: EngineEvent): void {
    if (event.type === 'group' || event.type === 'configured') this.#users = null;
    if (event.type === 'group') return this.closeUnused();
    if (event.type !== 'process' || !mayNeedLess(event.process)) return;
    for (const key of keysOf(event.process.config))
      if (this.#sockets.find(key) !== null && !this.#isNeeded(key)) this.#sockets.close(key);
  }

  /** Closes the sockets that no process needs. `changed`: a group that is judged by its new configuration. */
  closeUnused(changed: GroupConfig | null = null): void {
    if (this.#sockets.isEmpty) return;
    const needed = new Set([...this.#pending].flatMap((keys) => [...keys]));
    for (const view of this.#engine().processes()) {
      for (const key of keysOf(view.config)) {
        const isOfChanged = !isFastCgi(key) && view.config.group === changed?.name;
        if (!isOfChanged && this.#needs(view, key)) needed.add(key);
      }
    }
    this.#sockets.closeExcept((key) => needed.has(key));
  }

  /** True if some process needs a socket. The one that needed it last is asked first. */
  #isNeeded(key: string): boolean {
    if ([...this.#pending].some((keys) => keys.has(key))) return true;
    this.#users ??= this.#listUsers();
    const users = this.#users.get(key);
    if (users === undefined) return false;
    const { ids, neededAt } = users;
    for (let step = 0; step < ids.length; step++) {
      const at = (neededAt + step) % ids.length;
      const view = this.#engine().process(ids[at] ?? '');
      if (view === null || !this.#needs(view, key)) continue;
      users.neededAt = at;
      return true;
    }
    return false;
  }

  #needs(view: ProcessView, key: string): boolean {
    return isFastCgi(key) ? isUpOrDue(view) : view.record.state !== 'FATAL' || this.#ownUser !== null;
  }

  #listUsers(): Map<string, SocketUsers> {
    const users = new Map<string, SocketUsers>();
    for (const { id, config } of this.#engine().processes()) {
      for (const key of keysOf(config)) {
        const known = users.get(key);
        if (known === undefined) users.set(key, { ids: [id], neededAt: 0 });
        else known.ids.push(id);
      }
    }
    return users;
  }

  /** Closes our descriptors at the begin of a shutdown, so that the sockets of `listen` end with their programs. */
  release(): void {
    this.#sockets.release((key) => !isFastCgi(key));
  }

  /** Closes all sockets. */
  closeAll(): void {
    this.#sockets.closeAll();
  }

  #openOrPermit(spec: ListenSpec, proc: ProcessConfig): () => void {
    const key = keyOf(spec.address);
    const request = this.#requestOf(spec, proc);
    if (this.#sockets.find(key) !== null) return this.#sockets.permit(key, request);
    this.#sockets.open(key, request);
    return () => undefined;
  }

  /** True if one of our own sockets has the port of an address that is not open. */
  #isBlocked(address: SocketAddress): boolean {
    if (address.kind === 'unix' || this.#sockets.find(keyOf(address)) !== null) return false;
    return [...this.#sockets.requests.values()].some(
      ({ address: other }) => other.kind === 'tcp' && isSameAddress(other, address),
    );
  }

  #requestOf(spec: ListenSpec, proc: ProcessConfig): ListenRequest {
    const { address } = spec;
    const { mode } = requirementOf(spec, proc.options);
    return {
      address,
      mode,
      owner: address.kind === 'unix' ? this.#ownerOf(spec.owner, proc) : null,
      backlog: DEFAULT_BACKLOG,
      replaces: 'stale',
    };
  }

  /** compat: without an owner the socket belongs to the user of the program. Only root can change the owner. */
  #ownerOf(named: ListenSpec['owner'], { options }: ProcessConfig): ListenRequest['owner'] {
    const owner = named ?? (process.getuid?.() === 0 ? (options.user ?? this.#ownUser) : null);
    return owner === null ? null : lookUpOwner(this.#addon, owner);
  }
}

/** Beginning of the keys of sockets of FastCGI programs, which no other program shares. */
const FASTCGI = 'fcgi ';

function fastCgiKeyOf({ group, program }: ProcessConfig, address: SocketAddress): string {
  return `${FASTCGI}${group}:${program} ${formatSocketAddress(address)}`;
}

function keyOf(address: SocketAddress): string {
  return formatSocketAddress(address);
}

function isFastCgi(key: string): boolean {
  return key.startsWith(FASTCGI);
}

function listenKeysOf({ options }: ProcessConfig): string[] {
  return options.listen.map(({ address }) => keyOf(address));
}

/** Shared by the many processes without. */
const NO_KEYS: readonly string[] = [];

/** Returns the keys of all sockets of a process. */
function keysOf(proc: ProcessConfig): readonly string[] {
  const { listen, socket } = proc.options;
  if (listen.length === 0 && socket === undefined) return NO_KEYS;
  return socket === undefined ? listenKeysOf(proc) : [...listenKeysOf(proc), fastCgiKeyOf(proc, socket)];
}

/** Returns the paths of all unix sockets of a process. */
export function pathsOfSockets({ options: { listen, socket } }: ProcessConfig): string[] {
  const addresses = [...listen.map(({ address }) => address), ...(socket === undefined ? [] : [socket])];
  return addresses.flatMap((address) => (address.kind === 'unix' ? [address.path] : []));
}

function isUpOrDue({ record }: Pick<ProcessView, 'record'>): boolean {
  return record.pid !== null || record.deadlineMs !== null || record.state === 'STARTING';
}

function isRefusal(error: unknown): error is ListeningSocketError | SpawnError {
  return error instanceof ListeningSocketError || error instanceof SpawnError;
}

function reasonOf(
  { address }: ListenSpec,
  { code, message }: { readonly code: string; readonly message: string },
): string {
  const isReserved = code === 'EACCES' && address.kind === 'tcp' && address.port < FIRST_FREE_PORT;
  const advice = isReserved ? '; only root or CAP_NET_BIND_SERVICE may use this port' : '';
  return `cannot listen at ${formatSocketAddress(address)}: ${message}${advice}`;
}

function describeRefusal(proc: ProcessConfig, spec: ListenSpec, error: ListeningSocketError | SpawnError): string {
  const section = sectionNameOf(proc);
  return formatProblem({ ...proc.listenPlace, section, option: 'listen', reason: reasonOf(spec, error) });
}

/** True if a process may need fewer sockets than before. */
function mayNeedLess({ config: { options }, record }: ProcessView): boolean {
  return (
    (options.listen.length > 0 && record.state === 'FATAL') || (options.socket !== undefined && !isUpOrDue({ record }))
  );
}
