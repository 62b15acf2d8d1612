/**
 * Between the supervisor at work and the event listeners: what happens becomes events, what listeners say reaches their
 * pools, what pools send reaches the listeners. One for each configuration; it starts and stops nothing but listeners
 * that have broken the protocol.
 */
import type { GroupConfig, ProcessConfig } from '../config/model.ts';
import { hasForeignResultHandler } from '../config/listener-options.ts';
import type { StateEvent, SupervisorEvent } from '../core/event-payload.ts';
import { signalNumbers } from '../core/signals.ts';
import { RUNNING_STATES } from '../core/states.ts';
import { EventPools, type Serials } from '../events/event-pools.ts';
import { ListenerPool } from '../events/listener-pool.ts';
import { OutputTap, type TapPlan } from '../events/output-tap.ts';
import { Ticker, type WallClock } from '../events/ticker.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { StreamName } from '../logs/ports.ts';
import type { ProgramStreams } from './program-streams.ts';

const STREAMS = ['stdout', 'stderr'] as const satisfies readonly StreamName[];
/** How long the end of a run waits for the rest of its output, which may wait for a log that stalls. */
const DRAIN_MS = 1000;
/** How long the end of the listeners waits, in a shutdown, for them to take what has happened until then. */
const SETTLE_MS = 1000;

/** What the wiring is made from. */
export interface WiringParts {
  readonly clock: WallClock;
  readonly report: Report;
  readonly serials: Serials;
  /** `identifier` of [supervisord]. */
  readonly server: string;
  readonly streams: ProgramStreams;
  /** The engine at work; it is made after the wiring. */
  readonly engine: () => Pick<Engine, 'process' | 'signalProcess'>;
}

type OutputEvent = Extract<SupervisorEvent, { readonly bytes: Uint8Array }>;

/** What is to become of one stream of one process. */
interface Tapping extends TapPlan {
  readonly id: string;
  readonly process: ProcessConfig;
  readonly stream: StreamName;
}

/** Events about a process that wait until all that its ended run has written was told. */
interface Gate {
  readonly pid: number;
  readonly events: SupervisorEvent[];
}

/** See the head of this file. */
export class EventWiring {
  readonly #parts: WiringParts;
  readonly #pools: EventPools;
  readonly #ticker: Ticker;
  readonly #processes = new Map<string, ProcessConfig>();
  /** By process and stream. */
  readonly #taps = new Map<string, { readonly plan: TapPlan; readonly tap: OutputTap }>();
  readonly #gates = new Map<string, Gate>();
  /** Called once nothing is on its way any more. */
  readonly #whenIdle = new Set<() => void>();
  #isClosed = false;

  constructor(parts: WiringParts) {
    this.#parts = parts;
    this.#pools = new EventPools(parts.serials);
    this.#ticker = new Ticker(parts.clock, (period, whenS) => this.#pools.publish({ kind: 'tick', period, whenS }));
  }

  /** Takes in the groups that the supervisor begins with, before anything is started. */
  begin(groups: readonly GroupConfig[]): void {
    for (const group of groups) this.#addGroup(group);
    this.#rewire();
    this.#pools.publish({ kind: 'supervisor', change: 'running' });
  }

  /** Takes note of a change. `groupOf`: the groups at work. */
  observe(event: EngineEvent, groupOf: (name: string) => GroupConfig | undefined): void {
    switch (event.type) {
      case 'process':
        return this.#processChanged(event);
      case 'group': {
        const group = groupOf(event.group);
        if (group === undefined) return;
        if (event.change === 'added') this.#addGroup(group);
        else this.#removeGroup(group);
        return this.#rewire();
      }
      case 'supervisor':
        this.#pools.publish({ kind: 'supervisor', change: 'stopping' });
        return;
      // Supervisor has no events for these.
      case 'spawned':
      case 'ready':
      case 'health':
      case 'held':
      case 'configured':
        return;
    }
  }

  /** REMOTE_COMMUNICATION (`supervisor.sendRemoteCommEvent`). */
  tellRemote(type: string, data: string): void {
    this.#pools.publish({ kind: 'remote', type, data });
  }

  /**
   * Calls `proceed` when these processes may be told to stop: listeners hear of the end of the others first, for which
   * they get {@link SETTLE_MS}. Supervisor stops so slowly that they do.
   */
  waitForListeners(ids: readonly string[], proceed: () => void): void {
    if (this.#isIdle() || !ids.some((id) => this.#processes.get(id)?.type === 'eventlistener')) return proceed();
    const { clock } = this.#parts;
    const done = (): void => {
      cancel();
      this.#whenIdle.delete(done);
      // After SIGKILL for all nobody is left to be stopped.
      if (!this.#isClosed) proceed();
    };
    const cancel = clock.alarm(clock.nowMs() + SETTLE_MS, done);
    this.#whenIdle.add(done);
  }

  /** Ends it, with everything that waits. */
  close(): void {
    this.#isClosed = true;
    this.#ticker.follow(() => false);
    for (const { tap } of this.#taps.values()) tap.close();
    this.#taps.clear();
    this.#gates.clear();
    this.#pools.close();
  }

  /** compat: a pool hears of its own group, and of those that come after it. */
  #addGroup(group: GroupConfig): void {
    for (const proc of group.processes) this.#processes.set(namespecOf(proc), proc);
    if (group.type === 'eventlistener') this.#openPool(group);
    this.#pools.publish({ kind: 'group', group: group.name, change: 'added' });
  }

  #removeGroup(group: GroupConfig): void {
    this.#pools.remove(group.name);
    for (const proc of group.processes) {
      // The end of its processes comes before its own.
      this.#openGate(namespecOf(proc));
      this.#processes.delete(namespecOf(proc));
    }
    this.#pools.publish({ kind: 'group', group: group.name, change: 'removed' });
  }

  #openPool({ name, processes }: GroupConfig): void {
    const { clock, report, server, streams } = this.#parts;
    // Options of the pool stand in its section, so they are the same for all of its processes.
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
        idle: () => this.#lookWhetherIdle(),
      },
    );
    this.#pools.add(name, pool);
    for (const proc of processes) this.#listenTo(pool, namespecOf(proc));
  }

  #listenTo(pool: ListenerPool, id: string): void {
    this.#parts.streams.channel(id, 'stdout')?.onBytes((bytes, pid) => {
      if (this.#pidOf(id) === pid) pool.began(id, pid);
      pool.heard(id, pid, bytes.toString('latin1'));
    });
  }

  /** Pid of a process that is STARTING or RUNNING. */
  #pidOf(id: string): number | null {
    const record = this.#parts.engine().process(id)?.record;
    return record !== undefined && RUNNING_STATES.has(record.state) ? record.pid : null;
  }

  /** Ends a run as if somebody else had: what follows is what `autorestart` and `startretries` say. */
  #kill(id: string, pid: number): void {
    const proc = this.#processes.get(id);
    if (proc === undefined || this.#pidOf(id) !== pid) return;
    const failure = this.#parts.engine().signalProcess(id, signalNumbers.SIGKILL, proc.options.killasgroup);
    // Its last words may break the protocol when it has ended already.
    if (failure !== null && failure !== 'not running')
      this.#parts.report('warn', `cannot kill ${proc.name}: ${failure}`);
  }

  /** Looks again at what the pools want: ticks, and the output of programs. Nothing is made that nobody wants. */
  #rewire(): void {
    this.#ticker.follow((period) => this.#pools.wants(`TICK_${period}`));
    const wanted = new Map<string, Tapping>();
    for (const [id, proc] of this.#processes)
      for (const stream of STREAMS)
        wanted.set(`${id} ${stream}`, { id, process: proc, stream, ...this.#planOf(proc, stream) });
    for (const [key, { plan, tap }] of this.#taps) {
      const now = wanted.get(key);
      if (now !== undefined && plan.log === now.log && plan.communication === now.communication) continue;
      tap.close();
      this.#taps.delete(key);
    }
    for (const [key, tapping] of wanted) if (!this.#taps.has(key)) this.#openTap(key, tapping);
  }

  #openTap(key: string, { id, process: proc, stream, log, communication }: Tapping): void {
    const channel = this.#parts.streams.channel(id, stream);
    if (channel === null || !(log || communication)) return;
    const plan = { log, communication };
    this.#taps.set(key, {
      plan,
      tap: new OutputTap(channel, { process: proc.name, group: proc.group }, plan, (event) =>
        this.#tellOutput(id, event),
      ),
    });
  }

  #planOf({ type, options }: ProcessConfig, stream: StreamName): TapPlan {
    const isProtocol = type === 'eventlistener' && stream === 'stdout';
    const wants = (kind: 'PROCESS_LOG' | 'PROCESS_COMMUNICATION'): boolean =>
      this.#pools.wants(stream === 'stdout' ? `${kind}_STDOUT` : `${kind}_STDERR`);
    return {
      log: !isProtocol && options[`${stream}_events_enabled`] && wants('PROCESS_LOG'),
      communication:
        type !== 'eventlistener' && options[`${stream}_capture_maxbytes`] > 0 && wants('PROCESS_COMMUNICATION'),
    };
  }

  #processChanged(event: Extract<EngineEvent, { type: 'process' }>): void {
    const { id, config, record } = event.process;
    const endedPid = record.pid === null ? event.pid : null;
    const pool = config.type === 'eventlistener' ? this.#pools.get(config.group) : undefined;
    // A listener that is up hears of its own start, one that is about to end does not hear of its end.
    if (record.state === 'STOPPING') pool?.down(id);
    if (endedPid !== null) pool?.ended(id);
    this.#tellState(id, endedPid, stateEvent(event));
    if (record.state === 'RUNNING' && record.pid !== null) pool?.up(id, record.pid);
    if (endedPid !== null && pool !== undefined) this.#afterOutput(id, () => pool.drained(endedPid));
  }

  /** What a run has written comes before its end, as in Supervisor, which reads the rest of the pipes first. */
  #tellState(id: string, endedPid: number | null, event: StateEvent): void {
    const gate = this.#gates.get(id);
    if (gate !== undefined) {
      gate.events.push(event);
    } else if (endedPid === null || !this.#isTapped(id)) {
      this.#pools.publish(event);
    } else {
      this.#gates.set(id, { pid: endedPid, events: [event] });
      this.#afterOutput(id, () => this.#openGate(id));
    }
  }

  #tellOutput(id: string, event: OutputEvent): void {
    const gate = this.#gates.get(id);
    if (gate === undefined || gate.pid === event.pid) this.#pools.publish(event);
    else gate.events.push(event);
  }

  #openGate(id: string): void {
    for (const stream of STREAMS) this.#taps.get(`${id} ${stream}`)?.tap.flush();
    const gate = this.#gates.get(id);
    this.#gates.delete(id);
    for (const event of gate?.events ?? []) this.#pools.publish(event);
    this.#lookWhetherIdle();
  }

  #isIdle(): boolean {
    return this.#gates.size === 0 && this.#pools.isIdle;
  }

  #lookWhetherIdle(): void {
    if (this.#whenIdle.size > 0 && this.#isIdle()) for (const done of this.#whenIdle) done();
  }

  #isTapped(id: string): boolean {
    return STREAMS.some((stream) => this.#taps.has(`${id} ${stream}`));
  }

  /** Calls back when all that a process has written so far was read, or after {@link DRAIN_MS}. */
  #afterOutput(id: string, then: () => void): void {
    const { clock, streams } = this.#parts;
    const drained = STREAMS.flatMap((stream) => streams.channel(id, stream)?.drained() ?? []);
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = clock.alarm(clock.nowMs() + DRAIN_MS, resolve);
    void Promise.race([promise, Promise.allSettled(drained)]).then(() => {
      cancel();
      if (!this.#isClosed) then();
    });
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
