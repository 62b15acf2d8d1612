/** The client of a request, for the history and the log: its door, its user, and the other end of the connection. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Client } from '../core/cause.ts';
import type { Peer } from '../core/control-socket.ts';
import { showText } from '../core/shown-text.ts';
import { parseBasic } from './authentication.ts';

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
 * Describes the client of a request. `peerOf`: null for a TCP server. `isGuarded`: the server has checked the user and
 * the password of the request.
 */
export function clientOf(request: IncomingMessage, peerOf: PeerLookup | null, isGuarded: boolean): Client {
  const user = isGuarded ? (parseBasic(request.headers.authorization)?.username ?? null) : null;
  return {
    door: peerOf === null ? 'tcp' : 'unix',
    user: user === null ? null : showText(user, MAX_USER),
    peer: peerOf === null ? (request.socket.remoteAddress ?? 'disconnected') : formatPeer(peerOf, request.socket),
  };
}

function formatPeer(peerOf: PeerLookup, socket: Socket): string {
  const peer = peerOf(descriptorOf(socket));
  return peer === null ? 'an unknown process' : `uid ${peer.uid}, pid ${peer.pid}`;
}
