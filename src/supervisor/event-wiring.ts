/**
 * Connects the supervisor with its event listeners: changes become events, output of listeners goes to their pools, and
 * messages of pools go to the listeners. Each configuration has its own wiring. Starts no process, and kills only
 * listeners that have broken the protocol.
 */
import { processFields } from '../core/log-fields.ts';
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import { hasForeignResultHandler } from '../config/listener-options.ts';
import type { StateEvent } from '../core/event-payload.ts';
import { signalNumbers } from '../core/signals.ts';
import { RUNNING_STATES } from '../core/states.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import { EventPools, type Serials } from '../events/event-pools.ts';
import { ListenerPool } from '../events/listener-pool.ts';
import { Ticker, type WallClock } from '../events/ticker.ts';
import { HeldEvents } from './held-events.ts';
import { OutputTaps } from './output-taps.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Maximum time that a shutdown waits for the listeners to take all events, before it stops them. */
const LISTENERS_MS = 1000;

/** Parts of {@link EventWiring}. */
export interface WiringParts {
  readonly clock: WallClock;
  readonly report: Report;
  readonly serials: Serials;
  /** `identifier` of [supervisord]. */
  readonly server: string;
  readonly streams: ProgramStreams;
  /** The engine, which is created after the wiring. */
  readonly engine: () => Pick<Engine, 'process' | 'signalProcess'>;
}

/** The events of one configuration, and their listeners. */
export class EventWiring {
  readonly #parts: WiringParts;
  readonly #pools: EventPools;
  readonly #ticker: Ticker;
  readonly #processes = new Map<string, ProcessConfig>();
  readonly #taps: OutputTaps;
  readonly #held: HeldEvents;
  /** Called when no event is held, queued or being handled by a listener. */
  readonly #whenIdle = new Set<() => void>();
  #isClosed = false;

  constructor(parts: WiringParts) {
    const { clock, serials, streams } = parts;
    this.#parts = parts;
    this.#pools = new EventPools(serials);
    this.#ticker = new Ticker(clock, (period, whenS) => this.#pools.publish({ kind: 'tick', period, whenS }));
    this.#taps = new OutputTaps({
      streams,
      wants: (type) => this.#pools.wants(type),
      take: (id, event) => this.#held.takeOutput(id, event),
    });
    this.#held = new HeldEvents({
      clock,
      streams,
      taps: this.#taps,
      publish: (event) => this.#pools.publish(event),
      released: () => this.#checkIdle(),
    });
  }

  /** Takes the initial groups, before any program starts. */
  begin(groups: readonly GroupConfig[]): void {
    for (const group of groups) this.#addGroup(group);
    this.#followSubscriptions();
    this.#pools.publish({ kind: 'supervisor', change: 'running' });
  }

  /** Publishes the events of a change. `groupOf` finds an active group. */
  observe(event: EngineEvent, groupOf: (name: string) => GroupConfig | undefined): void {
    switch (event.type) {
      case 'process':
        return this.#observeProcess(event);
      case 'group': {
        const group = groupOf(event.group);
        if (group === undefined) return;
        if (event.change === 'added') this.#addGroup(group);
        else this.#removeGroup(group, event.ids);
        // Only listeners subscribe to events.
        return group.type === 'eventlistener' ? this.#followSubscriptions() : this.#tap(event.ids);
      }
      case 'supervisor':
        this.#pools.publish({ kind: 'supervisor', change: 'stopping' });
        return;
      // Supervisor has no events for these changes.
      case 'spawned':
      case 'ready':
      case 'health':
      case 'held':
      case 'configured':
        return;
    }
  }

  /** Publishes REMOTE_COMMUNICATION (`supervisor.sendRemoteCommEvent`). */
  publishRemote(type: string, data: string): void {
    this.#pools.publish({ kind: 'remote', type, data });
  }

  /**
   * Calls `proceed` when these processes may be stopped. Listeners first get up to {@link LISTENERS_MS} to take the
   * events of other programs that have stopped. In Supervisor, a shutdown is slow enough for listeners to take them.
   */
  waitForListeners(ids: readonly string[], proceed: () => void): void {
    if (this.#isIdle() || !ids.some((id) => this.#processes.get(id)?.type === 'eventlistener')) return proceed();
    const { clock } = this.#parts;
    const done = (): void => {
      cancel();
      this.#whenIdle.delete(done);
      // The wiring is closed when the shutdown has finished. In that case all processes have ended already.
      if (!this.#isClosed) proceed();
    };
    const cancel = clock.alarm(clock.nowMs() + LISTENERS_MS, done);
    this.#whenIdle.add(done);
  }

  /** Drops all held and queued events, and publishes no more. */
  close(): void {
    this.#isClosed = true;
    this.#ticker.follow(() => false);
    this.#taps.close();
    this.#held.close();
    this.#pools.close();
  }

  /** compat: a pool gets the event of its own group, and of groups that are added later. */
  #addGroup(group: GroupConfig): void {
    for (const proc of group.processes) this.#processes.set(namespecOf(proc), proc);
    if (group.type === 'eventlistener') this.#openPool(group);
    this.#pools.publish({ kind: 'group', group: group.name, change: 'added' });
  }

  #removeGroup(group: GroupConfig, ids: readonly string[]): void {
    this.#pools.remove(group.name);
    for (const id of ids) {
      // The events of the processes come before the event of their group.
      this.#held.release(id);
      this.#processes.delete(id);
    }
    this.#pools.publish({ kind: 'group', group: group.name, change: 'removed' });
  }

  #openPool({ name, processes }: GroupConfig): void {
    const { clock, report, server, streams } = this.#parts;
    // The options are set in the section of the pool, so all its processes have the same.
    const options = processes[0]?.options;
    const pool = new ListenerPool(
      {
        name,
        server,
        wanted: new Set(options?.events),
        bufferSize: options?.buffer_size ?? 1,
        isLenient: hasForeignResultHandler(options ?? {}),
        members: processes.map((proc) => ({ id: namespecOf(proc), name: proc.name })),
      },
      {
        clock,
        report,
        write: (id, bytes, failed) => streams.writeInput(id, bytes, failed),
        condemn: (id, pid) => this.#kill(id, pid),
        idle: () => this.#checkIdle(),
      },
    );
    this.#pools.add(name, pool);
    for (const proc of processes) this.#readProtocol(pool, namespecOf(proc));
  }

  /** Passes the standard output of a listener on to its pool. */
  #readProtocol(pool: ListenerPool, id: string): void {
    this.#parts.streams.channel(id, 'stdout')?.onBytes((bytes, pid) => {
      if (this.#pidOf(id) === pid) pool.began(id, pid);
      pool.readOutput(id, pid, bytes.toString('latin1'));
    });
  }

  /** Pid of a process that is STARTING or RUNNING. */
  #pidOf(id: string): number | null {
    const record = this.#parts.engine().process(id)?.record;
    return record !== undefined && RUNNING_STATES.has(record.state) ? record.pid : null;
  }

  /** Kills a listener. The engine sees a crash, so `autorestart` and `startretries` apply. */
  #kill(id: string, pid: number): void {
    const proc = this.#processes.get(id);
    if (proc === undefined || this.#pidOf(id) !== pid) return;
    const { killasgroup } = proc.options;
    const failure = this.#parts.engine().signalProcess(id, signalNumbers.SIGKILL, { kind: 'protocol' }, killasgroup);
    // A listener may have ended already when its last output breaks the protocol.
    if (failure !== null && failure !== 'not running')
      this.#parts.report('warn', `cannot kill ${proc.name}: ${failure}`, {
        event: 'signal_failed',
        ...processFields(proc),
        pid,
      });
  }

  /** Updates ticks and taps to the subscriptions of the pools. */
  #followSubscriptions(): void {
    this.#ticker.follow((period) => this.#pools.wants(`TICK_${period}`));
    this.#taps.update(this.#processes);
  }

  /** Opens the taps of these processes, and closes those of processes that were removed. */
  #tap(ids: readonly string[]): void {
    for (const id of ids) {
      const proc = this.#processes.get(id);
      if (proc === undefined) this.#taps.leave(id);
      else this.#taps.follow(id, proc);
    }
  }

  #observeProcess(event: Extract<EngineEvent, { type: 'process' }>): void {
    const { id, config, record } = event.process;
    const endedPid = record.pid === null ? event.pid : null;
    const pool = config.type === 'eventlistener' ? this.#pools.get(config.group) : undefined;
    // A listener gets the event of its own start, but not the event of its own end.
    if (record.state === 'STOPPING') pool?.down(id);
    if (endedPid !== null) pool?.ended(id);
    this.#held.takeState(id, endedPid, stateEvent(event));
    if (record.state === 'RUNNING' && record.pid !== null) pool?.up(id, record.pid);
    if (endedPid !== null && pool !== undefined) this.#held.afterOutput(id, () => pool.drained(endedPid));
  }

  #isIdle(): boolean {
    return this.#held.isEmpty && this.#pools.isIdle;
  }

  #checkIdle(): void {
    if (this.#whenIdle.size > 0 && this.#isIdle()) for (const done of this.#whenIdle) done();
  }
}

function stateEvent({
  process: { config, record },
  from,
  expected,
  pid,
}: Extract<EngineEvent, { type: 'process' }>): StateEvent {
  return {
    kind: 'state',
    process: config.name,
    group: config.group,
    from,
    to: record.state,
    pid: pid ?? 0,
    tries: record.failedStarts,
    expected,
  };
}
