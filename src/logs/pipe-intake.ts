/**
 * Reads one pipe of one run until end of file, and pauses while a sink is full. The pipe may be the master of a pseudo
 * terminal (`tty`).
 * All pipes are read into the same memory, so a receiver must be done with the bytes when its call returns.
 */
import { Socket } from 'node:net';
import { isatty } from 'node:tty';
import { countLines } from './count-lines.ts';
import type { FloodGauge, PipeGrowth } from './outlets.ts';
import type { Intake, LogClock, LogNatives, LostOutput } from './ports.ts';
import type { Sink, Waiter } from './sink.ts';
import { isEnd, TERMINAL_BYTES, TerminalReader } from './terminal-reader.ts';

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

/** The reading of a descriptor in the event loop. */
interface Source {
  readonly destroyed: boolean;
  resume(): unknown;
  pause(): unknown;
  /** Closes the descriptor. */
  destroy(): unknown;
}

/** Reads one pipe of one run. */
export class PipeIntake implements Intake, Waiter {
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #parts: IntakeParts;
  readonly #target: IntakeTarget;
  readonly #source: Source;
  /** Null for a terminal, whose size is fixed. */
  readonly #gauge: FloodGauge | null;
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
    this.#fd = fd;
    this.#limit = readBytes;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const isTerminal = isatty(fd);
    this.#gauge = isTerminal ? null : parts.growth.gauge(fd);
    const buffer = parts.readBuffer.subarray(0, readBytes);
    this.#source = isTerminal ? this.#openTerminal(buffer) : this.#openPipe(buffer);
    this.#source.resume();
  }

  #openPipe(buffer: Buffer): Source {
    const socket = new Socket({
      fd: this.#fd,
      readable: true,
      writable: false,
      onread: { buffer, callback: (count, bytes) => this.#take(bytes as Buffer, count) },
    });
    // End of file closes the descriptor at once. A program that closes its stdout and keeps running costs nothing. A
    // read that fails counts as end of file.
    socket.on('error', () => this.#finish());
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
    return socket;
  }

  #openTerminal(buffer: Buffer): Source {
    return new TerminalReader(this.#fd, buffer, this.#parts.natives, {
      take: (count) => this.#take(buffer, count),
      ended: () => this.#finish(),
    });
  }

  /** Maximum number of bytes that the pipe can hold. */
  #capacity(): number {
    return this.#gauge === null ? TERMINAL_BYTES : this.#parts.natives.pipeSize(this.#fd);
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
      if (this.#waits > 0) await new Promise<void>((resolve) => this.#resumed.push(resolve));
      await turnOfLoop();
    }
  }

  readRemaining(): void {
    // A destroyed source has closed the descriptor, and the number may belong to another file.
    if (this.#hasEnded || this.#source.destroyed) return;
    this.#restBytes = this.#capacity();
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
      this.#restBytes = count > 0 ? Math.max(0, this.#restBytes - count) : 0;
      if (isEnd(count)) return this.#finish();
      if (count > 0 && !this.#take(buffer, count)) return void this.#source.pause();
    }
  }

  close(): void {
    this.#finish();
  }

  /** Reads and drops the bytes in the pipe, at most as many as a pipe can hold. Returns how much was lost. */
  discard(): LostOutput {
    const lost = { lines: 0, bytes: 0 };
    if (this.#hasEnded || this.#source.destroyed) return lost;
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
    for (const resolve of this.#resumed.splice(0)) resolve();
    this.#target.proceed();
    if (this.hasLastOutput) this.#takeNow();
    if (this.#waits === 0 && !this.#source.destroyed) this.#source.resume();
  }

  /** Passes bytes on. Returns true if the intake may continue to read. */
  #take(buffer: Buffer, count: number): boolean {
    this.#readBytes += count;
    this.#gauge?.count(count);
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
    if (this.#gauge !== null) this.#parts.growth.release(this.#gauge);
    this.#target.finish();
    this.#source.destroy();
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
