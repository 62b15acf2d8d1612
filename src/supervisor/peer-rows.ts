/** Makes the rows of the JSON API about other supervisors. Loads their code at the first request. */
import type { ApiRow } from '../api/row.ts';
import type { Config } from '../config/model.ts';
import { HostLookups } from '../health/host-lookups.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';

/** Loads the rows. */
export async function loadPeerRows({ dashboard }: Config, api: SupervisorApi): Promise<ApiRow[]> {
  const { PeerHub } = await import('../peers/peer-hub.ts');
  const { peerRows } = await import('../api/peer-rows.ts');
  const hub = new PeerHub({
    options: dashboard,
    lookup: new HostLookups().lookup,
    nowMs: () => api.nowMs(),
    wallMs: () => api.wallMs(),
    report: (level, text) => api.report(level, text),
    epoch: api.epoch,
  });
  return peerRows(
    () => hub,
    () => api.wallMs(),
  );
}
