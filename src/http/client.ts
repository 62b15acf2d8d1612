/** The client of a request, for the history and the log: its door, its user, and the other end of the connection. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Client } from '../core/cause.ts';
import type { Peer } from '../core/control-socket.ts';
import { networkOf } from '../core/login-throttle.ts';
import { showText } from '../core/shown-text.ts';

/** Longest part of a user name that is shown. */
const MAX_USER = 60;

/** Finds the process at the other end of a unix socket; null if the kernel does not know it. */
export type PeerLookup = (fd: number) => Peer | null;

/** A socket of Node with its descriptor. */
export type OpenSocket = Socket & { readonly _handle?: { readonly fd: number } | null };

/** Returns the descriptor of a socket; -1 for a closed one. */
export function descriptorOf(socket: OpenSocket): number {
  return socket._handle?.fd ?? -1;
}

/**
 * Describes the client of a request. `peerOf`: null for a TCP server. `user`: the user whose password was right; null
 * for a client without one.
 */
export function clientOf(request: IncomingMessage, peerOf: PeerLookup | null, user: string | null): Client {
  return {
    door: peerOf === null ? 'tcp' : 'unix',
    user: user === null ? null : showText(user, MAX_USER),
    peer:
      peerOf === null
        ? (request.socket.remoteAddress?.replace(/^::ffff:(?=\d+\.)/, '') ?? 'disconnected')
        : formatPeer(peerOf, request.socket),
  };
}

/** Returns the network of a client, in which failed logins are counted. */
export function networkOfClient(request: IncomingMessage, peerOf: PeerLookup | null): string {
  return peerOf === null
    ? networkOf(request.socket.remoteAddress ?? '')
    : `uid ${peerOf(descriptorOf(request.socket))?.uid ?? 'unknown'}`;
}

function formatPeer(peerOf: PeerLookup, socket: Socket): string {
  const peer = peerOf(descriptorOf(socket));
  return peer === null ? 'an unknown process' : `uid ${peer.uid}, pid ${peer.pid}`;
}
