/** The shapes of `/api/v1/peers`, types only, for the server and for the dashboard. */
import type { LineAnswer } from './types.ts';

/**
 * A process of another supervisor: members of STATUS that the page shows. A Supervisor in Python has only those of
 * `getProcessInfo`. Texts come from the peer: they are data, of bounded length.
 */
export interface PeerProcess {
  readonly name: string;
  readonly group: string;
  readonly statename: string;
  readonly state?: number;
  readonly pid?: number;
  /** Times in seconds since 1970, by the clock of the peer. */
  readonly start?: number;
  readonly stop?: number;
  readonly now?: number;
  readonly description?: string;
  readonly spawnerr?: string;
  readonly exitstatus?: number;
  readonly health?: string;
  readonly health_reason?: string;
  readonly ready?: boolean;
  readonly hold?: string;
  readonly start_waits_for?: string;
  readonly purpose?: string;
  readonly restarting?: boolean;
  readonly restarts?: number;
  readonly flapping?: boolean;
  readonly autostart?: boolean;
  readonly problem?: string;
  readonly failed_starts?: number;
  readonly unexpected_restarts?: number;
  readonly next_run?: number;
  readonly last_line?: string;
  readonly status_text?: string;
  readonly start_cause?: PeerCause;
  readonly stop_cause?: PeerCause;
  readonly last_end?: PeerEnd;
}

/** A cause, as in CauseAnswer. */
export interface PeerCause {
  readonly kind?: string;
  readonly text?: string;
}

/** The end of the latest run, as in LastEndAnswer. */
export interface PeerEnd {
  readonly at?: number;
  readonly lasted_ms?: number;
  readonly outcome?: string;
  readonly exit_code?: number;
  readonly exit_signal?: string;
  readonly core?: boolean;
  readonly reason?: string;
  readonly planned?: boolean;
  readonly how?: string;
  readonly text?: string;
  readonly cause?: PeerCause;
}

/** Another supervisor. */
export interface PeerAnswer {
  /** Stays the same as long as the address is configured. */
  readonly id: string;
  /** For people: the configured name, or one made from the address. */
  readonly name: string;
  /** The configured address. */
  readonly address: string;
  /** The address that the name was resolved to, for `dns+…`. */
  readonly resolved?: string;
  readonly kind: 'onevisor' | 'supervisor' | null;
  readonly reachable: boolean;
  /** The first request has not ended yet. */
  readonly pending?: true;
  /** Reason why it is not reachable. */
  readonly error?: string;
  /** Time of the change to this `reachable`, and time of the latest answer or failure. Milliseconds since 1970. */
  readonly since: number | null;
  readonly asked: number | null;
  readonly latency_ms: number | null;
  /** Version of the program. A Supervisor in Python: its own. */
  readonly version: string | null;
  readonly identifier: string | null;
  /** Its host name. A Supervisor in Python does not tell. */
  readonly host: string | null;
  /** State of the supervisor: `RUNNING`. */
  readonly state: string | null;
  /** The role that our credentials have there. */
  readonly role: string | null;
  /** True if the address leads to this supervisor itself. */
  readonly self: boolean;
  /** Processes are missing here, because there were too many. */
  readonly capped?: true;
  readonly processes: readonly PeerProcess[];
}

/** `GET /peers`. */
export interface PeersAnswer {
  readonly now: number;
  readonly peers: readonly PeerAnswer[];
}

/** A line of a peer. A Supervisor in Python gives neither number nor time. */
export type PeerLine = Pick<LineAnswer, 'name' | 'stream' | 'text'> & Partial<Pick<LineAnswer, 'seq' | 'at' | 'pid'>>;

/** `GET /peers/{id}/logs`. */
export interface PeerLogsAnswer {
  readonly lines: readonly PeerLine[];
  /** Earlier lines were left out. */
  readonly more: boolean;
}
