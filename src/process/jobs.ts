/**
 * Runs commands for a program: its hooks and checks. Each command has a process group of its own, which is killed when
 * the command ends, and a time limit. The caller decides when to run a command and how to use its outcome.
 *
 * Invariants:
 *   1. `done` is called once, and never from within `run` or `take`. By then, a batch of ended children has left all
 *      tables of pids, so `done` may send signals.
 *   2. A group is signalled before its leader is reaped, or in the same call. Later, another process may have its id.
 *   3. A job that is not reaped after SIGKILL (it hangs in the kernel) counts as timed out. No second job with the same
 *      key is started meanwhile.
 */
import type { ProcessConfig } from '../config/model.ts';
import { describeMistake, messageOf, reasonOf } from '../core/error-text.ts';
import { splitCommandLine } from '../core/command-line.ts';
import { type ExitStatus, parseWaitStatus } from '../core/exit-status.ts';
import { signalNumbers } from '../core/signals.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { Clock, Job, JobOutcome, Jobs, Report, StartBudget } from '../engine/ports.ts';
import type { LogChannel, Intake } from '../logs/ports.ts';
import { type LookedAt, pathProbe } from '../files/path-probe.ts';
import type { Addon, Reaped } from '../native/addon.ts';
import { readEnvironmentFiles } from './environment-files.ts';
import { JobInput } from './job-input.ts';
import { JobOutput } from './job-output.ts';
import type { LaunchContext, Launcher, StdioPlan } from './launcher.ts';
import { pathsOfStart } from './start-paths.ts';

/** Longest wait for the end of a killed command. */
const KILL_WAIT_MS = 5000;

/** Parts of {@link CommandJobs}. */
export interface JobParts {
  readonly addon: Pick<Addon, 'kill'>;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly report: Report;
  readonly budget: StartBudget;
  /** The part of the context that is the same for programs and jobs. */
  readonly context: () => Pick<LaunchContext, 'inherited' | 'common' | 'serverUrl' | 'limits'>;
  /** Log channel of a stream of a program; null for the main program of init mode, which has our own streams. */
  readonly channel: (proc: ProcessConfig, stream: StreamName) => Pick<LogChannel, 'read'> | null;
}

/** A command that has been started and not been reaped. */
interface Running {
  /** Process and option. */
  readonly key: string;
  readonly pid: number;
  readonly done: (outcome: JobOutcome) => void;
  readonly input: JobInput | null;
  readonly output: JobOutput | null;
  readonly intakes: readonly Intake[];
  /** Reason of the kill; null if it was not killed. */
  killed: 'timeout' | 'cancelled' | null;
  /** True once the outcome is known. A killed command may still have to be reaped. */
  isOver: boolean;
  cancelAlarm: () => void;
}

/** The running jobs of all programs. */
export class CommandJobs implements Jobs {
  readonly #parts: JobParts;
  readonly #running = new Map<number, Running>();

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /**
   * Runs a command for a program, once its files can be reached. Never throws; `done` gets the outcome later, once.
   * Returns a function that cancels the job: it kills the process group, and the outcome is `cancelled`, unless `done`
   * has been called already.
   */
  run(proc: ProcessConfig, job: Job, done: (outcome: JobOutcome) => void): () => void {
    let isCancelled = false;
    let callOff = (): void => undefined;
    let kill = (): void => undefined;
    const finish = (outcome: JobOutcome): void =>
      queueMicrotask(() => this.#call(done, isCancelled ? { kind: 'cancelled' } : outcome));
    const attempt = (work: () => void): void => {
      try {
        work();
      } catch (error) {
        finish({ kind: 'failed', reason: messageOf(error) });
      }
    };
    attempt(() => {
      const target = { ...proc, argv: splitCommandLine(job.command) };
      const paths = (): LookedAt[] => pathsOfStart(target, this.#parts.context());
      callOff = pathProbe.look(paths, (reason) => {
        if (reason !== null) return finish({ kind: 'failed', reason });
        this.#parts.budget.run(() => {
          if (isCancelled) finish({ kind: 'cancelled' });
          else attempt(() => (kill = this.#begin(target, job, done)));
        });
      });
    });
    return () => {
      isCancelled = true;
      callOff();
      kill();
    };
  }

  /** Starts a job with its time limit. Returns the function that cancels the job. */
  #begin(proc: ProcessConfig, job: Job, done: Running['done']): () => void {
    const running = this.#start(proc, job, done);
    const { clock } = this.#parts;
    if (job.timeoutMs < Infinity)
      running.cancelAlarm = clock.alarm(clock.nowMs() + job.timeoutMs, () => this.#kill(running, 'timeout'));
    this.#running.set(running.pid, running);
    return () => this.#kill(running, 'cancelled');
  }

  /**
   * Takes the jobs out of a batch of ended children, and returns the rest. Must come before any other code acts on the
   * batch.
   */
  take(batch: readonly Reaped[]): Reaped[] {
    return batch.filter(({ pid, status }) => {
      const running = this.#running.get(pid);
      if (running === undefined) return true;
      this.#running.delete(pid);
      // Kill the processes that the job has left in its group. While the group has a member, no new process gets its
      // number. Without members, the number was free only since the call of the reaper, and no process has got it.
      this.#parts.addon.kill(-pid, signalNumbers.SIGKILL);
      this.#finish(running, parseWaitStatus(status));
      return false;
    });
  }

  #start(proc: ProcessConfig, job: Job, done: Running['done']): Running {
    const { launcher, context } = this.#parts;
    const key = `${proc.group}:${proc.name} ${job.name}`;
    if ([...this.#running.values()].some((other) => other.key === key && other.isOver))
      throw new Error('the previous command was killed and has not ended');
    const [out, err] = this.#channels(proc, job);
    const outer = context();
    const { pid, stdin, stdout, stderr } = launcher.launch(proc, {
      ...outer,
      files: readEnvironmentFiles(proc.options, outer),
      added: job.environment,
      stdio: planStdio(proc, job, out, err),
      cgroup: null,
      descriptors: [],
      pidVariable: null,
    });
    const keeps = job.output === 'keep' && stdout !== null;
    const intakes = keeps
      ? []
      : [stdout === null ? undefined : out?.read(stdout, pid), stderr === null ? undefined : err?.read(stderr, pid)];
    return {
      key,
      pid,
      done,
      killed: null,
      isOver: false,
      input: stdin === null ? null : new JobInput(stdin, job.input ?? ''),
      output: keeps ? new JobOutput(stdout) : null,
      intakes: intakes.filter((intake) => intake !== undefined),
      cancelAlarm: () => undefined,
    };
  }

  /** Log channels of a job. The standard output of a listener is a protocol, so its hooks write to the stderr log. */
  #channels(proc: ProcessConfig, { output }: Job): ReadonlyArray<Pick<LogChannel, 'read'> | null> {
    if (output === 'keep') return [null, null];
    const { channel } = this.#parts;
    return [channel(proc, proc.type === 'eventlistener' ? 'stderr' : 'stdout'), channel(proc, 'stderr')];
  }

  #kill(running: Running, reason: 'timeout' | 'cancelled'): void {
    const wasKilled = running.killed !== null;
    if (!wasKilled || reason === 'cancelled') running.killed = reason;
    if (wasKilled || running.isOver) return;
    const { addon, clock } = this.#parts;
    // Signal the leader too: it may have moved to another group.
    addon.kill(-running.pid, signalNumbers.SIGKILL);
    addon.kill(running.pid, signalNumbers.SIGKILL);
    running.cancelAlarm();
    running.cancelAlarm = clock.alarm(clock.nowMs() + KILL_WAIT_MS, () => this.#finish(running, null));
  }

  /**
   * Ends the output of a job and calls `done` in a microtask. `status` is null for a job that was killed and has not
   * been reaped.
   */
  #finish(running: Running, status: ExitStatus | null): void {
    running.cancelAlarm();
    if (running.isOver) return;
    running.isOver = true;
    running.input?.close();
    const output = running.output?.finish() ?? '';
    for (const intake of running.intakes) {
      intake.readRemaining();
      // A descendant in another group may keep the pipe open. Only what the pipe holds now is read.
      intake.drained().then(
        () => intake.close(),
        (error: unknown) => this.#parts.report('error', `cannot read the output of ${running.key}: ${reasonOf(error)}`),
      );
    }
    queueMicrotask(() => this.#call(running.done, outcomeOf(running.killed, status, output)));
  }

  /** Calls `done`. An exception of the callback must not end PID 1. */
  #call(done: Running['done'], outcome: JobOutcome): void {
    try {
      done(outcome);
    } catch (error) {
      this.#parts.report('critical', `cannot act on the end of a command: ${describeMistake(error)}`, {
        event: 'internal_error',
      });
    }
  }
}

function outcomeOf(killed: Running['killed'], status: ExitStatus | null, output: string): JobOutcome {
  if (killed === 'cancelled') return { kind: 'cancelled' };
  return killed === 'timeout' || status === null ? { kind: 'timeout', output } : { kind: 'ended', status, output };
}

function planStdio(proc: ProcessConfig, { input, output }: Job, out: unknown, err: unknown): StdioPlan {
  const isListener = proc.type === 'eventlistener';
  const isKept = output === 'keep';
  const ownStdout = isListener ? 2 : 1;
  const ownStderr = err === null ? 2 : 'pipe';
  return {
    stdin: input === undefined ? 'null' : 'pipe',
    stdout: isKept || out !== null ? 'pipe' : ownStdout,
    stderr: isKept || isListener ? 'stdout' : ownStderr,
    leadership: 'group',
  };
}
