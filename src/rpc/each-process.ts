/**
 * One action on many processes, and the list of outcomes that `startAllProcesses` and its kin return.
 * It does not know what the action is.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { CallContext } from './method.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** What is done to one process; `name` is how faults call it. Done when it returns, or when its promise resolves. */
export type ProcessAction = (proc: ProcessView, name: string) => true | Promise<true>;

/**
 * compat: Supervisor looks at what is under way every 50 ms, and lists what is done by then in the order of the
 * processes.
 */
const ROUND_MS = 50;

interface TimedResult {
  readonly round: number;
  readonly index: number;
  readonly struct: XmlRpcStruct;
}

function structOf({ config }: ProcessView, fault: unknown): XmlRpcStruct {
  const { name, group } = config;
  if (fault === null) return { name, group, status: faults.SUCCESS, description: 'OK' };
  if (fault instanceof RpcFault) {
    const { code, faultString, reason } = fault;
    return { name, group, status: code, description: faultString, ...(reason === null ? {} : { reason }) };
  }
  throw new Error(`cannot act on ${formatNamespec(group, name)}`, { cause: fault });
}

/**
 * Does `action` to those processes that `isMeant`, in the order given, without waiting for one before the next. The
 * outcomes stand as Supervisor lists them: what was done at once, then by the time it took; what took equally long in
 * the order of `ranking`.
 */
export async function forEachProcess(
  { api }: CallContext,
  processes: readonly ProcessView[],
  isMeant: (proc: ProcessView) => boolean,
  action: ProcessAction,
  ranking = processes,
): Promise<XmlRpcStruct[]> {
  const begunMs = api.nowMs();
  const outcomes = processes.map(async ({ id }): Promise<TimedResult | null> => {
    // What was done to the one before may have changed this one.
    const proc = api.process(id);
    if (proc === null || !isMeant(proc)) return null;
    const index = ranking.findIndex((other) => other.id === id);
    try {
      const done = action(proc, formatNamespec(proc.config.group, proc.config.name));
      if (done === true) return { round: 0, index, struct: structOf(proc, null) };
      return await done.then(
        () => ({ round: roundOf(api.nowMs() - begunMs), index, struct: structOf(proc, null) }),
        (fault: unknown) => ({ round: roundOf(api.nowMs() - begunMs), index, struct: structOf(proc, fault) }),
      );
    } catch (fault) {
      return { round: 0, index, struct: structOf(proc, fault) };
    }
  });
  const listed = (await Promise.all(outcomes)).filter((outcome) => outcome !== null);
  return listed.toSorted((a, b) => a.round - b.round || a.index - b.index).map(({ struct }) => struct);
}

function roundOf(ms: number): number {
  return 1 + Math.floor(ms / ROUND_MS);
}
