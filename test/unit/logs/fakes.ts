/**
 * Fakes for the unit tests of logs/: a clock that the test advances, and an outlet that keeps its bytes.
 */
import { BlockPool } from '../../../src/logs/blocks.ts';
import type { Outlet, OutletHost, Done, Written } from '../../../src/logs/outlets.ts';
import { Sink } from '../../../src/logs/sink.ts';
import { SinkContext } from '../../../src/logs/sink-parts.ts';
import type { LogClock, LogNatives, LogProblem } from '../../../src/logs/ports.ts';

/** Makes a sink with a context of its own. */
export function makeSink({
  name,
  outlet,
  goneOn = new Set(),
  natives,
  clock,
  report,
}: {
  readonly name: string;
  readonly outlet: Outlet | ((host: OutletHost) => Outlet);
  readonly goneOn?: ReadonlySet<string>;
  readonly natives: LogNatives;
  readonly clock: LogClock;
  readonly report: (problem: LogProblem) => void;
}): Sink {
  const context = new SinkContext({
    pool: new BlockPool(),
    natives,
    clock,
    report: (_sink, problem) => report(problem),
  });
  const makeOutlet = (host: OutletHost): Outlet => (typeof outlet === 'function' ? outlet(host) : outlet);
  return new Sink({ id: name, name, goneOn, makeOutlet }, context);
}

interface Alarm {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until {@link advance}. */
export class FakeClock implements LogClock {
  #nowMs = 1000;
  readonly #alarms = new Set<Alarm>();
  /** Wall-clock time, initially 2026-01-01T12:00:00.123Z. */
  wall = 1767268800123;

  get pending(): number {
    return this.#alarms.size;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.wall;
  }

  alarm(atMs: number, wake: () => void): () => void {
    const alarm = { atMs, wake };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Advances the time and calls the alarms on the way. */
  advance(ms: number): void {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = [...this.#alarms].filter((alarm) => alarm.atMs <= end).sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined) break;
      this.#alarms.delete(next);
      this.#goTo(Math.max(this.#nowMs, next.atMs));
      next.wake();
    }
    this.#goTo(end);
  }

  #goTo(nowMs: number): void {
    this.wall += nowMs - this.#nowMs;
    this.#nowMs = nowMs;
  }
}

interface Pending {
  readonly bytes: Buffer;
  readonly written: Written;
}

/** Keeps the bytes of each write. Writes succeed at once. While the outlet is stalled, they wait for {@link finish}. */
export class FakeOutlet implements Outlet {
  readonly chunks: Buffer[] = [];
  readonly calls: string[] = [];
  isStalled = false;
  /** Error of all writes from now on. Null: writes succeed. */
  failure: NodeJS.ErrnoException | null = null;
  #pending: Pending | null = null;

  get text(): string {
    return Buffer.concat(this.chunks).toString('latin1');
  }

  get hasPending(): boolean {
    return this.#pending !== null;
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    // A copy at once: like the kernel, which reads the memory while the write is under way.
    this.#pending = { bytes: Buffer.from(bytes.subarray(start, end)), written };
    if (!this.isStalled) queueMicrotask(() => this.finish());
  }

  /** Ends the write under way. */
  finish(count = this.#pending?.bytes.length ?? 0): void {
    const pending = this.#pending;
    if (pending === null) return;
    this.#pending = null;
    if (this.failure !== null) {
      pending.written(this.failure, 0);
      return;
    }
    this.chunks.push(pending.bytes.subarray(0, count));
    pending.written(null, count);
  }

  open(done: Done): void {
    this.#end('open', done);
  }

  reopen(done: Done): void {
    this.#end('reopen', done);
  }

  clear(done: Done): void {
    this.#end('clear', done);
  }

  rotate(done: Done): void {
    this.#end('rotate', done);
  }

  close(done: Done): void {
    this.#end('close', done);
  }

  #end(call: string, done: Done): void {
    this.calls.push(call);
    queueMicrotask(() => done(null));
  }
}

/** Makes an error as Node does for a failed system call. */
export function errnoError(code: string, errno: number): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code, errno });
}

/** Writer of {@link put}. */
const WRITER = {};

/** Queues bytes unchanged, as output that leaves no line open. */
export function put(sink: Sink, text: string | Buffer): void {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  sink.write(WRITER, (queue) => {
    queue.append(bytes, 0, bytes.length);
    return false;
  });
}
