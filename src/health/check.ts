/**
 * One check of one program, whatever its kind: from its begin to its one answer, which the timeout gives where nothing
 * else does. It knows nothing of what an answer means.
 */
import type { ProcessConfig } from '../config/model.ts';
import { messageOf } from '../core/error-text.ts';
import type { Probe } from '../core/probe.ts';
import type { Clock, Jobs } from '../engine/ports.ts';
import { type Answer, checkHttp, checkTcp, checkUnix } from './connections.ts';
import type { HostLookups } from './host-lookups.ts';
import { describeJob, describeTimeout } from './reasons.ts';

/** What checks are made with. */
export interface CheckParts {
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly lookups: HostLookups;
}

/**
 * Begins a check. `answer` is called once, never from within this call; after the function returned was called, which
 * ends the check, it is not called at all.
 */
export function beginCheck(
  proc: ProcessConfig,
  probe: Probe,
  timeoutMs: number,
  parts: CheckParts,
  answer: Answer,
): () => void {
  let isOver = false;
  const { clock } = parts;
  const close = (): void => {
    isOver = true;
    callOff();
    stop();
  };
  const finish: Answer = (failure) => {
    if (isOver) return;
    close();
    answer(failure);
  };
  const stop = attempt(proc, probe, timeoutMs, parts, finish);
  // A command has its time from those who run it: they know when it is really gone.
  const callOff =
    probe.kind === 'command'
      ? (): void => undefined
      : clock.alarm(clock.nowMs() + timeoutMs, () => finish(describeTimeout(timeoutMs)));
  return () => {
    if (!isOver) close();
  };
}

/** What cannot even be begun, for an address that is none, fails like any other. */
function attempt(
  proc: ProcessConfig,
  probe: Probe,
  timeoutMs: number,
  { jobs, lookups }: CheckParts,
  answer: Answer,
): () => void {
  try {
    switch (probe.kind) {
      case 'http':
        return checkHttp(probe, lookups.lookup, answer);
      case 'tcp':
        return checkTcp(probe.host, probe.port, lookups.lookup, answer);
      case 'unix':
        return checkUnix(probe.path, answer);
      case 'command':
        return jobs.run(
          proc,
          { name: 'healthcheck', command: probe.command, timeoutMs, environment: new Map(), output: 'keep' },
          (outcome) => {
            if (outcome.kind !== 'cancelled') answer(describeJob(outcome, timeoutMs));
          },
        );
    }
  } catch (error) {
    const reason = messageOf(error);
    queueMicrotask(() => answer(reason));
    return () => undefined;
  }
}
