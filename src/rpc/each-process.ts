/**
 * One action on many processes, and the list of results that `startAllProcesses` and similar methods return.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { CallContext } from './method.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** An action on one process. It ends when it returns or when its promise resolves. `name` is the name for faults. */
export type ProcessAction = (proc: ProcessView, name: string) => true | Promise<true>;

/**
 * compat: Supervisor checks unfinished actions every 50 ms, and lists the finished ones of each check in the order of
 * the processes.
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

/** The processes of a method, and the orders of its actions and results. */
export interface ProcessSelection {
  /** In the order of the actions. */
  readonly processes: readonly ProcessView[];
  /** True for a process that the action is for. */
  readonly isSelected: (proc: ProcessView) => boolean;
  /** Order of results that took equally long; by default the order of the actions. */
  readonly ranking?: readonly ProcessView[];
  /**
   * True for an action that Supervisor completes for one process before the next. Its results keep the order of the
   * actions, however long they take.
   */
  readonly isImmediate?: boolean;
}

/**
 * Applies `action` to the selected processes, without waiting for one before the next. compat: the order of the results
 * is Supervisor's, by the time that each action took.
 */
export async function forEachProcess(
  { api }: CallContext,
  { processes, isSelected, ranking = processes, isImmediate = false }: ProcessSelection,
  action: ProcessAction,
): Promise<XmlRpcStruct[]> {
  const begunMs = api.nowMs();
  const round = (): number => (isImmediate ? 0 : roundOf(api.nowMs() - begunMs));
  const ranks = new Map(ranking.map(({ id }, index) => [id, index]));
  const outcomes = processes.map(async ({ id }): Promise<TimedResult | null> => {
    // An earlier action may have changed this process.
    const proc = api.process(id);
    if (proc === null || !isSelected(proc)) return null;
    const index = ranks.get(id) ?? -1;
    try {
      const done = action(proc, formatNamespec(proc.config.group, proc.config.name));
      if (done === true) return { round: 0, index, struct: structOf(proc, null) };
      return await done.then(
        () => ({ round: round(), index, struct: structOf(proc, null) }),
        (fault: unknown) => ({ round: round(), index, struct: structOf(proc, fault) }),
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
