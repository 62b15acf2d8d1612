/**
 * Makes a group that is at work as it is configured now: restarts only what must be executed anew, and applies the rest while it runs.
 * What must be is decided in config/diff.ts.
 */
import { planGroupUpdate } from '../config/diff.ts';
import type { GroupConfig } from '../config/model.ts';
import type { Engine } from '../engine/engine.ts';
import { namespecOf, type ProcessView } from '../engine/registry.ts';
import type { ProgramStreams } from './program-streams.ts';

/** What an update works on. */
export interface GroupUpdateParts {
  readonly engine: Engine;
  readonly streams: Pick<ProgramStreams, 'open' | 'close' | 'configure'>;
}

function isAtRest({ record }: ProcessView): boolean {
  return record.pid === null && record.state !== 'BACKOFF' && record.state !== 'STARTING';
}

/** Whether it runs, or is due to: an update leaves it so. */
function isWanted(process: ProcessView): boolean {
  return !isAtRest(process) || process.record.deadlineMs !== null;
}

/** Stops processes; resolves when all are at rest. What is started meanwhile, as by its schedule, is stopped once more. */
async function stop(engine: Engine, ids: readonly string[]): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    const up = ids.filter((id) => {
      const process = engine.process(id);
      return process !== null && !isAtRest(process);
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

/** Updates a group; resolves with the names of the processes that had to be stopped for it, once they are. */
export async function updateGroup({ engine, streams }: GroupUpdateParts, before: GroupConfig, after: GroupConfig): Promise<string[]> {
  const { removed, added, restarted, live } = planGroupUpdate(before, after);
  const toStop = [...removed, ...restarted].filter((process) => {
    const view = engine.process(namespecOf(process));
    return view !== null && isWanted(view);
  });
  await stop(engine, toStop.map(namespecOf));
  // The end of everything came meanwhile: these streams are closed, and nobody would close those that are opened now.
  if (engine.phase !== 'running') return toStop.map(({ name }) => name);
  for (const process of [...removed, ...restarted]) streams.close(namespecOf(process));
  for (const process of [...restarted, ...added]) streams.open(process);
  for (const process of live) streams.configure(process);
  // Last: a start that was held may go on within this call, and gets the streams that are open.
  engine.updateGroup(after);
  const toStart = [...restarted.filter((process) => toStop.some(({ name }) => name === process.name)), ...added.filter(({ options }) => options.autostart)];
  for (const process of toStart) engine.request(namespecOf(process), 'start');
  return toStop.map(({ name }) => name);
}
