/** Waits until log files have the output that was received before, for clients that read both memory and files. */
import type { LogClock } from './ports.ts';

/** The queue of a log file; see `afterQueue` of sink.ts. */
export interface FileQueue {
  afterQueue(passed: () => void): () => void;
}

/** An output with the queues of its files; without any if it is closed. */
export interface FiledOutput {
  readonly fileQueues?: readonly FileQueue[];
}

/** Limits of a wait. */
export interface WrittenLimits {
  readonly clock: Pick<LogClock, 'nowMs' | 'alarm'>;
  /** Longest wait in milliseconds: a disk may be full, or hang. */
  readonly limitMs: number;
  /** Aborted when the client has gone. */
  readonly signal: AbortSignal;
}

/** Resolves when the bytes that are queued now have left all queues, when the time is over, or on abort. */
export function waitForFiles(outputs: readonly FiledOutput[], limits: WrittenLimits): Promise<void> {
  const { clock, limitMs, signal } = limits;
  const queues = outputs.flatMap(({ fileQueues = [] }) => fileQueues);
  return new Promise((resolve) => {
    const cancels: Array<() => void> = [];
    // One more than there are queues, so that the wait cannot end before it has begun.
    let open = queues.length + 1;
    const end = (): void => {
      for (const cancel of cancels.splice(0)) cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const passed = (): void => {
      open -= 1;
      if (open === 0) end();
    };
    for (const queue of queues) cancels.push(queue.afterQueue(passed));
    signal.addEventListener('abort', end);
    cancels.push(clock.alarm(clock.nowMs() + limitMs, end));
    passed();
    if (signal.aborted) end();
  });
}
