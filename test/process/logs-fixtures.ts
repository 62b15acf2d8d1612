/**
 * What tests of the log path with real pipes share: real time, and specifications that are right unless said otherwise.
 */
import type { ChannelSpec, LogClock, LogTarget } from '../../src/logs/ports.ts';

/** Real time, or a slower one; counts the alarms that are set. */
export class RealClock implements LogClock {
  alarms = 0;
  readonly #pace: number;

  /**
   * `pace` 0.01: a hundred times as slow, for tests in which a program may be held up for longer than a partial line
   * waits.
   */
  constructor(pace = 1) {
    this.#pace = pace;
  }

  nowMs(): number {
    return performance.now() * this.#pace;
  }

  wallMs(): number {
    return Date.now();
  }

  alarm(atMs: number, wake: () => void): () => void {
    this.alarms++;
    let isSet = true;
    const timer = setTimeout(
      () => {
        this.alarms--;
        isSet = false;
        wake();
      },
      Math.max(0, atMs / this.#pace - performance.now()),
    );
    // A slow clock would keep the tests waiting for an alarm that means nothing any more.
    if (this.#pace !== 1) timer.unref();
    return () => {
      this.alarms -= isSet ? 1 : 0;
      isSet = false;
      clearTimeout(timer);
    };
  }
}

/** A stream of the container as target. */
export function stdoutAs(format: LogTarget['format'], stream: 1 | 2 = 1): LogTarget {
  return { kind: 'container', stream, format };
}

/** What a channel is, unless said otherwise: stdout of a program on our stdout with a prefix. */
export function channelSpec(proc: string, changes: Partial<ChannelSpec> = {}): ChannelSpec {
  return {
    group: proc,
    program: proc,
    process: proc,
    stream: 'stdout',
    targets: [stdoutAs('prefix')],
    style: { prefix: null, timestamp: 'none', jsonLines: 'nest', partialAfterMs: 100 },
    stripAnsi: false,
    captureMaxBytes: 0,
    tailBytes: 65536,
    ...changes,
  };
}
