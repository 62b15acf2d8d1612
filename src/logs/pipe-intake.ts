/**
 * Reads one pipe of one run until end of file and hands the bytes on; pauses while a target is full.
 * All pipes read into the same memory, so whoever gets bytes must be done with them before it returns.
 */
import { Socket } from 'node:net';
import { countLines } from './count-lines.ts';
import type { FloodGauge, PipeGrowth } from './outlets.ts';
import type { Intake, LogClock, LogNatives, LostOutput } from './ports.ts';
import type { Sink, Waiter } from './sink.ts';

const NEWLINE_BYTE = 0x0a;

/** What the intakes of a hub share. */
export interface IntakeParts {
  readonly natives: LogNatives;
  readonly clock: LogClock;
  readonly growth: PipeGrowth;
  /** The memory that is read into. */
  readonly readBuffer: Buffer;
}

/** What an intake does with what it reads. */
export interface IntakeTarget {
  /** Takes all of the bytes, during the call. */
  take(bytes: Buffer): void;
  /** Reading is paused, since a sink is full. */
  pause(): void;
  /** Reading goes on. */
  proceed(): void;
  /** Called once, after the last bytes. */
  finish(): void;
  /** The sinks that it writes to; a full one makes the intake wait. */
  readonly sinks: readonly Sink[];
}

/** See the head of this file. */
export class PipeIntake implements Intake, Waiter {
  readonly pid: number;
  readonly ended: Promise<void>;
  readonly #parts: IntakeParts;
  readonly #target: IntakeTarget;
  readonly #socket: Socket;
  readonly #gauge: FloodGauge;
  readonly #fd: number;
  /** Most bytes of one read. */
  readonly #limit: number;
  #resolveEnded: () => void = () => undefined;
  /** Sinks that it waits for. */
  #waits = 0;
  #hasEnded = false;
  #readBytes = 0;
  /** Most bytes that a process which has ended may have left in the pipe. */
  #restBytes = 0;
  #resumed: Array<() => void> = [];

  /** The descriptor belongs to the intake. `readBytes`: most bytes of one read. */
  constructor(fd: number, pid: number, target: IntakeTarget, readBytes: number, parts: IntakeParts) {
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
    // End of file closes the descriptor at once, so a program that closes its stdout and lives on costs nothing. A
    // failed read counts as the end.
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
    // What the pipe held at the call is taken when a turn of the loop brought nothing, or when as much came as a pipe
    // can hold: a grandchild that writes on and on does not keep us here.
    while (!this.#hasEnded && (this.#waits > 0 || before !== this.#readBytes) && this.#readBytes - from < capacity) {
      before = this.#readBytes;
      if (this.#waits > 0) await new Promise<void>((resolve) => this.#resumed.push(resolve));
      await turnOfLoop();
    }
  }

  takeRest(): void {
    // A destroyed socket has closed the descriptor, and its number may be another file's.
    if (this.#hasEnded || this.#socket.destroyed) return;
    this.#restBytes = this.#parts.natives.pipeSize(this.#fd);
    if (this.#waits === 0) this.#takeNow();
  }

  get hasRest(): boolean {
    return this.#restBytes > 0;
  }

  #takeNow(): void {
    const { natives, readBuffer } = this.#parts;
    const buffer = readBuffer.subarray(0, this.#limit);
    while (this.#restBytes > 0) {
      const count = natives.readNow(this.#fd, buffer);
      // Nothing is there, or an error, which the socket will meet by itself.
      this.#restBytes = count > 0 ? Math.max(0, this.#restBytes - count) : 0;
      if (count === 0) return this.#finish();
      if (count > 0 && !this.#take(buffer, count)) return void this.#socket.pause();
    }
  }

  close(): void {
    this.#finish();
  }

  /** Reads what the pipe holds now, at most as much as a pipe can hold, and drops it. Returns how much that was. */
  discard(): LostOutput {
    const lost = { lines: 0, bytes: 0 };
    if (this.#hasEnded || this.#socket.destroyed) return lost;
    const { natives, readBuffer } = this.#parts;
    let isLineOpen = false;
    for (let rest = natives.pipeSize(this.#fd); rest > 0;) {
      const count = natives.readNow(this.#fd, readBuffer);
      if (count <= 0) break;
      rest -= count;
      lost.bytes += count;
      lost.lines += countLines(readBuffer.subarray(0, count), false);
      isLineOpen = readBuffer[count - 1] !== NEWLINE_BYTE;
    }
    if (isLineOpen) lost.lines++;
    return lost;
  }

  /** A sink that it waited for has room. */
  resume(): void {
    this.#waits--;
    if (this.#waits > 0 || this.#hasEnded) return;
    for (const resolve of this.#resumed.splice(0)) resolve();
    this.#target.proceed();
    if (this.hasRest) this.#takeNow();
    if (this.#waits === 0 && !this.#socket.destroyed) this.#socket.resume();
  }

  /** Returns whether to read on. */
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

/** Resolves after the loop has looked at all descriptors once. */
function turnOfLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => setImmediate(resolve));
  });
}
