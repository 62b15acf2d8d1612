/**
 * Makes a group that is at work as it is configured now: restarts only what must be executed anew, and applies the rest
 * while it runs. What differs is found in config/diff.ts. The plan that a dry run shows is the one that is carried out.
 */
import { type GroupUpdate, planGroupUpdate } from '../config/diff.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import { STOPPED_STATES } from '../core/states.ts';
import type { Engine } from '../engine/engine.ts';
import { namespecOf, type ProcessView } from '../engine/process-table.ts';
import type { ProgramStreams } from './program-streams.ts';

/** What an update works on. */
export interface GroupUpdateParts {
  readonly engine: Engine;
  readonly streams: Pick<ProgramStreams, 'open' | 'close' | 'configure'>;
}

/**
 * Plan of the update of a group. A process that is new and has no autostart, or is configured no more and is at rest,
 * is in `difference` only.
 */
export interface UpdatePlan {
  /** The group as it is configured now. */
  readonly group: GroupConfig;
  readonly difference: GroupUpdate;
  readonly stopped: readonly ProcessConfig[];
  /** Those that run, or are due to, and must be executed anew. */
  readonly restarted: readonly ProcessConfig[];
  readonly started: readonly ProcessConfig[];
  /** They are configured differently, and neither stopped nor started for it. */
  readonly changed: readonly ProcessConfig[];
}

function isAtRest({ record }: ProcessView): boolean {
  return STOPPED_STATES.has(record.state);
}

/** Whether it runs, or is due to: an update leaves it so. */
function isWanted(proc: ProcessView): boolean {
  return !isAtRest(proc) || proc.record.deadlineMs !== null;
}

/**
 * Stops processes; resolves when all are at rest. What is started meanwhile, as by its schedule, is stopped once more.
 */
async function stop(engine: Engine, ids: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    const up = ids.filter((id) => {
      const proc = engine.process(id);
      return proc !== null && !isAtRest(proc);
    });
    if (up.length === 0) resolve();
    for (const id of up) if (engine.process(id)?.record.state !== 'STOPPING') engine.request(id, 'stop');
  };
  const unsubscribe = engine.subscribe((event) => {
    if (event.type === 'process' && ids.includes(event.process.id)) look();
  });
  for (const id of ids) engine.request(id, 'stop');
  look();
  await promise;
  unsubscribe();
}

/**
 * Plans an update of a group, as its processes are now; null where it is not both at work and configured, or holds
 * listeners or FastCGI programs, which share more than their options.
 */
export function planUpdate(
  engine: Engine,
  before: GroupConfig | undefined,
  after: GroupConfig | undefined,
): UpdatePlan | null {
  if (before?.type !== 'program' || after?.type !== 'program') return null;
  const difference = planGroupUpdate(before, after);
  const { removed, added, renewed, live } = difference;
  const isUp = (proc: ProcessConfig): boolean => {
    const view = engine.process(namespecOf(proc));
    return view !== null && isWanted(view);
  };
  const restarted = renewed.filter(isUp);
  const changed = new Set([...renewed, ...live].filter((proc) => !restarted.includes(proc)));
  return {
    group: after,
    difference,
    stopped: removed.filter(isUp),
    restarted,
    started: added.filter(({ options }) => options.autostart),
    changed: after.processes.filter((proc) => changed.has(proc)),
  };
}

/**
 * Carries out a plan made just now; resolves with the names of the processes that had to be stopped for it, once they
 * are.
 */
export async function updateGroup(
  { engine, streams }: GroupUpdateParts,
  { group, difference, stopped, restarted, started }: UpdatePlan,
): Promise<string[]> {
  const { removed, added, renewed, live } = difference;
  const toStop = [...stopped, ...restarted];
  await stop(engine, toStop.map(namespecOf));
  // The end of everything came meanwhile: these streams are closed, and nobody would close those that are opened now.
  if (engine.phase !== 'running') return toStop.map(({ name }) => name);
  for (const proc of [...removed, ...renewed]) streams.close(namespecOf(proc));
  for (const proc of [...renewed, ...added]) streams.open(proc);
  for (const proc of live) streams.configure(proc);
  // Last: a start that was held may go on within this call, and gets the streams that are open.
  engine.updateGroup(group);
  for (const proc of [...restarted, ...started]) engine.request(namespecOf(proc), 'start');
  return toStop.map(({ name }) => name);
}
