/**
 * A listening socket for a program that accepts connections on it: raw, blocking, and unknown to Node. A unix socket is
 * created in a private directory next to its path and renamed. So the path never has other permissions than configured,
 * and the socket of an earlier run is replaced in one step. Accepts no connections itself.
 */
import { chmodSync, chownSync, closeSync, lstatSync, mkdtempSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { errnoOf } from '../core/error-text.ts';
import { ForeignLinkError, resolveLinks } from '../files/links.ts';
import { readRegularFile } from '../files/read-file.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { Addon } from '../native/addon.ts';

/** Largest /etc/hosts that is searched. */
const MAX_HOSTS_BYTES = 4 * 1024 * 1024;

/** Address of a listening socket. */
export type ListenAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Request for a socket. Mode and owner are for unix sockets. */
export interface ListenRequest {
  readonly address: ListenAddress;
  readonly backlog: number;
  readonly mode: number;
  /** Ids for chown; null to keep the owner. */
  readonly owner: { readonly uid: number; readonly gid: number } | null;
}

/** An open listening socket. */
export interface ListeningSocket {
  readonly fd: number;
  /** Closes the socket and removes its path, unless another socket has replaced it. Never throws. */
  close(): void;
}

/** Reason why a socket cannot be created. The message is the reason alone. */
export class ListeningSocketError extends Error {
  override readonly name = 'ListeningSocketError';
  /** Name of the errno. ENOTSOCK: the path is not a socket. ENOTFOUND: the host name is unknown. */
  readonly code: string;

  constructor(code: string, reason: string) {
    super(reason);
    this.code = code;
  }
}

type Sockets = Pick<Addon, 'listenUnix' | 'listenTcp'>;

/** Opens a socket. Throws {@link ListeningSocketError}. If the owner cannot be set, only warns. */
export function openListeningSocket(
  addon: Sockets,
  request: ListenRequest,
  warn: (text: string) => void,
): ListeningSocket {
  const { address, backlog } = request;
  try {
    if (address.kind === 'unix') return openUnix(addon, address.path, request, warn);
    const fd = addon.listenTcp(addressOf(address.host), address.port, backlog);
    return { fd, close: () => closeSync(fd) };
  } catch (error) {
    throw toSocketError(error);
  }
}

function openUnix(
  addon: Sockets,
  path: string,
  { backlog, mode, owner }: ListenRequest,
  warn: (text: string) => void,
): ListeningSocket {
  resolveLinks(dirname(path));
  requireFree(path);
  const directory = mkdtempSync(`${dirname(path)}/.`);
  const fresh = `${directory}/s`;
  let fd: number | null = null;
  try {
    fd = addon.listenUnix(fresh, backlog);
    chmodSync(fresh, mode);
    if (owner !== null) changeOwner(fresh, path, owner, warn);
    const { ino } = lstatSync(fresh);
    renameSync(fresh, path);
    const open = fd;
    return {
      fd: open,
      close: () => {
        closeSync(open);
        removeOwn(path, ino, warn);
      },
    };
  } catch (error) {
    if (fd !== null) closeSync(fd);
    rmSync(fresh, { force: true });
    throw error;
  } finally {
    rmdirSync(directory);
  }
}

/**
 * Throws if the path is anything but a socket. compat: a socket is replaced even if a process still listens on it,
 * since programs may have outlived an earlier supervisor.
 */
function requireFree(path: string): void {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found !== undefined && !found.isSocket())
    throw new ListeningSocketError('ENOTSOCK', 'the path exists and is not a socket');
}

function changeOwner(
  fresh: string,
  path: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
  warn: (text: string) => void,
): void {
  try {
    chownSync(fresh, uid, gid);
  } catch (error) {
    warn(`cannot change the owner of ${path} to ${uid}:${gid}: ${toSocketError(error).message}`);
  }
}

function removeOwn(path: string, ino: number, warn: (text: string) => void): void {
  try {
    if (lstatSync(path, { throwIfNoEntry: false })?.ino === ino) rmSync(path);
  } catch (error) {
    warn(`cannot remove ${path}: ${toSocketError(error).message}`);
  }
}

/**
 * Returns the numeric address of a host. Asking a name server would block the supervisor, so only /etc/hosts is read.
 */
function addressOf(host: string): string {
  if (isIP(host) !== 0) return host;
  if (host === 'localhost') return '127.0.0.1';
  const lines = readRegularFile('/etc/hosts', MAX_HOSTS_BYTES)
    .toString()
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/));
  const address = lines.find(([first = '', ...names]) => isIP(first) === 4 && names.includes(host))?.[0];
  if (address === undefined)
    throw new ListeningSocketError('ENOTFOUND', `/etc/hosts has no address for ${host}; use a numeric address`);
  return address;
}

function toSocketError(error: unknown): ListeningSocketError {
  if (error instanceof ListeningSocketError) return error;
  if (error instanceof ForeignLinkError) return new ListeningSocketError(error.code, error.message);
  const code = errnoOf(error);
  if (code === null) throw error;
  return new ListeningSocketError(code, describeSystemError(error));
}
