/**
 * Finds the supervisor of our container. There are two ways: the private control socket at its known addresses, and the
 * process that runs the container, whose configuration names its servers. A socket counts only if the process behind it
 * is in our PID and mount namespaces (SO_PEERCRED), since containers may share a directory or the network. Changes
 * nothing and never waits.
 */
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { readSwitch } from '../config/environment.ts';
import { noFlags, parseFlags } from '../config/flags.ts';
import { readServerConfig } from '../config/read-for-client.ts';
import { openSource, type Source } from '../config/source.ts';
import { isMainProcess, isSupervisorName } from '../core/container-mode.ts';
import { controlSocketPaths, isAbstract, isTrustedPeer, type NamespaceIds, type Peer } from '../core/control-socket.ts';
import type { Endpoint } from '../ctl/transport.ts';
import type { Discovery, FoundSupervisor } from '../ctl/discovery.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { AddonLoadError, loadAddon } from '../native/load.ts';
import { chooseProgram } from './choose-program.ts';
import { hasContainerMark, readAncestor, readAncestors } from './container-facts.ts';
import { isDetached } from './daemon.ts';
import { hasFirstAbove, isCommandOfContainer, isInOurContainer } from './main-process.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The functions of the addon that this file needs. */
export interface PeerLookup {
  peerAt(path: string, out: Uint32Array): number;
}

/** Facts about the process that searches. */
export interface SearchContext {
  readonly env: Environment;
  readonly cwd: string;
  readonly pid: number;
  readonly uid: number;
  readonly calledAs: string;
  /** Loads the addon; null if that is impossible. Called only if there is a socket to check. */
  readonly peers: () => PeerLookup | null;
}

type Servers = ReturnType<typeof readServerConfig>;

/** A running supervisor. */
export interface SupervisorProcess {
  readonly pid: number;
  /** Command line, starting with the name of the supervisor. */
  readonly words: readonly string[];
}

/** Reads the inode numbers of our namespaces. They are empty without /proc. */
export function readNamespaceIds(): NamespaceIds {
  return { pid: readNamespace('pid'), mount: readNamespace('mnt') };
}

function readNamespace(kind: string): string {
  return /\d+/.exec(readLink(`/proc/self/ns/${kind}`) ?? '')?.[0] ?? '';
}

function readLink(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch {
    // ENOENT: there is no /proc, or the process has ended. EACCES: it belongs to another user.
    return null;
  }
}

/**
 * Finds the supervisor that runs this container: PID 1, or the main process below an init or a shell. Null if there is
 * none other than ourselves.
 */
export function findMainSupervisor(env: Environment, ownPid: number): SupervisorProcess | null {
  if (ownPid === 1) return null;
  const first = readSupervisor(1);
  if (first !== null && hasOurMounts(1)) return first;
  if (!hasContainerMark(env)) return null;
  return (
    listSupervisors(ownPid).find(
      ({ pid, words }) => !isDetached(words.slice(1)) && hasOnlyInitsAbove(pid) && hasOurMounts(pid),
    ) ?? null
  );
}

/**
 * Finds the only daemon of this container, as an entrypoint script starts one. Null if there are several, and with
 * `ONEVISOR_CONTAINER=0`: on a machine that is no container, each daemon belongs to its configuration file.
 */
function findOnlyDaemon(env: Environment, ownPid: number): SupervisorProcess | null {
  if (env['ONEVISOR_CONTAINER'] === '0' || !hasContainerMark(env)) return null;
  const daemons = listSupervisors(ownPid).filter(({ pid, words }) => isDetached(words.slice(1)) && hasOurMounts(pid));
  return daemons.length === 1 ? (daemons[0] ?? null) : null;
}

function listSupervisors(ownPid: number): SupervisorProcess[] {
  return listProcesses()
    .map((pid) => (pid === ownPid ? null : readSupervisor(pid)))
    .filter((proc) => proc !== null);
}

function hasOnlyInitsAbove(pid: number): boolean {
  const parent = readAncestor(pid)?.parent;
  return (
    parent !== undefined &&
    isMainProcess({ hasMark: true, isUnderSystemd: false, output: 'different', ancestors: readAncestors(parent) })
  );
}

/** Reads a process. Null unless it is a supervisor: clients may have the same name. */
function readSupervisor(pid: number): SupervisorProcess | null {
  const proc = readAncestor(pid);
  if (proc === null || !isSupervisorName(proc)) return null;
  // Supervisor is a script. Its command line has Python before the script.
  const words = /python/.test(proc.words[0] ?? '') ? proc.words.slice(1) : proc.words;
  const isMain = (): boolean => pid === 1 || (hasFirstAbove(pid, proc.parent) && hasOnlyInitsAbove(pid));
  const { program } = chooseProgram(words[0] ?? proc.name, words.slice(1), isMain);
  return program === 'supervise' || program === 'demo' ? { pid, words } : null;
}

function listProcesses(): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .toSorted((a, b) => a - b);
  } catch {
    // Without /proc no process can be seen.
    return [];
  }
}

/**
 * True if a process has the same mounts as we do, so it is in our container. This tells containers apart that share a
 * PID namespace: the IDs of their first mounts differ.
 */
export function hasOurMounts(pid: number | 'self'): boolean {
  const [theirs, ours] = [pid, 'self'].map((name) => readText(`/proc/${name}/mountinfo`)?.split('\n', 1)[0] ?? null);
  return theirs === ours;
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // ENOENT, EACCES: the process has ended, or belongs to another user.
    return null;
  }
}

/** Finds supervisors for a client, or for a supervisor that must be the only one. */
export class SupervisorFinder implements Discovery {
  readonly #context: SearchContext;
  readonly #addresses: readonly string[];
  #peers: PeerLookup | null | undefined;
  #denied: string | null = null;

  constructor(seeker: SearchContext) {
    this.#context = seeker;
    const { env } = seeker;
    const addresses = controlSocketPaths(env, readNamespaceIds());
    // Outside containers no supervisor has an abstract address, and checking one would need the addon.
    this.#addresses =
      hasContainerMark(env) || readSupervisor(1) !== null
        ? addresses
        : addresses.filter((address) => !isAbstract(address));
  }

  get firstAddress(): string {
    return this.#addresses.find((address) => this.#ask(address) === null) ?? '';
  }

  find(): FoundSupervisor | null {
    const { env, pid } = this.#context;
    const main = findMainSupervisor(env, pid) ?? findOnlyDaemon(env, pid);
    if (main === null) return null;
    const source = this.#sourceOf(main);
    const servers = this.#serversOf(main, source);
    const endpoint =
      unixOf(servers, (path) => this.answers(path)) ??
      endpointAt(this.privateSocket()) ??
      inetOf(servers) ??
      endpointAt(this.#denied);
    const file = servers.file !== null && source.read(servers.file).ok ? servers.file : null;
    return endpoint === null ? null : { ...endpoint, file };
  }

  /** Returns the pid of another supervisor in this container. Null if there is none, and outside containers. */
  runningPid(): number | null {
    const { env, pid } = this.#context;
    const main = findMainSupervisor(env, pid);
    if (main !== null || !hasContainerMark(env)) return main?.pid ?? null;
    const socket = this.privateSocket();
    return socket === null ? null : (this.#ask(socket)?.pid ?? null);
  }

  /** True if any other supervisor runs in this container, also a daemon that an entrypoint script has started. */
  isContainerSupervised(): boolean {
    return listSupervisors(this.#context.pid).some(({ pid }) => isInOurContainer(pid)) || this.runningPid() !== null;
  }

  serverOf(file: string): Endpoint | null {
    const { env, cwd, calledAs } = this.#context;
    if (!hasContainerMark(env) && readSupervisor(1) === null) return null;
    const servers = readServerConfig(
      { ...openSource(env, null), cwd },
      { isContainer: true, isStatic: false, flags: { ...noFlags, file }, executable: calledAs },
    );
    return unixOf(servers, (path) => this.answers(path));
  }

  privateSocket(): string | null {
    return this.#addresses.find((address) => this.answers(address)) ?? null;
  }

  answers(path: string): boolean {
    // Check that a file exists before the addon is loaded for it.
    if (!isAbstract(path) && !existsSync(path)) return false;
    this.#peers = this.#peers === undefined ? this.#context.peers() : this.#peers;
    if (this.#peers === null) return !isAbstract(path) && statSync(path).isSocket();
    const peer = this.#ask(path);
    return peer !== null && this.#isOurs(peer);
  }

  /** Returns the process that listens at an address. Null if there is none, or if we have no permission. */
  #ask(path: string): Peer | null {
    const out = new Uint32Array(2);
    const errno = this.#peers?.peerAt(path, out) ?? constants.errno.ENOSYS;
    if (errno === constants.errno.EACCES) this.#denied ??= path;
    return errno === 0 ? { pid: out[0] ?? 0, uid: out[1] ?? 0 } : null;
  }

  /**
   * True if a socket is trusted. Root may use the socket of a supervisor of any user, but not that of any other
   * process.
   */
  #isOurs(peer: Peer): boolean {
    const { uid } = this.#context;
    const isTrusted = isTrustedPeer(peer, uid) || (uid === 0 && peer.pid !== 0 && readSupervisor(peer.pid) !== null);
    return isTrusted && hasOurMounts(peer.pid);
  }

  /** Returns the file system and environment as that process sees them, if we may read them. */
  #sourceOf({ pid }: SupervisorProcess): Source {
    const { env, cwd } = this.#context;
    const text = readText(`/proc/${pid}/environ`) ?? '';
    return {
      ...openSource(text === '' ? env : parseEnvironment(text), null),
      cwd: readLink(`/proc/${pid}/cwd`) ?? cwd,
    };
  }

  #serversOf({ words: [name = '', ...args] }: SupervisorProcess, source: Source): Servers {
    const isDaemon = isDetached(args);
    const outcome = parseFlags(isDaemon ? args.slice(1) : args, 'take');
    const flags = outcome.kind === 'run' ? outcome.flags : noFlags;
    return readServerConfig(source, {
      isContainer: !isDaemon,
      isStatic: false,
      flags,
      executable: name.startsWith('/') ? name : this.#context.calledAs,
    });
  }
}

/**
 * Creates the finder of a client. The addon is loaded when there is a socket to check. Without the addon, any existing
 * socket counts.
 */
export function openDiscovery(env: Environment, cwd: string, calledAs: string): SupervisorFinder {
  const peers = (): PeerLookup | null => {
    try {
      return loadAddon();
    } catch (error) {
      if (!(error instanceof AddonLoadError)) throw error;
      return null;
    }
  };
  return new SupervisorFinder({ env, cwd, pid: process.pid, uid: process.getuid?.() ?? 0, calledAs, peers });
}

/** True if a word after our name is the command of our container. Our process is not PID 1, and has this parent. */
export function isOwnContainerCommand(env: Environment, parent: number): boolean {
  const finder = openDiscovery(env, currentDirectory(), '');
  const mode = readSwitch(env, 'ONEVISOR_CONTAINER');
  const self = { pid: process.pid, parent };
  return isCommandOfContainer({ env, self, mode, isSupervised: () => finder.isContainerSupervised() });
}

function unixOf({ unixServers }: Servers, answers: (path: string) => boolean): Endpoint | null {
  const server = unixServers.find(({ file }) => answers(file));
  return server === undefined
    ? null
    : { serverUrl: `unix://${server.file}`, username: server.username, password: server.password };
}

/** Returns the TCP server, for a client that may not use the socket, such as a health check of another user. */
function inetOf({ inetServers: [server] }: Servers): Endpoint | null {
  if (server === undefined) return null;
  const {
    port: { host, port },
    username,
    password,
  } = server;
  const name = ['', '0.0.0.0', '::'].includes(host) ? 'localhost' : host;
  return { serverUrl: `http://${name.includes(':') ? `[${name}]` : name}:${port}`, username, password };
}

function endpointAt(address: string | null): Endpoint | null {
  return address === null ? null : { serverUrl: `unix://${address}`, username: null, password: null };
}

function parseEnvironment(text: string): Environment {
  return Object.fromEntries(
    text.split('\0').flatMap((entry) => {
      const equals = entry.indexOf('=');
      return equals === -1 ? [] : [[entry.slice(0, equals), entry.slice(equals + 1)]];
    }),
  );
}
