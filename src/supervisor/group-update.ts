/**
 * Updates an active group to its latest configuration: restarts only processes that must be executed again, and changes
 * the others while they run. config/diff.ts finds the differences. A dry run shows the same plan that an update carries
 * out.
 */
import { type GroupUpdate, planGroupUpdate } from '../config/diff.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import type { Cause } from '../core/cause.ts';
import { STOPPED_STATES } from '../core/states.ts';
import type { Engine } from '../engine/engine.ts';
import { namespecOf, type ProcessView } from '../engine/process-table.ts';
import { firstRequestOf } from '../engine/requests.ts';
import type { PendingSockets } from './program-sockets.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Objects that an update changes. */
export interface GroupUpdateParts {
  readonly engine: Engine;
  readonly streams: Pick<ProgramStreams, 'open' | 'close' | 'configure'>;
  /** The sockets of the new configuration. */
  readonly pending: PendingSockets;
}

/**
 * Plan of the update of a group. Two kinds of processes are in `difference` only: new ones without autostart, and
 * removed ones that do not run.
 */
export interface UpdatePlan {
  /** The latest configuration of the group. */
  readonly group: GroupConfig;
  readonly difference: GroupUpdate;
  readonly stopped: readonly ProcessConfig[];
  /** Processes that run, or are due to start, and must be executed again. */
  readonly restarted: readonly ProcessConfig[];
  /** New processes with autostart, and processes that were FATAL. */
  readonly started: readonly ProcessConfig[];
  /** Processes whose configuration changes without a stop or a start. */
  readonly changed: readonly ProcessConfig[];
}

function isStopped({ record }: ProcessView): boolean {
  return STOPPED_STATES.has(record.state);
}

/** True if a process runs or is due to start. An update keeps it so. */
function isUpOrDue(proc: ProcessView): boolean {
  return !isStopped(proc) || proc.record.deadlineMs !== null;
}

/**
 * compat: an update starts a process with autostart that is FATAL, if it is executed differently now: the change is
 * probably the remedy, such as a corrected command. Processes that were stopped, or have exited, stay so.
 */
function isGivenUp(view: ProcessView): boolean {
  return view.record.state === 'FATAL' && !isUpOrDue(view);
}

/**
 * Stops processes. A process that is started meanwhile, by a schedule or a client, is stopped again, and so are the
 * `others`, which were not up. Resolves when none is up, with those of the others that had to be stopped.
 */
export async function stopProcesses(
  engine: Engine,
  ids: readonly string[],
  cause: Cause,
  others: readonly string[] = [],
): Promise<ReadonlySet<string>> {
  const [all, idle] = [new Set([...ids, ...others]), new Set(others)];
  const stopped = new Set<string>();
  const areDown = (): boolean => {
    const up = [...all].filter((id) => {
      const proc = engine.process(id);
      return proc !== null && !isStopped(proc);
    });
    for (const id of up) {
      if (idle.has(id)) stopped.add(id);
      if (engine.process(id)?.record.state !== 'STOPPING') engine.request(id, 'stop', cause);
    }
    return up.length === 0;
  };
  for (const id of ids) engine.request(id, 'stop', cause);
  // One may be started between the last stop and the turn in which this function continues.
  while (!areDown()) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const unsubscribe = engine.subscribe((event) => {
      if (event.type === 'process' && all.has(event.process.id) && areDown()) resolve();
    });
    await promise;
    unsubscribe();
  }
  return stopped;
}

/**
 * Plans an update of a group for the current state of its processes. Null if the group is not both active and
 * configured, or has listeners or FastCGI programs, which share more than their options.
 */
export function planUpdate(
  engine: Engine,
  before: GroupConfig | undefined,
  after: GroupConfig | undefined,
): UpdatePlan | null {
  if (before?.type !== 'program' || after?.type !== 'program') return null;
  const difference = planGroupUpdate(before, after);
  const { removed, added, renewed, live } = difference;
  const having = (processes: readonly ProcessConfig[], isSo: (view: ProcessView) => boolean): ProcessConfig[] =>
    processes.filter((proc) => {
      const view = engine.process(namespecOf(proc));
      return view !== null && isSo(view);
    });
  const restarted = having(renewed, isUpOrDue);
  const retried = having(renewed, isGivenUp).filter(({ options }) => options.autostart);
  const executed = new Set([...restarted, ...retried]);
  const changed = new Set([...renewed, ...live].filter((proc) => !executed.has(proc)));
  return {
    group: after,
    difference,
    stopped: having(removed, isUpOrDue),
    restarted,
    started: [...added.filter(({ options }) => options.autostart), ...retried],
    changed: after.processes.filter((proc) => changed.has(proc)),
  };
}

/**
 * Carries out a plan that was just made. Resolves with the names of the processes that had to stop, once they have
 * stopped. Rejects with a SocketRefusal if a socket cannot be opened in the place of an old one: the processes have
 * stopped then, and nothing else has changed.
 */
export async function updateGroup(
  { engine, streams, pending }: GroupUpdateParts,
  { group, difference, stopped, restarted, started }: UpdatePlan,
  cause: Cause,
): Promise<string[]> {
  const { removed, added, renewed, live } = difference;
  const planned = [...stopped, ...restarted];
  const inPlan = new Set(planned);
  const idle = [...removed, ...renewed].filter((proc) => !inPlan.has(proc));
  // A process that runs must neither lose its streams nor be removed.
  const others = await stopProcesses(engine, planned.map(namespecOf), cause, idle.map(namespecOf));
  const startedMeanwhile = idle.filter((proc) => others.has(namespecOf(proc)));
  const toStop = [...planned, ...startedMeanwhile];
  // A shutdown began meanwhile and closed these streams. Streams opened now would never be closed.
  if (engine.phase !== 'running') {
    pending.end();
    return toStop.map(({ name }) => name);
  }
  pending.complete();
  for (const proc of [...removed, ...renewed]) streams.close(namespecOf(proc));
  for (const proc of [...renewed, ...added]) streams.open(proc);
  for (const proc of live) streams.configure(proc);
  // Do this last: a start that was held may continue within this call, and needs its streams.
  engine.updateGroup(group);
  pending.end();
  const toRestart = [...restarted, ...startedMeanwhile.filter((proc) => renewed.includes(proc))];
  for (const proc of toRestart) engine.request(namespecOf(proc), 'start', cause);
  for (const proc of started) engine.request(namespecOf(proc), firstRequestOf(proc), cause);
  return toStop.map(({ name }) => name);
}
