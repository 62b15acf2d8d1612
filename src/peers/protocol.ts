/** The two ways to talk to a peer: our JSON API, and XML-RPC for a Supervisor in Python. Types only. */
import type { PeerLogsAnswer, PeerProcess } from '../api/peer-types.ts';
import type { ChangeResult, ProgramStream } from '../api/types.ts';
import type { PeerReply, PeerRequest } from './ask.ts';

/** Sends a request to one peer. Rejects with a PeerError. */
export type AskPeer = (request: Pick<PeerRequest, 'method' | 'path' | 'headers' | 'body'>) => Promise<PeerReply>;

/** An action on a process, or on all processes of a group (`group:*`). */
export type PeerAction = 'start' | 'stop' | 'restart';

/** Facts about a peer. */
export interface PeerFacts {
  readonly kind: 'onevisor' | 'supervisor';
  readonly version: string | null;
  readonly identifier: string | null;
  readonly host: string | null;
  readonly state: string | null;
  readonly role: string | null;
  /** Identifies the start of the peer; null for a Supervisor in Python. */
  readonly epoch: string | null;
  readonly processes: readonly PeerProcess[];
}

/** Output that a client wants. */
export interface WantedLines {
  readonly name: string;
  readonly stream: ProgramStream | null;
  readonly limit: number;
}

/** One way to talk to a peer. All functions reject with a PeerError. */
export interface PeerProtocol {
  /** Reads the facts. Resolves with null if the peer does not speak this protocol. */
  readonly read: (ask: AskPeer) => Promise<PeerFacts | null>;
  /** Runs an action. Resolves when it is over. */
  readonly act: (ask: AskPeer, name: string, action: PeerAction) => Promise<readonly ChangeResult[]>;
  readonly lines: (ask: AskPeer, wanted: WantedLines) => Promise<PeerLogsAnswer>;
}
