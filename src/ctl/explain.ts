/**
 * Errors for people: who could not be reached, where the address came from, and a command to try. Scripts get the texts
 * of Supervisor (errors.ts). Looks at the socket and at our user, and changes nothing.
 */
import { statSync } from 'node:fs';
import { userInfo } from 'node:os';
import { faults, RpcFault } from '../core/faults.ts';
import { findMissingRole, type MissingRole } from '../core/role.ts';
import { fitMessage, showText } from '../core/shown-text.ts';
import { ConnectionError, CtlError, formatFault, HttpStatusError } from './errors.ts';
import { parseServerUrl, type Target } from './server-url.ts';
import type { Endpoint } from './transport.ts';

/** Owner and mode of a socket file. */
export interface SocketFacts {
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Facts about this machine that an explanation can name. */
export interface ExplainFacts {
  /** Our user, for example `uid 1000 (app)`. */
  readonly user: string;
  /** Returns the facts of a socket file; null if it cannot be seen. */
  lookAt(path: string): SocketFacts | null;
}

/** The facts of this machine. */
export const ownFacts: ExplainFacts = {
  get user() {
    const uid = process.getuid?.() ?? 0;
    try {
      return `uid ${uid} (${showText(userInfo().username)})`;
    } catch {
      // ENOENT: the user has no entry in /etc/passwd.
      return `uid ${uid}`;
    }
  },
  lookAt(path) {
    try {
      const { uid, gid, mode } = statSync(path);
      return { uid, gid, mode: mode & 0o7777 };
    } catch {
      // ENOENT, EACCES: the file is gone, or a directory above it is closed to us.
      return null;
    }
  },
};

const OTHER_ADDRESS = 'For another address: onevisor ctl -s unix:///PATH status';
const IS_RUNNING = `Is the container running, and a supervisor in it? ${OTHER_ADDRESS}`;
const OTHER_PROGRAM = 'Another program may have this address';

/** Explains an error that ends a command: a line with the reason, and a line with the way out. */
export function explainError(error: unknown, endpoint: Endpoint, facts: ExplainFacts = ownFacts): readonly string[] {
  if (error instanceof RpcFault) return explainFault(error);
  if (error instanceof HttpStatusError) return explainStatus(error, endpoint);
  if (error instanceof ConnectionError) return explainConnection(error, endpoint, facts);
  if (error instanceof CtlError) return explainOther(error, endpoint);
  return [`Error: ${fitMessage(error instanceof Error ? error.message : String(error))}`];
}

/** Tells that there is no answer after some seconds. The client waits on. */
export function explainSilence(endpoint: Endpoint, seconds: number): readonly string[] {
  return [
    `${placeOf(endpoint)} takes connections, and has not answered for ${seconds} s; Ctrl-C ends the wait`,
    `The supervisor may hang or be stopped. ${OTHER_PROGRAM}`,
  ];
}

/** Describes the address, and where it came from. */
function placeOf({ serverUrl, origin }: Endpoint): string {
  const shown = showText(serverUrl.replace(/\/\/[^/@:]*:[^/@]*@/, '//'), 200);
  return origin === undefined ? shown : `${shown} (${showText(origin, 200)})`;
}

function targetOf({ serverUrl }: Endpoint): Target | null {
  try {
    return parseServerUrl(serverUrl);
  } catch (error) {
    if (!(error instanceof CtlError)) throw error;
    return null;
  }
}

function explainConnection(error: ConnectionError, endpoint: Endpoint, facts: ExplainFacts): readonly string[] {
  const target = targetOf(endpoint);
  const [reason, wayOut] = reasonOf(error, target, facts);
  return [`Error: no supervisor answers at ${placeOf(endpoint)}: ${reason}`, wayOut];
}

/** Returns the reason of a failed connection, and the way out. */
function reasonOf(
  { code, message }: ConnectionError,
  target: Target | null,
  facts: ExplainFacts,
): readonly [reason: string, wayOut: string] {
  switch (code) {
    case 'ENOENT':
    case 'ENOTDIR':
      return ['there is no such socket', IS_RUNNING];
    case 'ECONNREFUSED':
      return target?.kind === 'unix'
        ? ['the supervisor that made this socket has ended', `Start it again. ${OTHER_ADDRESS}`]
        : ['no program listens there', IS_RUNNING];
    case 'EACCES':
    case 'EPERM':
      return explainPermission(target, facts);
    case 'EAGAIN':
      return [
        'too many connections wait there to be accepted',
        `The supervisor may hang or be stopped. ${OTHER_ADDRESS}`,
      ];
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return ['the name of the host is not known', 'Look for a typing error, or use the IP address'];
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ETIMEDOUT':
      return ['the host cannot be reached', 'Look at the network between here and there'];
    case 'DISCONNECTED':
    case 'ECONNRESET':
    case 'EPIPE':
      return [
        'the connection was closed without an answer',
        `The supervisor may be shutting down. ${OTHER_PROGRAM}, or the port may want TLS`,
      ];
    default:
      return [fitMessage(message), OTHER_ADDRESS];
  }
}

function explainPermission(target: Target | null, facts: ExplainFacts): readonly [string, string] {
  const socket = target?.kind === 'unix' ? facts.lookAt(target.path) : null;
  const whose =
    socket === null
      ? 'a directory above the socket is closed to us'
      : `the socket belongs to uid ${socket.uid}, gid ${socket.gid}, with mode 0${socket.mode.toString(8)}`;
  return [
    `permission denied: we are ${facts.user}, and ${whose}`,
    `Use that user (docker exec -u ${socket?.uid ?? 0} CONTAINER onevisor status), or set chmod= and chown= of ` +
      '[unix_http_server]',
  ];
}

function explainStatus({ status, message }: HttpStatusError, endpoint: Endpoint): readonly string[] {
  const place = placeOf(endpoint);
  switch (status) {
    case 401:
      return endpoint.username === null
        ? [
            `Error: the supervisor at ${place} wants a user and a password`,
            'Try onevisor ctl -u USER -p PASSWORD status, or set username= and password= of [supervisorctl]',
          ]
        : [
            `Error: the supervisor at ${place} refuses the password of "${showText(endpoint.username)}"`,
            'Compare with username= and password= of its server, and try onevisor ctl -u USER -p PASSWORD status',
          ];
    case 403: {
      const missing = findMissingRole(message);
      if (missing !== null) return explainRole(missing, endpoint);
      return [
        `Error: the supervisor at ${place} refuses this name of its host (403)`,
        'Use its IP address, or add the name to allowed_hosts= of its server',
      ];
    }
    case 429:
      return [
        `Error: the supervisor at ${place} got too many wrong passwords from here (429)`,
        'Wait half a minute, and compare the password with that of its configuration',
      ];
    case 503:
      return [`Error: the supervisor at ${place} is busy with answers to others (503)`, 'Try again in a moment'];
    default: {
      const answer = /: (\d{3}[^>]{0,100})>$/.exec(message)?.[1] ?? String(status);
      return [
        `Error: no supervisor answers at ${place}: something there says ${answer.trim()}`,
        `${OTHER_PROGRAM}. ${OTHER_ADDRESS}`,
      ];
    }
  }
}

/** Explains that a user may not do something. */
function explainRole({ needed, role }: MissingRole, { username }: Endpoint): readonly string[] {
  const who = username === null ? 'a client without a user' : `user "${showText(username)}"`;
  return [
    `Error: ${who} may not do that: it needs the role ${needed}, and this user has the role ${role}`,
    `Try onevisor ctl -u USER -p PASSWORD with a user of that role, or set role=${needed} in [api_user:…]`,
  ];
}

function explainOther(error: CtlError, endpoint: Endpoint): readonly string[] {
  switch (error.pythonClass) {
    case 'xmlrpc.client.ResponseError':
    case 'http.client.BadStatusLine':
      return [
        `Error: no supervisor answers at ${placeOf(endpoint)}: the answer is not that of a supervisor`,
        `${OTHER_PROGRAM}, or the port may want TLS. ${OTHER_ADDRESS}`,
      ];
    case 'ValueError':
      return [
        `Error: ${placeOf(endpoint)} is no address of a supervisor`,
        'An address is unix:///PATH or http://HOST:PORT; TLS needs a proxy',
      ];
    case 'EOFError':
      return ['Error: the input has ended before an answer'];
    default:
      return [`Error: ${fitMessage(error.message)}`];
  }
}

function explainFault(fault: RpcFault): readonly string[] {
  if (fault.code === faults.SHUTDOWN_STATE)
    return [
      'Error: the supervisor is shutting down',
      'It accepts no other command. A second shutdown kills the processes that are left',
    ];
  const text = fault.reason ?? fault.faultString.replace(/^[A-Z_]+: /, '');
  return [text === '' ? `Error: ${formatFault(fault)}` : `Error: ${fitMessage(text)}`];
}
