/**
 * The rolling restart, as `restart --rolling` of supervisorctl: one process after the other, so that at most one is
 * down at a time. It stops at the first process that does not come up, or that its health check finds unhealthy.
 */
import { faults } from '../core/faults.ts';
import { RUNNING_STATES } from '../core/states.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { type ActionContext, faultOf, resultOf, type Targets, toResult } from './actions.ts';
import { displayNameOf } from './names.ts';

/** Restarts processes one after the other. */
export async function restartInTurn(context: ActionContext, { processes }: Targets): Promise<void> {
  for (const proc of processes) {
    if (await restartOne(context, proc)) continue;
    const name = displayNameOf(proc);
    context.note({
      name,
      ok: false,
      text: `rolling restart stopped at ${name}: the processes after it were not restarted`,
    });
    return;
  }
}

/** Restarts a process and waits until it is up, and healthy if it has a health check. Returns true on success. */
async function restartOne({ api, ask, note }: ActionContext, { id, ...chosen }: ProcessView): Promise<boolean> {
  const proc = api.process(id) ?? { id, ...chosen };
  const wasUp = RUNNING_STATES.has(proc.record.state);
  const stopped = resultOf(proc, await faultOf(ask('supervisor.stopProcess', id)));
  if (wasUp && stopped.status !== faults.NOT_RUNNING) note(toResult(stopped, 'stopped'));
  if (stopped.status !== faults.SUCCESS && stopped.status !== faults.NOT_RUNNING) return false;
  const started = resultOf(proc, await faultOf(ask('supervisor.startProcess', id)));
  note(toResult(started, 'started'));
  if (started.status !== faults.SUCCESS && started.status !== faults.ALREADY_STARTED) return false;
  if (await becomesHealthy(api, id)) return true;
  const name = displayNameOf(proc);
  note({ name, ok: false, text: `${name}: ERROR (not healthy)` });
  return false;
}

/**
 * Resolves when the health of a process is known: true if it is healthy, or has no health check. The wait has no
 * timeout: a check that keeps failing becomes unhealthy, and a process that ends has no health.
 */
function becomesHealthy(api: SupervisorApi, id: string): Promise<boolean> {
  return new Promise((resolve) => {
    let unsubscribe = (): void => undefined;
    const judge = (): boolean => {
      const record = api.process(id)?.record ?? null;
      if (record?.health === 'starting' && RUNNING_STATES.has(record.state)) return false;
      unsubscribe();
      resolve(record !== null && RUNNING_STATES.has(record.state) && record.health !== 'unhealthy');
      return true;
    };
    if (judge()) return;
    unsubscribe = api.subscribe(judge);
  });
}
