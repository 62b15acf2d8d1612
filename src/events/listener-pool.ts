/**
 * The listeners of one `[eventlistener:x]`. The pool sends each subscribed event to a listener that is ready, and reads
 * the results. It never starts or stops a process itself. When a listener breaks the protocol, the pool asks the engine
 * to stop the process (`condemn`).
 *
 * Invariants:
 * - An event is in the queue, or with exactly one run of a listener. It is removed when that run accepts the event, or
 *   when the queue drops it.
 * - A run gets an event only while its process is RUNNING and its protocol state is READY.
 * - A run that ended with an event may have accepted the event in output that is still in its pipe. Until that output
 *   is read, no further event is sent, so that events stay in order.
 */
import type { LogFields } from '../core/log-fields.ts';
import { formatDelivery, type SupervisorEvent, typeOf } from '../core/event-payload.ts';
import { isSubscribed } from '../core/event-types.ts';
import {
  readListenerOutput,
  initialListener,
  type ListenerOutcome,
  type ListenerRecord,
  markBusy,
  markUnknown,
} from '../core/listener-protocol.ts';
import type { Clock, Report } from '../engine/ports.ts';
import { EventQueue, type QueuedEvent } from './event-queue.ts';

/** Pause before an event that was rejected twice is sent again. A listener may reject everything, without end. */
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5000;
/** Time within which the exit of a listener is known after a write found no reader. */
const EXIT_REPORT_MS = 200;

/** Protocol state of a listener after each outcome. */
const STATE_AFTER: Readonly<Record<ListenerOutcome['type'], ListenerRecord['state']>> = {
  ready: 'READY',
  result: 'ACKNOWLEDGED',
  violated: 'UNKNOWN',
};

/** Settings of a pool. */
export interface PoolSpec {
  /** Name of the group. */
  readonly name: string;
  /** `identifier` of [supervisord]. */
  readonly server: string;
  /** `events`. */
  readonly wanted: ReadonlySet<string>;
  /** `buffer_size`. */
  readonly bufferSize: number;
  /** True: every result but FAIL accepts an event. False: only OK accepts an event. */
  readonly isLenient: boolean;
  /** The processes of the pool. The first one that is ready gets an event. */
  readonly members: ReadonlyArray<{ readonly id: string; readonly name: string }>;
}

/** Functions of other parts for a pool. */
export interface PoolPorts {
  readonly clock: Clock;
  readonly report: Report;
  /**
   * Writes to the standard input of a process, whole or not at all, without blocking. Calls `failed` later if the write
   * fails because the pipe has no reader.
   */
  write(id: string, bytes: Uint8Array, failed: () => void): 'written' | 'closed' | 'full';
  /** Stops the run of a listener that broke the protocol, if it has not ended yet. `autorestart` may start it again. */
  condemn(id: string, pid: number): void;
  /** Called when the last event was taken, or when no listener is left that could take an event. */
  idle(): void;
}

/** One run of one listener. */
interface ListenerRun {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  /** Phase of the process. `starting`: not up for startsecs yet. `stopping`: asked to stop. */
  phase: 'starting' | 'running' | 'stopping' | 'ended';
  protocol: ListenerRecord;
  /** The event without a result so far. */
  event: QueuedEvent | null;
}

/** The listeners of one `[eventlistener:x]`. */
export class ListenerPool {
  readonly #spec: PoolSpec;
  readonly #ports: PoolPorts;
  readonly #queue: EventQueue;
  /** Current run of each member, in the order of the members. Null: the member has no run. */
  readonly #runs = new Map<string, ListenerRun | null>();
  /** Ended runs, by pid, whose output may not have been read yet. */
  readonly #ending = new Map<number, ListenerRun>();
  #nextSerial = 0;
  /** Cancels the pause. Null: there is no pause. */
  #cancelPause: (() => void) | null = null;

  constructor(spec: PoolSpec, ports: PoolPorts) {
    this.#spec = spec;
    this.#ports = ports;
    this.#queue = new EventQueue({
      pool: spec.name,
      bufferSize: spec.bufferSize,
      report: ports.report,
      nowMs: () => ports.clock.nowMs(),
    });
    for (const { id } of spec.members) this.#runs.set(id, null);
  }

  get wanted(): ReadonlySet<string> {
    return this.#spec.wanted;
  }

  /** True if no running listener has an event without a result, and no event waits for a running listener. */
  get isIdle(): boolean {
    const up = [...this.#runs.values()].filter((run) => run?.phase === 'running' && run.protocol.state !== 'UNKNOWN');
    return up.length === 0 || (this.#queue.size === 0 && up.every((run) => run?.event === null));
  }

  /** Queues an event if the pool subscribes to its type. `serial` returns its number, the same for all pools. */
  offer(event: SupervisorEvent, serial: () => number): void {
    if (!isSubscribed(typeOf(event), this.#spec.wanted)) return;
    this.#queue.push({ event, serial: serial(), poolSerial: this.#nextSerial++, returns: 0 });
    this.#dispatch();
  }

  /** Notes a new run of a member. Does nothing if the run is known. */
  began(id: string, pid: number): void {
    const name = this.#spec.members.find((member) => member.id === id)?.name;
    if (name === undefined || this.#runs.get(id)?.pid === pid) return;
    this.#runs.set(id, { id, name, pid, phase: 'starting', protocol: initialListener, event: null });
  }

  /** Reads output of a run. Ignores a run that is unknown, such as a child process that an earlier run left behind. */
  readOutput(id: string, pid: number, text: string): void {
    const current = this.#runs.get(id);
    const run = current?.pid === pid ? current : this.#ending.get(pid);
    if (run === undefined) return;
    let { state } = run.protocol;
    const { record, outcomes } = readListenerOutput(run.protocol, text);
    run.protocol = record;
    for (const outcome of outcomes) {
      const next = STATE_AFTER[outcome.type];
      // compat: "event was processed" comes before the line about the state. Each state has a line, also if one read
      // brings several.
      if (outcome.type === 'result') this.#apply(run, outcome);
      this.#ports.report('debug', `${run.name}: ${state} -> ${next}`, fieldsOf(run));
      if (outcome.type !== 'result') this.#apply(run, outcome);
      state = next;
    }
    this.#dispatch();
  }

  /** Notes that the process of a member is RUNNING. */
  up(id: string, pid: number): void {
    this.began(id, pid);
    const run = this.#runs.get(id);
    if (!run) return;
    run.phase = 'running';
    this.#dispatch();
  }

  /** Notes that the process of a member is being stopped. */
  down(id: string): void {
    const run = this.#runs.get(id);
    if (run) run.phase = 'stopping';
  }

  /** Notes that the process of a member has ended. Its output may still come until {@link drained}. */
  ended(id: string): void {
    const run = this.#runs.get(id);
    if (!run) return;
    this.#runs.set(id, null);
    run.phase = 'ended';
    this.#ending.set(run.pid, run);
    if (this.isIdle) this.#ports.idle();
  }

  /** Notes that all output of an ended run was read. */
  drained(pid: number): void {
    const run = this.#ending.get(pid);
    if (run === undefined) return;
    this.#ending.delete(pid);
    this.#giveBack(run);
    this.#dispatch();
  }

  /** Closes the pool and drops its events. */
  close(): void {
    this.#cancelPause?.();
    this.#cancelPause = null;
    this.#queue.close();
    for (const run of this.#runs.values()) if (run !== null) run.event = null;
    this.#runs.clear();
    this.#ending.clear();
  }

  #apply(run: ListenerRun, outcome: ListenerOutcome): void {
    switch (outcome.type) {
      case 'ready':
        return this.#queue.markReady();
      case 'result':
        return this.#judge(run, this.#spec.isLenient ? outcome.result !== 'FAIL' : outcome.accepted);
      case 'violated':
        return this.#reject(run, outcome.reason);
    }
  }

  #judge(run: ListenerRun, isAccepted: boolean): void {
    if (isAccepted) {
      run.event = null;
      this.#ports.report('debug', `${run.name}: event was processed`, fieldsOf(run));
      return;
    }
    this.#ports.report('warn', `${run.name}: event was rejected`, fieldsOf(run));
    this.#giveBack(run);
  }

  /**
   * Asks the engine to stop a listener that broke the protocol or does not read. It would never take an event again.
   */
  #reject(run: ListenerRun, reason: string): void {
    run.protocol = markUnknown(run.protocol);
    this.#giveBack(run);
    // Output of a listener that is being stopped may break the protocol.
    if (run.phase === 'stopping' || run.phase === 'ended') return;
    this.#ports.report('warn', `${run.name}: ${reason}`, fieldsOf(run));
    this.#ports.report(
      'warn',
      `${run.name}: has entered the UNKNOWN state, because it violated the eventlistener protocol; it is killed`,
      fieldsOf(run),
    );
    this.#ports.condemn(run.id, run.pid);
  }

  #giveBack(run: ListenerRun): void {
    const { event } = run;
    if (event === null) return;
    run.event = null;
    this.#queue.putBack(event);
    // The first time, any listener may get the event again at once. After that there is a pause.
    if (event.returns > 1) this.#pauseFor(Math.min(FIRST_PAUSE_MS * 2 ** (event.returns - 2), MAX_PAUSE_MS));
  }

  #pauseFor(pauseMs: number): void {
    this.#cancelPause?.();
    this.#cancelPause = this.#ports.clock.alarm(this.#ports.clock.nowMs() + pauseMs, () => {
      this.#cancelPause = null;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    for (let run = this.#findReady(); run !== null; run = this.#findReady()) {
      const queued = this.#queue.shift();
      if (queued === undefined) break;
      this.#send(run, queued);
    }
    if (this.isIdle) this.#ports.idle();
  }

  /** Returns a listener that can get an event now, or null. */
  #findReady(): ListenerRun | null {
    if (this.#cancelPause !== null || [...this.#ending.values()].some(({ event }) => event !== null)) return null;
    for (const run of this.#runs.values()) if (run?.phase === 'running' && run.protocol.state === 'READY') return run;
    return null;
  }

  #send(run: ListenerRun, queued: QueuedEvent): void {
    const { event, serial, poolSerial } = queued;
    const { name, server } = this.#spec;
    const text = formatDelivery(event, { server, serial, pool: name, poolSerial });
    run.event = queued;
    run.protocol = markBusy(run.protocol);
    const outcome = this.#ports.write(run.id, new TextEncoder().encode(text), () => this.#onUnread(run, queued));
    if (outcome === 'written')
      this.#ports.report('debug', `event ${serial} sent to listener ${run.name}`, fieldsOf(run));
    else if (outcome === 'closed') this.#onUnread(run, queued);
    else this.#reject(run, 'it does not read its standard input');
  }

  /**
   * Handles a write that found no reader. Usually the listener has ended, and its exit is reported soon. A listener
   * that still runs has closed its standard input.
   */
  #onUnread(run: ListenerRun, queued: QueuedEvent): void {
    this.#ports.clock.alarm(this.#ports.clock.nowMs() + EXIT_REPORT_MS, () => {
      if (run.event !== queued || run.phase === 'ended') return;
      this.#reject(run, 'it has closed its standard input');
      this.#dispatch();
    });
  }
}

/** Returns the fields of a line about a listener. */
function fieldsOf({ id, name, pid }: ListenerRun): LogFields {
  return { event: 'listener', group: id.slice(0, id.length - name.length - 1), process: name, pid };
}
