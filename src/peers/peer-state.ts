/** Knowledge about one peer: the facts of its latest answer, or the reason why there is none. Asks for nothing. */
import type { PeerAnswer, PeerProcess } from '../api/peer-types.ts';
import { formatPeerUrl } from '../core/peer-address.ts';
import type { PeerFacts } from './protocol.ts';
import { nameOf, type PeerTarget } from './target.ts';

/** Outcome of a round of requests to a peer. */
export type Outcome =
  | { readonly facts: PeerFacts; readonly latencyMs: number; readonly isCapped: boolean; readonly bytes: number }
  | { readonly error: string };

/** Knowledge about one peer. */
export class PeerState {
  target: PeerTarget;
  /** Time of the latest request by the monotonic clock. */
  askedMs = -Infinity;
  /** The request in progress; null for none. */
  asking: Promise<void> | null = null;
  #outcome: Outcome | null = null;
  /** Times by the wall clock. */
  #since: number | null = null;
  #at: number | null = null;

  constructor(target: PeerTarget) {
    this.target = target;
  }

  /** True if the latest request failed. */
  get isDoubtful(): boolean {
    return this.#outcome !== null && 'error' in this.#outcome;
  }

  /** The protocol of the latest answer; null for none. */
  get kind(): PeerFacts['kind'] | null {
    return this.#outcome !== null && 'facts' in this.#outcome ? this.#outcome.facts.kind : null;
  }

  /** Memory that the facts take, as JSON. */
  get bytes(): number {
    return this.#outcome !== null && 'facts' in this.#outcome ? this.#outcome.bytes : 0;
  }

  /** Takes the outcome of a round. `wallMs`: the time, since 1970. */
  take(outcome: Outcome, wallMs: number): void {
    const was = this.#outcome === null ? null : 'facts' in this.#outcome;
    if (was !== 'facts' in outcome) this.#since = Math.round(wallMs);
    this.#at = Math.round(wallMs);
    this.#outcome = outcome;
  }

  /** Returns the answer for clients. `ownEpoch` identifies this supervisor. */
  answer(ownEpoch: string): PeerAnswer {
    const { target } = this;
    const outcome = this.#outcome;
    const facts = outcome !== null && 'facts' in outcome ? outcome.facts : null;
    const processes: readonly PeerProcess[] = facts?.processes ?? [];
    return {
      id: target.id,
      name: nameOf(target),
      address: formatPeerUrl(target.address),
      ...(target.resolved === null ? {} : { resolved: target.resolved }),
      kind: facts?.kind ?? null,
      reachable: facts !== null,
      ...(outcome === null ? { pending: true as const } : {}),
      ...(outcome !== null && 'error' in outcome ? { error: outcome.error } : {}),
      since: this.#since,
      asked: this.#at,
      latency_ms: outcome !== null && 'facts' in outcome ? Math.round(outcome.latencyMs * 10) / 10 : null,
      version: facts?.version ?? null,
      identifier: facts?.identifier ?? null,
      host: facts?.host ?? null,
      state: facts?.state ?? null,
      role: facts?.role ?? null,
      self: facts !== null && facts.epoch === ownEpoch,
      ...(outcome !== null && 'facts' in outcome && outcome.isCapped ? { capped: true as const } : {}),
      processes,
    };
  }
}
