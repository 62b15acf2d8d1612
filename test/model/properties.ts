/**
 * The promises that hold in every state of a model (src/MODEL.md). They are judged from the facts that everyone sees,
 * with rules of their own, not with the functions of the engine.
 */
import type { Dependency } from '../../src/config/model.ts';
import type { EngineEvent } from '../../src/engine/events.ts';
import type { ProcessView } from '../../src/engine/process-table.ts';
import type { ModelWorld } from './world.ts';

/** The names of the promises, as in src/MODEL.md. */
export type Promised =
  | 'TERM leads to the end'
  | 'no start after the end began'
  | 'a failed program ends the container'
  | 'no dependent before its condition'
  | 'one exit for each spawn'
  | 'every stop has a SIGKILL behind it'
  | 'no start is forgotten'
  | 'a stopped program stays stopped'
  | 'only legal changes of state'
  | 'the first cause is kept';

/** A promise that does not hold in a state. */
export class Broken extends Error {
  readonly promised: Promised;

  constructor(promised: Promised, text: string) {
    super(`${promised}: ${text}`);
    this.promised = promised;
  }
}

function expect(isTrue: boolean, promised: Promised, text: string): void {
  if (!isTrue) throw new Broken(promised, text);
}

/** The changes of state of Supervisor's diagram, and those of our options (ARCHITECTURE.md). */
const LEGAL: Readonly<Record<string, readonly string[]>> = {
  // FATAL: a restart by the supervisor, such as for health, that exceeds max_restarts.
  STOPPED: ['STARTING', 'FATAL'],
  STARTING: ['RUNNING', 'BACKOFF', 'STOPPING'],
  RUNNING: ['STOPPING', 'EXITED'],
  BACKOFF: ['STOPPED', 'STARTING', 'FATAL'],
  STOPPING: ['STOPPED', 'UNKNOWN', 'BACKOFF'],
  EXITED: ['STARTING', 'FATAL'],
  FATAL: ['STARTING'],
  UNKNOWN: ['STOPPED'],
};

/** Watches the events of a world. A promise that breaks within an input is kept until the input is over. */
export class Watch {
  readonly #world: ModelWorld;
  #broken: Broken | null = null;
  #hasEndBegun = false;
  /** True if the end had begun before the last input. */
  #hadEndBegun = false;
  /** The cause with which the end began. */
  #begunBy: unknown = null;

  constructor(world: ModelWorld) {
    this.#world = world;
    world.engine.subscribe((event) => this.#see(event));
  }

  #see(event: EngineEvent): void {
    if (this.#broken !== null) return;
    try {
      if (event.type === 'supervisor') {
        this.#hasEndBegun = !this.#world.engine.isDelaying;
        this.#begunBy = event.cause;
      }
      if (event.type === 'process') this.#seeChange(event);
    } catch (error) {
      if (!(error instanceof Broken)) throw error;
      this.#broken = error;
    }
  }

  #seeChange({ process: view, from }: Extract<EngineEvent, { type: 'process' }>): void {
    const { name } = view.config;
    const to = view.record.state;
    expect(LEGAL[from]?.includes(to) === true, 'only legal changes of state', `${name} ${from}>${to}`);
    if (to !== 'STARTING') return;
    expect(!this.#hasEndBegun, 'no start after the end began', name);
    expect(!this.#world.down.has(name), 'a stopped program stays stopped', name);
    // A restart by autorestart, a retry and a restart because of health do not wait for dependencies again.
    const kind = view.record.startCause?.kind;
    if (kind === 'policy' || kind === 'health') return;
    for (const dependency of view.config.dependsOn)
      expect(isMet(this.#world, dependency), 'no dependent before its condition', `${name} on ${dependency.process}`);
  }

  /** Judges the state after an input. */
  judge(): void {
    const world = this.#world;
    if (this.#broken !== null) throw this.#broken;
    // The input that began the end may have been the failure of a spawn.
    if (this.#hadEndBegun && world.spawned.length > 0)
      throw new Broken('no start after the end began', world.spawned.join(', '));
    this.#hadEndBegun = world.engine.phase === 'stopping' || world.engine.phase === 'finished';
    this.#hasEndBegun ||= this.#hadEndBegun;
    const mistake = world.logged.find((line) => line.startsWith('cannot act on'));
    if (mistake !== undefined) throw new Broken('TERM leads to the end', mistake);
    for (const view of world.engine.processes()) {
      judgePid(world, view);
      if (world.finished === null) judgeWaits(world, view);
      if (world.engine.phase === 'running') judgeRunning(world, view);
    }
    if (world.finished !== null) this.#judgeEnd();
  }

  #judgeEnd(): void {
    const world = this.#world;
    const { finished } = world;
    if (finished === null) return;
    const isMain = finished.cause.kind === 'program' && finished.cause.rule === 'main program';
    if (!isMain && world.reloads === 0)
      expect(finished.cause === this.#begunBy, 'the first cause is kept', JSON.stringify(finished.cause));
    if (finished.cause.kind === 'program' && finished.cause.rule === 'exit_on_failure')
      expect(finished.cause.code !== 0, 'a failed program ends the container', 'with exit code 0');
    // Programs that have survived SIGKILL are left behind with their alarms.
    if (world.alive.length === 0)
      expect(world.clock.pending.length === 0, 'TERM leads to the end', 'an alarm is set after it');
  }
}

/** A pid in the record is a process that lives, and the reverse. */
function judgePid(world: ModelWorld, { config: { name }, record }: ProcessView): void {
  const count = world.alive.filter((other) => other === name).length;
  expect(count <= 1, 'one exit for each spawn', `${count} processes of ${name}`);
  const isUp = ['STARTING', 'RUNNING', 'STOPPING', 'UNKNOWN'].includes(record.state);
  expect((record.pid !== null) === (count === 1), 'one exit for each spawn', `${name} ${record.state} ${record.pid}`);
  expect(count === 0 || isUp, 'one exit for each spawn', `${name} lives in ${record.state}`);
  expect(record.state !== 'RUNNING' || count === 1, 'one exit for each spawn', `${name} is RUNNING without a process`);
}

/** Each deadline has an alarm, and each stop under way has a deadline. */
function judgeWaits(world: ModelWorld, { config: { name, options }, record }: ProcessView): void {
  const restMs = record.deadlineMs === null ? null : record.deadlineMs - world.clock.nowMs();
  if (restMs !== null)
    expect(world.clock.pending.includes(restMs), 'no start is forgotten', `${name} has a deadline without an alarm`);
  if (record.state !== 'STOPPING') return;
  if (record.pid === null) return judgeUnexecuted(world, name);
  const longest = 1000 * Math.max(options.stopwaitsecs, options.stop_timeout ?? 0);
  expect(restMs !== null && restMs <= longest, 'every stop has a SIGKILL behind it', `${name}: ${restMs}`);
}

/** A cancelled start waits for its hook, which gets SIGKILL, and for its turn; not for the cleanup of the last run. */
function judgeUnexecuted(world: ModelWorld, name: string): void {
  const isEnding = world.jobs.includes(`${name} pre_start_command`) || world.starts.length > 0;
  expect(isEnding, 'every stop has a SIGKILL behind it', `${name} is STOPPING without a process`);
}

function judgeRunning(world: ModelWorld, view: ProcessView): void {
  const { config, record } = view;
  const { name, options } = config;
  const isDue = record.deadlineMs !== null;
  if (record.state === 'BACKOFF') expect(isDue, 'no start is forgotten', `${name} in BACKOFF has no next try`);
  if (record.state === 'STOPPED' && record.isStartPending)
    expect(isDue, 'no start is forgotten', `${name} is STOPPED, and is never restarted`);
  const comesBack = options.autorestart === 'true' && !options.oneshot && record.hold === null;
  if (record.state === 'EXITED' && comesBack && !world.down.has(name))
    expect(isDue, 'no start is forgotten', `${name} is not restarted`);
  if (record.hold !== null) {
    expect(!isUp(view), 'no dependent before its condition', `${name} is held in ${record.state}`);
    const isReadyToStart = config.dependsOn.every((dependency) => isMet(world, dependency));
    expect(!isReadyToStart, 'no start is forgotten', `${name} is held, and its dependencies are met`);
    const isWaiting = record.hold.kind === 'waiting';
    const canBeMet = config.dependsOn.every(
      (dependency) =>
        isMet(world, dependency) || isComing(world, world.view(dependency.process), dependency.conditions),
    );
    expect(isWaiting === canBeMet, 'no start is forgotten', `${name} is held as ${record.hold.kind}`);
  }
  if (!options.exit_on_failure) return;
  // A start that waits has been requested since the exit. The next check judges it.
  const isOver = !world.down.has(name) && record.hold === null;
  const hasFailed = isOver && (record.state === 'FATAL' || (record.state === 'EXITED' && !isDue && isBadExit(view)));
  expect(!hasFailed, 'a failed program ends the container', `${name} is ${record.state}`);
  if (record.hold !== null)
    expect(!isLost(world, view), 'a failed program ends the container', `${name} can never start`);
}

/** True if a process is up, or will be started without a request. Lost health counts as lost. */
function isComing(world: ModelWorld, { config, record }: ProcessView, conditions: readonly string[]): boolean {
  if (record.health === 'unhealthy' && conditions.every((condition) => condition === 'healthy')) return false;
  if (['STARTING', 'RUNNING', 'BACKOFF'].includes(record.state)) return true;
  if (record.state === 'STOPPING') return record.isStartPending || record.hasStartFailed;
  if (record.deadlineMs !== null) return true;
  return (
    record.hold !== null &&
    config.dependsOn.every(
      (other) => isMet(world, other) || isComing(world, world.view(other.process), other.conditions),
    )
  );
}

function isUp({ record }: ProcessView): boolean {
  return record.pid !== null || record.state === 'STARTING';
}

function isBadExit({ config, record: { exit } }: ProcessView): boolean {
  return exit !== null && !(exit.kind === 'exited' && config.options.exitcodes.includes(exit.code));
}

/** True if a held process waits for a process that has failed for good, over any number of others. */
function isLost(world: ModelWorld, { config }: ProcessView): boolean {
  return config.dependsOn.some((dependency) => {
    const other = world.view(dependency.process);
    const { record } = other;
    // A person has cancelled its restart, and may start it.
    if (isMet(world, dependency) || world.down.has(dependency.process)) return false;
    if (record.hold !== null) return isLost(world, other);
    const isCompletion = dependency.conditions.includes('completed');
    const isEnded = record.state === 'EXITED' && record.deadlineMs === null;
    return record.state === 'FATAL' || (isCompletion && isEnded && isBadExit(other));
  });
}

/** True if one of the conditions holds, by the words of the manual. */
function isMet(world: ModelWorld, { process: name, conditions }: Dependency): boolean {
  const view = world.view(name);
  const { record, config } = view;
  const isDone = record.state === 'EXITED' && record.deadlineMs === null && record.exit !== null && !isBadExit(view);
  const isService = !config.options.oneshot;
  const isRunning = record.state === 'RUNNING';
  return conditions.some((condition) => {
    switch (condition) {
      case 'started':
        return isRunning || (!isService && isDone);
      case 'ready':
        if (config.options.notify !== null && record.isReady) return isUp(view) && record.state !== 'STOPPING';
        return (isRunning && config.options.notify === null) || (!isService && isDone);
      case 'healthy':
        return isRunning && record.health === 'healthy';
      case 'completed':
        return isDone;
      case 'exited':
        return record.state === 'EXITED' || (!isService && record.state === 'FATAL' && record.exit !== null);
      case 'fatal':
        return record.state === 'FATAL';
      case 'backoff':
        return record.state === 'BACKOFF';
      case 'stopped':
        return record.state === 'STOPPED' && record.run > 0;
    }
    return false;
  });
}
