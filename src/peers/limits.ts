/** Limits for the requests to other supervisors. */

/** Limits of a {@link PeerHub}; smaller in tests. */
export interface PeerLimits {
  /** Largest answer. Larger ones are an error. */
  readonly answerBytes: number;
  /** Maximum duration of a request, from the look-up of its host to the end of its answer. */
  readonly requestMs: number;
  /** The same for a request that answers when a process has started or stopped. */
  readonly actionMs: number;
  /** Age from which facts are asked again. */
  readonly freshMs: number;
  /** Longest time that a client waits for peers that answered the last time. It never waits for others. */
  readonly graceMs: number;
  /** Requests at the same time to peers that answered the last time, and to all others. */
  readonly atOnce: number;
  readonly doubtfulAtOnce: number;
  /** Actions at the same time. */
  readonly actions: number;
  /** Requests for logs at the same time. Each may hold an answer in memory. */
  readonly logReads: number;
  /** Age from which a name is looked up again, and age at which addresses of a name that fails are forgotten. */
  readonly namesFreshMs: number;
  readonly namesKeptMs: number;
  /** Most addresses of one name, and of all together. */
  readonly addresses: number;
  readonly targets: number;
  /** Memory for the processes of one peer, and of all together, as JSON. */
  readonly processBytes: number;
  readonly totalBytes: number;
  /** Time after the last client at which connections and facts are dropped. */
  readonly idleMs: number;
}

export const defaultPeerLimits: PeerLimits = {
  answerBytes: 4 * 1024 * 1024,
  requestMs: 5000,
  actionMs: 120_000,
  freshMs: 1000,
  graceMs: 300,
  atOnce: 16,
  doubtfulAtOnce: 8,
  actions: 16,
  logReads: 4,
  namesFreshMs: 5000,
  namesKeptMs: 60_000,
  addresses: 64,
  targets: 256,
  processBytes: 1024 * 1024,
  totalBytes: 16 * 1024 * 1024,
  idleMs: 30_000,
};
