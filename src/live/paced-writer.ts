/** Writing of a long answer to a client that reads slowly. */
import type { ServerResponse } from 'node:http';
import type { LiveTimers } from './timers.ts';

/** Writes a long answer piece by piece, as fast as the client reads. */
export class PacedWriter {
  readonly #response: ServerResponse;
  readonly #signal: AbortSignal;
  readonly #timers: LiveTimers;
  readonly #stallMs: number;

  /** A client that does not read for `stallMs` is disconnected. `signal`: aborted when the server closes. */
  constructor(response: ServerResponse, signal: AbortSignal, timers: LiveTimers, stallMs: number) {
    this.#response = response;
    this.#signal = signal;
    this.#timers = timers;
    this.#stallMs = stallMs;
  }

  /** True if the client has gone or the server closes: nothing more should be read for it. */
  get isOver(): boolean {
    return this.#signal.aborted || this.#response.destroyed;
  }

  /**
   * Writes text. Resolves with false if nothing more should be written. Without text, it only waits for the next turn
   * of the loop: a reader whose filter wants nothing must not keep the loop.
   */
  async write(text: string | Buffer): Promise<boolean> {
    if (this.isOver) return false;
    if (text.length === 0 || this.#response.write(text))
      await new Promise<void>((resolve) => this.#timers.soon(resolve));
    else await this.#drained();
    return !this.isOver;
  }

  end(): void {
    if (!this.#response.destroyed) this.#response.end();
  }

  #drained(): Promise<void> {
    const response = this.#response;
    return new Promise((resolve) => {
      const cancel = this.#timers.after(this.#stallMs, () => response.destroy());
      const done = (): void => {
        cancel();
        response.off('drain', done).off('close', done);
        this.#signal.removeEventListener('abort', done);
        resolve();
      };
      response.on('drain', done).on('close', done);
      this.#signal.addEventListener('abort', done);
    });
  }
}
