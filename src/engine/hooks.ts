/**
 * The commands around a run: pre_start_command, stop_command, post_stop_command. This file runs them and reports their
 * failures. The engine decides what follows.
 */
import { formatExit, shellExitCode } from '../core/exit-status.ts';
import { processFields } from '../core/log-fields.ts';
import type { JobOutcome, Jobs, Report } from './ports.ts';
import type { Entry } from './process-table.ts';

const SECOND_MS = 1000;

/** Failure of a hook: the reason, and the exit code for the container. */
export interface HookFailure {
  readonly reason: string;
  readonly exitCode: number;
}

type Done = (failure: HookFailure | null) => void;
type HookName = 'pre_start_command' | 'stop_command' | 'post_stop_command';

/** One run of a hook. */
interface Hook {
  readonly entry: Entry;
  readonly name: HookName;
  readonly command: string;
  readonly seconds: number;
  /** Pid of the run that the hook is for. Not given before the run. */
  readonly pid?: number;
}

/** The hooks of all processes. A process has at most one running hook of each name. */
export class Hooks {
  readonly #jobs: Jobs;
  readonly #report: Report;
  /** Running hooks, by process and name of the hook. */
  readonly #running = new Map<string, { cancel: () => void; readonly afterwards: Array<() => void> }>();

  constructor(jobs: Jobs, report: Report) {
    this.#jobs = jobs;
    this.#report = report;
  }

  /** Runs pre_start_command. Without one, calls `done` at once. */
  preStart(entry: Entry, done: Done): void {
    const { pre_start_command: command, pre_start_timeout: timeout } = entry.config.options;
    if (command === null) return done(null);
    this.#run({ entry, name: 'pre_start_command', command, seconds: timeout }, done);
  }

  /** Runs stop_command for the run with this pid. Returns false without one. */
  stop(entry: Entry, pid: number, done: Done): boolean {
    const { stop_command: command, stop_timeout: timeout, stopwaitsecs } = entry.config.options;
    if (command === null) return false;
    this.#run({ entry, name: 'stop_command', command, seconds: timeout ?? stopwaitsecs, pid }, done);
    return true;
  }

  /** Calls `then` once no stop_command of a process runs. A stop_command may outlive its program to clean up. */
  afterStop(id: string, then: () => void): void {
    const running = this.#running.get(`${id} stop_command`);
    if (running === undefined) then();
    else running.afterwards.push(then);
  }

  /** True if a hook of a process runs. */
  isRunning(id: string, name: HookName): boolean {
    return this.#running.has(`${id} ${name}`);
  }

  /**
   * Runs post_stop_command after the run with this pid. Without one, calls `done` at once. A failure is only logged.
   */
  postStop(entry: Entry, pid: number, done: () => void): void {
    const { post_stop_command: command, post_stop_timeout: timeout } = entry.config.options;
    if (command === null) return done();
    this.#run({ entry, name: 'post_stop_command', command, seconds: timeout, pid }, () => done());
  }

  /** Kills a running hook; its `done` follows. Does nothing if no such hook runs. */
  cancel(id: string, name: HookName): void {
    this.#running.get(`${id} ${name}`)?.cancel();
  }

  #run({ entry, name, command, seconds, pid }: Hook, done: Done): void {
    const environment = new Map(pid === undefined ? [] : [['SUPERVISOR_PID', String(pid)]]);
    const key = `${entry.id} ${name}`;
    const running = { cancel: (): void => undefined, afterwards: [] as Array<() => void> };
    this.#running.set(key, running);
    running.cancel = this.#jobs.run(
      entry.config,
      { name, command, timeoutMs: seconds * SECOND_MS, environment, output: 'log' },
      (outcome) => {
        this.#running.delete(key);
        const failure = failureOf(name, outcome, seconds);
        // The supervisor cancelled the hook itself: no line in the log.
        if (failure !== null && outcome.kind !== 'cancelled')
          this.#report('warn', `${entry.config.name}: ${failure.reason}`, {
            event: 'hook_failed',
            ...processFields(entry.config),
          });
        done(failure);
        for (const then of running.afterwards) then();
      },
    );
  }
}

/** Returns the failure of a command that has ended; null for success. `name`: its option. `seconds`: its timeout. */
export function failureOf(name: string, outcome: JobOutcome, seconds: number): HookFailure | null {
  switch (outcome.kind) {
    case 'ended': {
      const exitCode = shellExitCode(outcome.status);
      return exitCode === 0 ? null : { reason: `${name} failed (${formatExit(outcome.status)})`, exitCode };
    }
    case 'timeout':
      return { reason: `${name} was killed: it took longer than ${seconds} s`, exitCode: 1 };
    case 'failed':
      return { reason: `${name} could not be executed: ${outcome.reason}`, exitCode: 1 };
    case 'cancelled':
      return { reason: `${name} was cancelled`, exitCode: 1 };
  }
}
