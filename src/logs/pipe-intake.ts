/**
 * Reads one pipe of one run until end of file, and pauses while a sink is full. The pipe may be the master of a pseudo
 * terminal (`tty`).
 * All pipes are read into the same memory, so a receiver must be done with the bytes when its call returns.
 */
import { isatty } from 'node:tty';
import { countLines } from './count-lines.ts';
import { DescriptorReader, isEnd, type ReaderListener, TERMINAL_BYTES } from './descriptor-reader.ts';
import type { FloodGauge, PipeGrowth } from './outlets.ts';
import type { Intake, LogClock, LogNatives, LostOutput } from './ports.ts';
import { QUEUE_BYTES, type Sink } from './sink.ts';
import type { Waiter } from './sink-parts.ts';

const NEWLINE_BYTE = 0x0a;

/** Pause between two attempts to watch a pipe. */
const WATCH_PAUSE_MS = 1000;

/** Limit of the queue of a sink for the bytes of a pipe that must be closed. */
const FORCED_QUEUE_BYTES = 2 * QUEUE_BYTES;

/** Maximum number of bytes of one read of such a pipe. */
const FORCED_READ_BYTES = 64 * 1024;

/** Parts that the intakes of a hub share. */
export interface IntakeParts {
  readonly natives: LogNatives;
  readonly clock: LogClock;
  readonly growth: PipeGrowth;
  /** Memory for the bytes of a read. */
  readonly readBuffer: Buffer;
  /** The first part of that memory, for small reads. */
  readonly smallReadBuffer: Buffer;
  /** Reports that the kernel refuses to watch a pipe. It is tried again each second. */
  readonly watchFailed: (error: unknown) => void;
}

/** Receiver of the bytes of one pipe. */
export interface IntakeTarget {
  /** Takes all bytes. They are valid during the call only. */
  take(bytes: Buffer): void;
  /** Tells that reading is paused, because a sink is full. */
  pause(): void;
  /** Reports that reading continues. */
  proceed(): void;
  /** Tells that the process has ended, and the pipe has not. */
  outlived(): void;
  /** Tells the end of the pipe, once, after the last bytes. */
  finish(): void;
  /** The sinks of the receiver. The intake waits while one of them is full. */
  readonly sinks: readonly Sink[];
}

/** One pipe to read. */
export interface IntakePipe {
  /** The descriptor. It belongs to the intake. */
  readonly fd: number;
  readonly pid: number;
  readonly target: IntakeTarget;
  /** Memory for the bytes of a read, which limits their number. */
  readonly buffer: Buffer;
}

/** Reads one pipe of one run. */
export class PipeIntake implements Intake, Waiter, ReaderListener {
  readonly pid: number;
  readonly buffer: Buffer;
  readonly #parts: IntakeParts;
  readonly #target: IntakeTarget;
  readonly #source: DescriptorReader;
  /** Null for a terminal, whose size is fixed, and before the first bytes. */
  #gauge: FloodGauge | null = null;
  readonly #isTerminal: boolean;
  readonly #fd: number;
  /** The promise of {@link ended}; null if no caller waits for it. */
  #end: PromiseWithResolvers<void> | null = null;
  /** Number of full sinks that the intake waits for. */
  #waits = 0;
  #hasEnded = false;
  /** True while the target takes bytes. */
  #isPassing = false;
  #readBytes = 0;
  /**
   * Maximum number of bytes that an ended process may have left in the pipe. 0: the process has not ended, or its last
   * output was read.
   */
  #restBytes = 0;
  /** Callers of {@link drained} that wait until reading continues; null for none. */
  #resumed: Array<() => void> | null = null;

  constructor({ fd, pid, target, buffer }: IntakePipe, parts: IntakeParts) {
    this.pid = pid;
    this.#target = target;
    this.#parts = parts;
    this.#fd = fd;
    this.buffer = buffer;
    this.#isTerminal = isatty(fd);
    // End of file closes the descriptor at once. A program that closes its stdout and keeps running costs nothing. A
    // read that fails counts as end of file.
    this.#source = new DescriptorReader(fd, this.#isTerminal, parts.natives, this);
    this.#source.resume();
  }

  get ended(): Promise<void> {
    this.#end ??= Promise.withResolvers();
    if (this.#hasEnded) this.#end.resolve();
    return this.#end.promise;
  }

  /** Maximum number of bytes that the pipe can hold. */
  #capacity(): number {
    return this.#isTerminal ? TERMINAL_BYTES : this.#parts.natives.pipeSize(this.#fd);
  }

  async drained(): Promise<void> {
    if (this.#hasEnded) return;
    const capacity = this.#capacity();
    const from = this.#readBytes;
    let before = -1;
    // The pipe is drained when a turn of the loop brought nothing. It also counts as drained when as many bytes came as
    // a pipe can hold: a grandchild may write without end.
    while (!this.#hasEnded && (this.#waits > 0 || before !== this.#readBytes) && this.#readBytes - from < capacity) {
      before = this.#readBytes;
      if (this.#waits > 0) await new Promise<void>((resolve) => (this.#resumed ??= []).push(resolve));
      await turnOfLoop();
    }
  }

  readRemaining(): void {
    // A destroyed source has closed the descriptor, and the number may belong to another file.
    if (this.#hasEnded || this.#source.isDestroyed) return;
    this.#restBytes = this.#capacity();
    if (this.#waits === 0) this.#takeNow();
    if (!this.#hasEnded) this.#target.outlived();
  }

  /**
   * Reads what is in the pipe, and closes the pipe. Full sinks take some more, because this reading cannot wait. They
   * count what they refuse. Does nothing if a receiver of this pipe calls. Returns true if the pipe was closed
   * although a process keeps it.
   */
  abandon(): boolean {
    if (this.#hasEnded || this.#source.isDestroyed || this.#isPassing) return false;
    // A receiver of another pipe may call, which still reads the common memory.
    const buffer = Buffer.allocUnsafe(FORCED_READ_BYTES);
    let hasEnd = false;
    for (let remaining = this.#capacity(); remaining > 0 && !hasEnd;) {
      const count = this.#parts.natives.readNow(this.#fd, buffer);
      hasEnd = isEnd(count);
      if (count <= 0) break;
      remaining -= count;
      this.#force(buffer.subarray(0, count));
    }
    this.#restBytes = 0;
    this.#finish();
    return !hasEnd;
  }

  #force(bytes: Buffer): void {
    const full = this.#target.sinks.filter(({ unwrittenBytes }) => unwrittenBytes >= FORCED_QUEUE_BYTES);
    for (const sink of full) sink.refuse(bytes);
    if (full.length === 0) this.#target.take(bytes);
  }

  get hasLastOutput(): boolean {
    return this.#restBytes > 0;
  }

  #takeNow(): void {
    while (this.#restBytes > 0) {
      const count = this.#parts.natives.readNow(this.#fd, this.buffer);
      this.#restBytes = count > 0 ? Math.max(0, this.#restBytes - count) : 0;
      if (isEnd(count)) return this.#finish();
      if (count > 0 && !this.takeRead(count)) return this.#source.pause();
    }
  }

  close(): void {
    this.#finish();
  }

  /** Reads and drops the bytes in the pipe, at most as many as a pipe can hold. Returns how much was lost. */
  discard(): LostOutput {
    const lost = { lines: 0, bytes: 0 };
    if (this.#hasEnded || this.#source.isDestroyed) return lost;
    const { natives, readBuffer } = this.#parts;
    let isLineOpen = false;
    for (let remaining = this.#capacity(); remaining > 0;) {
      const count = natives.readNow(this.#fd, readBuffer);
      if (count <= 0) break;
      remaining -= count;
      lost.bytes += count;
      lost.lines += countLines(readBuffer.subarray(0, count), false);
      isLineOpen = readBuffer[count - 1] !== NEWLINE_BYTE;
    }
    if (isLineOpen) lost.lines++;
    return lost;
  }

  /** Counts down the full sinks, and continues to read when no sink is full. */
  resume(): void {
    this.#waits--;
    if (this.#waits > 0 || this.#hasEnded) return;
    this.#wakeDrained();
    this.#target.proceed();
    if (this.hasLastOutput) this.#takeNow();
    if (this.#waits === 0 && !this.#source.isDestroyed) this.#source.resume();
  }

  /** Passes bytes on. Returns true if the intake may continue to read. */
  takeRead(count: number): boolean {
    this.#readBytes += count;
    if (!this.#isTerminal) (this.#gauge ??= this.#parts.growth.gauge(this.#fd)).count(count);
    this.#isPassing = true;
    this.#target.take(this.buffer.subarray(0, count));
    this.#isPassing = false;
    for (const sink of this.#target.sinks) {
      if (sink.wait(this)) this.#waits++;
    }
    if (this.#waits > 0) this.#target.pause();
    return this.#waits === 0;
  }

  reachedEnd(): void {
    this.#finish();
  }

  /** The bytes wait in the pipe. */
  watchFailed(error: unknown): void {
    const { clock, watchFailed } = this.#parts;
    watchFailed(error);
    clock.alarm(clock.nowMs() + WATCH_PAUSE_MS, () => {
      if (!this.#hasEnded && this.#waits === 0) this.#source.resume();
    });
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#gauge !== null) this.#parts.growth.release(this.#gauge);
    this.#target.finish();
    this.#source.destroy();
    this.#wakeDrained();
    this.#end?.resolve();
  }

  #wakeDrained(): void {
    const resumed = this.#resumed ?? [];
    this.#resumed = null;
    for (const resolve of resumed) resolve();
  }
}

/** Resolves after the loop has polled all descriptors once. */
function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
