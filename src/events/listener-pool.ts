/**
 * The listeners of one `[eventlistener:x]`: gives each event that is subscribed to to one that is ready, and judges the
 * answers. It starts and ends no process; that one of them is to end it asks for.
 *
 * Invariants:
 *   1. An event is in the queue or with exactly one run of a listener. It is gone when that run has accepted it, or when the queue drops it.
 *   2. A run gets an event only while its process is RUNNING and it is READY.
 *   3. While the last words of a run that held an event may still be in its pipe, no other one is sent: it may have accepted it, and order is kept.
 */
import { formatDelivery, type SupervisorEvent, typeOf } from '../core/event-payload.ts';
import { isWanted } from '../core/event-types.ts';
import {
  hear,
  initialListener,
  type ListenerOutcome,
  type ListenerRecord,
  markBusy,
  markUnknown,
} from '../core/listener-protocol.ts';
import type { Clock, Report } from '../engine/ports.ts';
import { EventQueue, type QueuedEvent } from './event-queue.ts';

/**
 * The pause before an event that was refused again is sent once more: a listener that refuses everything would
 * otherwise keep us busy.
 */
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5000;
/** How long the news of the end of a listener may take. */
const SUSPICION_MS = 200;

/** State of a listener after each thing that can be heard of it. */
const STATE_AFTER: Readonly<Record<ListenerOutcome['type'], ListenerRecord['state']>> = {
  ready: 'READY',
  result: 'ACKNOWLEDGED',
  violated: 'UNKNOWN',
};

/** What a pool is by its configuration. */
export interface PoolSpec {
  /** Name of the group. */
  readonly name: string;
  /** `identifier` of [supervisord]. */
  readonly server: string;
  /** `events`. */
  readonly wanted: ReadonlySet<string>;
  /** `buffer_size`. */
  readonly bufferSize: number;
  /** Every result but FAIL accepts an event; else only OK does. */
  readonly isLenient: boolean;
  /** Its processes; the first one that is ready gets an event. */
  readonly members: ReadonlyArray<{ readonly id: string; readonly name: string }>;
}

/** What a pool needs from outside. */
export interface PoolPorts {
  readonly clock: Clock;
  readonly report: Report;
  /**
   * Writes to the standard input of a process, whole or not at all, and returns at once. `failed` is called later if it
   * turns out that nobody reads it any more.
   */
  write(id: string, bytes: Uint8Array, failed: () => void): 'written' | 'closed' | 'full';
  /**
   * Ends the run of a listener that can be talked to no more, if it has not ended yet; whether it is started again is
   * up to its `autorestart`.
   */
  condemn(id: string, pid: number): void;
  /** Called when the last event that waited was taken, or nobody is left to take one. */
  idle(): void;
}

/** One run of one listener. */
interface ListenerRun {
  readonly id: string;
  readonly name: string;
  readonly pid: number;
  /** Where its process stands: not up for startsecs yet, RUNNING, told to stop, ended. */
  phase: 'starting' | 'running' | 'stopping' | 'ended';
  protocol: ListenerRecord;
  /** The event that it has not answered. */
  event: QueuedEvent | null;
}

/** See the head of this file. */
export class ListenerPool {
  readonly #spec: PoolSpec;
  readonly #ports: PoolPorts;
  readonly #queue: EventQueue;
  /** The run of each member that is up, in the order of the members. */
  readonly #runs = new Map<string, ListenerRun | null>();
  /** Runs that are over, with output that may not have been read yet. */
  readonly #ending = new Map<number, ListenerRun>();
  #nextSerial = 0;
  /** Calls off the end of the pause. Null when there is none. */
  #pause: (() => void) | null = null;

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

  /** Whether nothing is on its way: no listener that is up has an event to answer, and none waits for one of them. */
  get isIdle(): boolean {
    const up = [...this.#runs.values()].filter((run) => run?.phase === 'running' && run.protocol.state !== 'UNKNOWN');
    return up.length === 0 || (this.#queue.size === 0 && up.every((run) => run?.event === null));
  }

  /** Takes an event in, if its type is subscribed to. `serial`: gives its number, the same one for all pools. */
  offer(event: SupervisorEvent, serial: () => number): void {
    if (!isWanted(typeOf(event), this.#spec.wanted)) return;
    this.#queue.push({ event, serial: serial(), poolSerial: this.#nextSerial++, returns: 0 });
    this.#dispatch();
  }

  /** A run of a member is there. Known already: nothing happens. */
  began(id: string, pid: number): void {
    const name = this.#spec.members.find((member) => member.id === id)?.name;
    if (name === undefined || this.#runs.get(id)?.pid === pid) return;
    this.#runs.set(id, { id, name, pid, phase: 'starting', protocol: initialListener, event: null });
  }

  /**
   * A run has written to its standard output. One that is not known, as what an earlier run has left behind, is not
   * listened to.
   */
  heard(id: string, pid: number, text: string): void {
    const current = this.#runs.get(id);
    const run = current?.pid === pid ? current : this.#ending.get(pid);
    if (run === undefined) return;
    let { state } = run.protocol;
    const { record, outcomes } = hear(run.protocol, text);
    run.protocol = record;
    for (const outcome of outcomes) {
      const next = STATE_AFTER[outcome.type];
      // compat: "event was processed" comes before the line about the state, and each state has a line, also where
      // several come in one read.
      if (outcome.type === 'result') this.#take(run, outcome);
      this.#ports.report('debug', `${run.name}: ${state} -> ${next}`);
      if (outcome.type !== 'result') this.#take(run, outcome);
      state = next;
    }
    this.#dispatch();
  }

  /** The process of a member is RUNNING. */
  up(id: string, pid: number): void {
    this.began(id, pid);
    const run = this.#runs.get(id);
    if (!run) return;
    run.phase = 'running';
    this.#dispatch();
  }

  /** The process of a member is no longer RUNNING: it is being stopped. */
  down(id: string): void {
    const run = this.#runs.get(id);
    if (run) run.phase = 'stopping';
  }

  /** The process of a member has ended. What it has written may come in until `drained`. */
  ended(id: string): void {
    const run = this.#runs.get(id);
    if (!run) return;
    this.#runs.set(id, null);
    run.phase = 'ended';
    this.#ending.set(run.pid, run);
    if (this.isIdle) this.#ports.idle();
  }

  /** All that a run which is over has written was heard. */
  drained(pid: number): void {
    const run = this.#ending.get(pid);
    if (run === undefined) return;
    this.#ending.delete(pid);
    this.#giveBack(run);
    this.#dispatch();
  }

  /** Ends it; what still waits is dropped. */
  close(): void {
    this.#pause?.();
    this.#pause = null;
    this.#queue.close();
    for (const run of this.#runs.values()) if (run !== null) run.event = null;
    this.#runs.clear();
    this.#ending.clear();
  }

  #take(run: ListenerRun, outcome: ListenerOutcome): void {
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
      this.#ports.report('debug', `${run.name}: event was processed`);
      return;
    }
    this.#ports.report('warn', `${run.name}: event was rejected`);
    this.#giveBack(run);
  }

  /**
   * A listener that cannot be understood, or does not read, would be without use for ever: it is ended, and started
   * anew.
   */
  #reject(run: ListenerRun, reason: string): void {
    run.protocol = markUnknown(run.protocol);
    this.#giveBack(run);
    // What a listener says while it is being stopped is of no interest.
    if (run.phase === 'stopping' || run.phase === 'ended') return;
    this.#ports.report('warn', `${run.name}: ${reason}`);
    this.#ports.report(
      'warn',
      `${run.name}: has entered the UNKNOWN state, because it violated the eventlistener protocol; it is killed`,
    );
    this.#ports.condemn(run.id, run.pid);
  }

  #giveBack(run: ListenerRun): void {
    const { event } = run;
    if (event === null) return;
    run.event = null;
    this.#queue.putBack(event);
    // Another listener, or the same one, may want it at once; who has refused it twice is given time.
    if (event.returns > 1) this.#rest(Math.min(FIRST_PAUSE_MS * 2 ** (event.returns - 2), LONGEST_PAUSE_MS));
  }

  #rest(pauseMs: number): void {
    this.#pause?.();
    this.#pause = this.#ports.clock.alarm(this.#ports.clock.nowMs() + pauseMs, () => {
      this.#pause = null;
      this.#dispatch();
    });
  }

  #dispatch(): void {
    for (let run = this.#available(); run !== null; run = this.#available()) {
      const queued = this.#queue.shift();
      if (queued === undefined) break;
      this.#send(run, queued);
    }
    if (this.isIdle) this.#ports.idle();
  }

  /** A listener that an event can be sent to now. */
  #available(): ListenerRun | null {
    if (this.#pause !== null || [...this.#ending.values()].some(({ event }) => event !== null)) return null;
    for (const run of this.#runs.values()) if (run?.phase === 'running' && run.protocol.state === 'READY') return run;
    return null;
  }

  #send(run: ListenerRun, queued: QueuedEvent): void {
    const { event, serial, poolSerial } = queued;
    const { name, server } = this.#spec;
    const text = formatDelivery(event, { server, serial, pool: name, poolSerial });
    run.event = queued;
    run.protocol = markBusy(run.protocol);
    const outcome = this.#ports.write(run.id, new TextEncoder().encode(text), () => this.#suspect(run, queued));
    if (outcome === 'written') this.#ports.report('debug', `event ${serial} sent to listener ${run.name}`);
    else if (outcome === 'closed') this.#suspect(run, queued);
    else this.#reject(run, 'it does not read its standard input');
  }

  /**
   * Nobody reads what was sent. As a rule the listener has ended, which we are about to hear; one that goes on has
   * closed its standard input.
   */
  #suspect(run: ListenerRun, queued: QueuedEvent): void {
    this.#ports.clock.alarm(this.#ports.clock.nowMs() + SUSPICION_MS, () => {
      if (run.event !== queued || run.phase === 'ended') return;
      this.#reject(run, 'it has closed its standard input');
      this.#dispatch();
    });
  }
}
