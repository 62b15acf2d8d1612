/** The other supervisors as the page knows them. They are asked while their view is shown and the page is visible. */
import { computed, signal } from '@preact/signals';
import type { PeerAnswer, PeerProcess, PeersAnswer } from '../../api/peer-types.ts';
import type { StatusAnswer } from '../../api/types.ts';
import { formatNamespec } from '../../core/namespec.ts';
import type { ProcessStatus } from '../../ctl/process-status.ts';
import { getJson } from '../api.ts';
import { statusOf } from '../facts.ts';
import { isProblem } from '../overview-rows.ts';

/** Time between two questions. */
const PERIOD_MS = 2000;

/** A process of a peer. */
export interface PeerRow {
  readonly peer: PeerAnswer;
  /** As in all commands: `web`, or `group:web`. */
  readonly name: string;
  readonly status: ProcessStatus;
}

/** The latest answer; null before the first one. */
export const peers = signal<PeersAnswer | null>(null);
/** Reason why there is no new answer; null if there is one. */
export const peersError = signal<string | null>(null);

/** Number of peers; null before it is known. Without peers, there is no view of them. */
export const peerCount = computed(() => peers.value?.peers.length ?? null);

/** Processes of all peers that a person should look at. */
export const problemRows = computed(() =>
  (peers.value?.peers ?? []).flatMap(rowsOf).filter(({ status }) => isProblem(status)),
);

/** Peers with problems first, otherwise in the configured order. */
export const sortedPeers = computed(() => {
  const bad = new Set(problemRows.value.map(({ peer }) => peer.id));
  const rank = (peer: PeerAnswer): number => {
    if (!peer.reachable) return 0;
    return bad.has(peer.id) ? 1 : 2;
  };
  return [...(peers.value?.peers ?? [])].sort((a, b) => rank(a) - rank(b));
});

/** Returns the processes of a peer. */
export function rowsOf(peer: PeerAnswer): PeerRow[] {
  return peer.processes.map((proc) => ({
    peer,
    name: formatNamespec(proc.group, proc.name),
    status: statusOf(toStatus(proc)),
  }));
}

/** Completes the facts that a Supervisor in Python does not have. */
function toStatus(proc: PeerProcess): StatusAnswer {
  const whole = { state: 0, pid: 0, start: 0, stop: 0, now: 0, description: '', spawnerr: '', exitstatus: 0, ...proc };
  return whole as unknown as StatusAnswer;
}

/** Asks for all peers once. */
export async function refreshPeers(stopping?: AbortSignal): Promise<void> {
  try {
    peers.value = await getJson<PeersAnswer>('peers', {}, stopping);
    peersError.value = null;
  } catch (problem) {
    if (stopping?.aborted !== true) peersError.value = problem instanceof Error ? problem.message : String(problem);
  }
}

/** Asks again and again while the page is visible. Returns the function that ends it. */
export function watchPeers(): () => void {
  const stopping = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    clearTimeout(timer);
    if (isAsking || document.hidden || stopping.signal.aborted) return;
    isAsking = true;
    await refreshPeers(stopping.signal);
    isAsking = false;
    if (!stopping.signal.aborted) timer = setTimeout(() => void ask(), PERIOD_MS);
  };
  const onShown = (): void => void ask();
  document.addEventListener('visibilitychange', onShown);
  void ask();
  return () => {
    stopping.abort();
    clearTimeout(timer);
    document.removeEventListener('visibilitychange', onShown);
  };
}
