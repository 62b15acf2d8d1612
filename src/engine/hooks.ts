/**
 * The commands that go before and after a run: pre_start_command, stop_command, post_stop_command. It knows when each
 * has come to its end and says what failed; what follows from that is the engine's business.
 */
import { formatExit, shellExitCode } from '../core/exit-status.ts';
import type { Job, JobOutcome, Jobs, Report } from './ports.ts';
import type { Entry } from './process-table.ts';

const SECOND_MS = 1000;

/** Why a hook failed, and the exit code that stands for it. */
export interface HookFailure {
  readonly reason: string;
  readonly exitCode: number;
}

type Done = (failure: HookFailure | null) => void;
type HookName = 'pre_start_command' | 'stop_command' | 'post_stop_command';

/** The hooks of all processes; each process has one at a time of each name. */
export class Hooks {
  readonly #jobs: Jobs;
  readonly #report: Report;
  /** By process, and name of the hook. */
  readonly #running = new Map<string, { cancel: () => void; readonly afterwards: Array<() => void> }>();

  constructor(jobs: Jobs, report: Report) {
    this.#jobs = jobs;
    this.#report = report;
  }

  /** Runs pre_start_command; `done` is called within this call where there is none. */
  preStart(entry: Entry, done: Done): void {
    const { pre_start_command: command, pre_start_timeout: timeout } = entry.config.options;
    if (command === null) return done(null);
    this.#run(entry, 'pre_start_command', command, timeout, new Map(), done);
  }

  /** Runs stop_command for the run with this pid. False where there is none. */
  stop(entry: Entry, pid: number, done: Done): boolean {
    const { stop_command: command, stop_timeout: timeout, stopwaitsecs } = entry.config.options;
    if (command === null) return false;
    this.#run(
      entry,
      'stop_command',
      command,
      timeout ?? stopwaitsecs,
      new Map([['SUPERVISOR_PID', String(pid)]]),
      done,
    );
    return true;
  }

  /**
   * Calls `then` when no stop_command of a process is under way: at once, or later. One that has outlived its program
   * may have something to tidy up.
   */
  afterStop(id: string, then: () => void): void {
    const running = this.#running.get(`${id} stop_command`);
    if (running === undefined) then();
    else running.afterwards.push(then);
  }

  /** Whether a stop_command of a process is under way. */
  isStopping(id: string): boolean {
    return this.#running.has(`${id} stop_command`);
  }

  /**
   * Runs post_stop_command after the run with this pid; `done` is called within this call where there is none. A
   * failure is reported, and no more.
   */
  postStop(entry: Entry, pid: number, done: () => void): void {
    const { post_stop_command: command, post_stop_timeout: timeout } = entry.config.options;
    if (command === null) return done();
    this.#run(entry, 'post_stop_command', command, timeout, new Map([['SUPERVISOR_PID', String(pid)]]), () => done());
  }

  /** Ends a hook under way by SIGKILL; its `done` follows. Nothing happens where none is. */
  cancel(id: string, name: HookName): void {
    this.#running.get(`${id} ${name}`)?.cancel();
  }

  #run(
    entry: Entry,
    name: HookName,
    command: string,
    seconds: number,
    environment: Job['environment'],
    done: Done,
  ): void {
    const key = `${entry.id} ${name}`;
    const running = { cancel: (): void => undefined, afterwards: [] as Array<() => void> };
    this.#running.set(key, running);
    running.cancel = this.#jobs.run(
      entry.config,
      { name, command, timeoutMs: seconds * SECOND_MS, environment, output: 'log' },
      (outcome) => {
        this.#running.delete(key);
        const failure = failureOf(name, outcome, seconds);
        // What we called off ourselves is no news.
        if (failure !== null && outcome.kind !== 'cancelled')
          this.#report('warn', `${entry.config.name}: ${failure.reason}`);
        done(failure);
        for (const then of running.afterwards) then();
      },
    );
  }
}

function failureOf(name: HookName, outcome: JobOutcome, seconds: number): HookFailure | null {
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
      return { reason: `${name} was called off`, exitCode: 1 };
  }
}
