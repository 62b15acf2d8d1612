/**
 * Fixtures for tests of logs/ with real pipes: a real clock, and default settings.
 */
import type { ChannelSpec, LogClock, LogTarget } from '../../src/logs/ports.ts';

/** The real clock, or a slower one. Counts its alarms. */
export class RealClock implements LogClock {
  alarms = 0;
  readonly #pace: number;

  /**
   * `pace` 0.01: a hundred times slower. For tests in which a busy machine may suspend a program for longer than a
   * partial line waits.
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
    // An alarm of a slow clock must not keep the test process alive.
    if (this.#pace !== 1) timer.unref();
    return () => {
      this.alarms -= isSet ? 1 : 0;
      isSet = false;
      clearTimeout(timer);
    };
  }
}

/** Makes a target for a stream of the container. */
export function stdoutAs(format: LogTarget['format'], stream: 1 | 2 = 1): LogTarget {
  return { kind: 'container', stream, format };
}

/** Makes settings of a channel. Default: stdout of a program on our stdout with a prefix. */
export function channelSpec(proc: string, changes: Partial<ChannelSpec> = {}): ChannelSpec {
  return {
    group: proc,
    program: proc,
    process: proc,
    stream: 'stdout',
    targets: [stdoutAs('prefix')],
    style: {
      prefix: null,
      prefixWidth: 24,
      timestamp: 'none',
      jsonLines: 'nest',
      partialAfterMs: 100,
      multiline: null,
    },
    stripAnsi: false,
    captureMaxBytes: 0,
    tailBytes: 65536,
    ...changes,
  };
}
