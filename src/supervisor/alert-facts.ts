/** The facts for alerts that only the history, the checks and the output of programs know. */
import type { OccurrenceFacts } from '../alerts/occurrences.ts';
import { isFlapping, lastLineOfRuns } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';

/** Returns the facts. The interface to the supervisor is made after the alerts. */
export function alertFacts(api: () => SupervisorApi): OccurrenceFacts {
  return {
    endOf: (id) => api().history.runsOf(id).at(-1)?.ended?.end ?? null,
    lastLine: (id) => lastLineOfRuns(api(), id)?.text ?? null,
    healthReason: (id) =>
      api()
        .remarks(id)
        .find((remark) => remark.kind === 'healthFailure')?.reason ?? null,
    flapping: (id) => {
      if (!isFlapping(api(), id)) return null;
      const { windowMs } = api().flappingRule();
      return { restarts: api().history.restartsWithin(id, windowMs), windowMs };
    },
  };
}
