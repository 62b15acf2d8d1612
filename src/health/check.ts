/** Runs one check of a program, of any kind, from its start to its only answer or its timeout. */
import type { ProcessConfig } from '../config/model.ts';
import { messageOf } from '../core/error-text.ts';
import type { Probe } from '../core/probe.ts';
import type { Clock, Jobs } from '../engine/ports.ts';
import { pathProbe } from '../files/path-probe.ts';
import { type Answer, checkHttp, checkTcp, checkUnix, type HttpExpectation } from './connections.ts';
import type { HostLookups } from './host-lookups.ts';
import { describeJob, describeTimeout, lastLine } from './reasons.ts';

/** Dependencies of checks. */
export interface CheckParts {
  readonly clock: Clock;
  readonly jobs: Jobs;
  readonly lookups: HostLookups;
}

/** One check: the program, the target, and the time limit. */
export interface Check<P extends Probe = Probe> {
  readonly proc: ProcessConfig;
  readonly probe: P;
  readonly timeoutMs: number;
}

type Runner<P extends Probe> = (check: Check<P>, parts: CheckParts, answer: Answer) => () => void;

function expectationOf({ options }: ProcessConfig): HttpExpectation {
  return { statuses: options.healthcheck_expect, body: options.healthcheck_body };
}

/** The kinds of checks. A missing kind is a compile error. Each runner returns the function that ends its check. */
const RUNNERS: { readonly [K in Probe['kind']]: Runner<Extract<Probe, { readonly kind: K }>> } = {
  http: ({ proc, probe }, { lookups }, answer) => checkHttp(probe, expectationOf(proc), lookups.lookup, answer),
  tcp: ({ probe }, { lookups }, answer) => checkTcp(probe.host, probe.port, lookups.lookup, answer),
  unix: ({ probe: { path } }, _parts, answer) =>
    pathProbe.whenReached(
      () => [path],
      () => checkUnix(path, answer),
      answer,
    ),
  command: runCommand,
};

/**
 * Begins a check. Calls `answer` once, after this call has returned. The returned function ends the check; `answer` is
 * not called after that.
 */
export function beginCheck(check: Check, parts: CheckParts, answer: Answer): () => void {
  let isOver = false;
  const { clock } = parts;
  const { probe, timeoutMs } = check;
  const close = (): void => {
    isOver = true;
    cancelTimeout();
    stop();
  };
  const finish: Answer = (failure, output) => {
    if (isOver) return;
    close();
    answer(failure, output);
  };
  const stop = attempt(check, parts, finish);
  // The runner of a command has its own timeout, since it knows when the command was reaped.
  const cancelTimeout =
    probe.kind === 'command'
      ? (): void => undefined
      : clock.alarm(clock.nowMs() + timeoutMs, () => finish(describeTimeout(timeoutMs)));
  return () => {
    if (!isOver) close();
  };
}

/** Starts the attempt. A check that cannot begin, such as one of an invalid address, fails like any other. */
function attempt(check: Check, parts: CheckParts, answer: Answer): () => void {
  try {
    // The runner and the check are of the same kind, which the type of a table lookup does not show.
    const run = RUNNERS[check.probe.kind] as Runner<Probe>;
    return run(check, parts, answer);
  } catch (error) {
    const reason = messageOf(error);
    queueMicrotask(() => answer(reason));
    return () => undefined;
  }
}

function runCommand(
  { proc, probe, timeoutMs }: Check<Extract<Probe, { readonly kind: 'command' }>>,
  { jobs }: CheckParts,
  answer: Answer,
): () => void {
  return jobs.run(
    proc,
    { name: 'healthcheck', command: probe.command, timeoutMs, environment: new Map(), output: 'keep' },
    (outcome) => {
      if (outcome.kind === 'cancelled') return;
      answer(describeJob(outcome, timeoutMs), outcome.kind === 'failed' ? '' : lastLine(outcome.output));
    },
  );
}
