/** The schemas of `/api/v1/peers`. The compiler holds them to peer-types.ts. */
import type {
  PeerAnswer,
  PeerCause,
  PeerEnd,
  PeerLine,
  PeerLogsAnswer,
  PeerProcess,
  PeersAnswer,
} from './peer-types.ts';
import { constant, integer, list, maybe, nullable, number, object, oneOf, text, truth } from './schema.ts';

/** Most processes of a peer, and most lines of an answer (peers/clean.ts, peer-rows.ts). */
const MAX_PROCESSES = 5000;
const MAX_LINES = 1000;

const wallMs = integer({ help: 'Milliseconds since 1970' });

const causeSchema = object<PeerCause>({ kind: maybe(text()), text: maybe(text()) });

const processSchema = object<PeerProcess>({
  name: text(),
  group: text(),
  statename: text(),
  state: maybe(number()),
  pid: maybe(number()),
  start: maybe(number({ help: 'Seconds since 1970, by the clock of the peer' })),
  stop: maybe(number()),
  now: maybe(number()),
  description: maybe(text()),
  spawnerr: maybe(text()),
  exitstatus: maybe(number()),
  health: maybe(text()),
  health_reason: maybe(text()),
  ready: maybe(truth()),
  hold: maybe(text()),
  start_waits_for: maybe(text()),
  purpose: maybe(text()),
  restarting: maybe(truth()),
  restarts: maybe(number()),
  flapping: maybe(truth()),
  autostart: maybe(truth()),
  problem: maybe(text()),
  failed_starts: maybe(number()),
  unexpected_restarts: maybe(number()),
  next_run: maybe(number()),
  last_line: maybe(text()),
  status_text: maybe(text()),
  start_cause: maybe(causeSchema),
  stop_cause: maybe(causeSchema),
  last_end: maybe(
    object<PeerEnd>({
      at: maybe(number()),
      lasted_ms: maybe(number()),
      outcome: maybe(text()),
      exit_code: maybe(number()),
      exit_signal: maybe(text()),
      core: maybe(truth()),
      reason: maybe(text()),
      planned: maybe(truth()),
      how: maybe(text()),
      text: maybe(text()),
      cause: maybe(causeSchema),
    }),
  ),
});

const peerSchema = object<PeerAnswer>({
  id: text({ help: 'Stays the same as long as the address is configured' }),
  name: text(),
  address: text({ help: 'As configured' }),
  resolved: maybe(text({ help: 'Address of the host, for dns+…' })),
  kind: nullable(oneOf(['onevisor', 'supervisor'])),
  reachable: truth(),
  pending: maybe(constant(true)),
  error: maybe(text()),
  since: nullable(wallMs),
  asked: nullable(wallMs),
  latency_ms: nullable(number()),
  version: nullable(text()),
  identifier: nullable(text()),
  host: nullable(text()),
  state: nullable(text()),
  role: nullable(text()),
  self: truth('The address leads to this supervisor itself'),
  capped: maybe(constant(true)),
  processes: list(processSchema, { max: MAX_PROCESSES }),
});

export const peersSchema = object<PeersAnswer>({ now: wallMs, peers: list(peerSchema) });

const lineSchema = object<PeerLine>({
  name: text(),
  stream: oneOf(['stdout', 'stderr', 'supervisor']),
  text: text(),
  seq: maybe(integer()),
  at: maybe(wallMs),
  pid: maybe(integer()),
});

export const peerLogsSchema = object<PeerLogsAnswer>({
  lines: list(lineSchema, { max: MAX_LINES }),
  more: truth(),
});
