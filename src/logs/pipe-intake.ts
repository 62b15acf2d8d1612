/**
 * Reads one pipe of one run until end of file, and pauses while a sink is full.
 * All pipes are read into the same memory, so a receiver must be done with the bytes when its call returns.
 */
import { Socket } from 'node:net';
import { countLines } from './count-lines.ts';
import type { FloodGauge, PipeGrowth } from './outlets.ts';
import type { Intake, LogClock, LogNatives, LostOutput } from './ports.ts';
import type { Sink, Waiter } from './sink.ts';

const NEWLINE_BYTE = 0x0a;

/** Parts that the intakes of a hub share. */
export interface IntakeParts {
  readonly natives: LogNatives;
  readonly clock: LogClock;
  readonly growth: PipeGrowth;
  /** Memory for the bytes of a read. */
  readonly readBuffer: Buffer;
}

/** Receiver of the bytes of one pipe. */
export interface IntakeTarget {
  /** Takes all bytes. They are valid during the call only. */
  take(bytes: Buffer): void;
  /** Tells that reading is paused, because a sink is full. */
  pause(): void;
  /** Reports that reading continues. */
  proceed(): void;
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
  /** Maximum number of bytes of one read. */
  readonly readBytes: number;
}

/** Reads one pipe of one run. */
export class PipeIntake implements Intake, Waiter {
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #parts: IntakeParts;
  readonly #target: IntakeTarget;
  readonly #socket: Socket;
  readonly #gauge: FloodGauge;
  readonly #fd: number;
  /** Maximum number of bytes of one read. */
  readonly #limit: number;
  #resolveEnded: () => void = () => undefined;
  /** Number of full sinks that the intake waits for. */
  #waits = 0;
  #hasEnded = false;
  #readBytes = 0;
  /**
   * Maximum number of bytes that an ended process may have left in the pipe. 0: the process has not ended, or its last
   * output was read.
   */
  #restBytes = 0;
  #resumed: Array<() => void> = [];

  constructor({ fd, pid, target, readBytes }: IntakePipe, parts: IntakeParts) {
    this.pid = pid;
    this.#target = target;
    this.#parts = parts;
    this.#gauge = parts.growth.gauge(fd);
    this.#fd = fd;
    this.#limit = readBytes;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#socket = new Socket({
      fd,
      readable: true,
      writable: false,
      onread: {
        buffer: parts.readBuffer.subarray(0, readBytes),
        callback: (count, buffer) => this.#take(buffer as Buffer, count),
      },
    });
    // End of file closes the descriptor at once. A program that closes its stdout and keeps running costs nothing. A
    // read that fails counts as end of file.
    this.#socket.on('error', () => this.#finish());
    this.#socket.on('end', () => this.#finish());
    this.#socket.on('close', () => this.#finish());
    this.#socket.resume();
  }

  async drained(): Promise<void> {
    if (this.#hasEnded) return;
    const capacity = this.#parts.natives.pipeSize(this.#fd);
    const from = this.#readBytes;
    let before = -1;
    // The pipe is drained when a turn of the loop brought nothing. It also counts as drained when as many bytes came as
    // a pipe can hold: a grandchild may write without end.
    while (!this.#hasEnded && (this.#waits > 0 || before !== this.#readBytes) && this.#readBytes - from < capacity) {
      before = this.#readBytes;
      if (this.#waits > 0) await new Promise<void>((resolve) => this.#resumed.push(resolve));
      await turnOfLoop();
    }
  }

  readRemaining(): void {
    // A destroyed socket has closed the descriptor, and the number may belong to another file.
    if (this.#hasEnded || this.#socket.destroyed) return;
    this.#restBytes = this.#parts.natives.pipeSize(this.#fd);
    if (this.#waits === 0) this.#takeNow();
  }

  get hasLastOutput(): boolean {
    return this.#restBytes > 0;
  }

  #takeNow(): void {
    const { natives, readBuffer } = this.#parts;
    const buffer = readBuffer.subarray(0, this.#limit);
    while (this.#restBytes > 0) {
      const count = natives.readNow(this.#fd, buffer);
      // A negative count: the pipe is empty, or an error, which the socket meets by itself.
      this.#restBytes = count > 0 ? Math.max(0, this.#restBytes - count) : 0;
      if (count === 0) return this.#finish();
      if (count > 0 && !this.#take(buffer, count)) return void this.#socket.pause();
    }
  }

  close(): void {
    this.#finish();
  }

  /** Reads and drops the bytes in the pipe, at most as many as a pipe can hold. Returns how much was lost. */
  discard(): LostOutput {
    const lost = { lines: 0, bytes: 0 };
    if (this.#hasEnded || this.#socket.destroyed) return lost;
    const { natives, readBuffer } = this.#parts;
    let isLineOpen = false;
    for (let remaining = natives.pipeSize(this.#fd); remaining > 0;) {
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
    for (const resolve of this.#resumed.splice(0)) resolve();
    this.#target.proceed();
    if (this.hasLastOutput) this.#takeNow();
    if (this.#waits === 0 && !this.#socket.destroyed) this.#socket.resume();
  }

  /** Passes bytes on. Returns true if the intake may continue to read. */
  #take(buffer: Buffer, count: number): boolean {
    this.#readBytes += count;
    this.#gauge.count(count);
    this.#target.take(buffer.subarray(0, count));
    for (const sink of this.#target.sinks) {
      if (sink.wait(this)) this.#waits++;
    }
    if (this.#waits > 0) this.#target.pause();
    return this.#waits === 0;
  }

  #finish(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#parts.growth.release(this.#gauge);
    this.#target.finish();
    this.#socket.destroy();
    for (const resolve of this.#resumed.splice(0)) resolve();
    this.#resolveEnded();
  }
}

/** Resolves after the loop has polled all descriptors once. */
function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
