/**
 * Runs commands beside a program: its hooks and its checks. Each has a process group of its own, of which nothing
 * outlives it, and a time after which it is killed. It decides nothing about when or why, and knows nothing of what an
 * outcome means.
 *
 * Invariants:
 *   1. `done` is called once, and never from within `run` or `take`: a batch of ended children has left everybody's tables by then, so whoever is told may signal.
 *   2. A group is signalled before its leader was reaped or in the same call: later its number may be somebody else's.
 *   3. A job that is not reaped after SIGKILL (it hangs in the kernel) keeps nobody waiting, and there is never a second one like it.
 */
import type { ProcessConfig } from '../config/model.ts';
import { describeMistake, messageOf, reasonOf } from '../core/error-text.ts';
import { splitCommandLine } from '../core/command-line.ts';
import { type ExitStatus, parseWaitStatus } from '../core/exit-status.ts';
import { signalNumbers } from '../core/signals.ts';
import type { Clock, Job, JobOutcome, Jobs, Report, StartBudget } from '../engine/ports.ts';
import type { LogChannel, Intake, StreamName } from '../logs/ports.ts';
import type { Addon, Reaped } from '../native/addon.ts';
import { readEnvironmentFiles } from './environment-files.ts';
import { JobOutput } from './job-output.ts';
import type { LaunchContext, Launcher, StdioPlan } from './launcher.ts';

/** How long the kernel gets to end what was killed. */
const KILL_WAIT_MS = 5000;

/** What jobs are run with. */
export interface JobParts {
  readonly addon: Pick<Addon, 'kill'>;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly report: Report;
  readonly budget: StartBudget;
  /** What programs start with, beside what is their own. */
  readonly context: () => Pick<LaunchContext, 'inherited' | 'common' | 'serverUrl' | 'limits'>;
  /**
   * The log of a stream of a program; null where it writes to our own streams, as the main program in init mode does.
   */
  readonly channel: (proc: ProcessConfig, stream: StreamName) => Pick<LogChannel, 'read'> | null;
}

/** A command that was executed and is not yet reaped. */
interface Running {
  /** Process and option: of each there is one that counts. */
  readonly key: string;
  readonly pid: number;
  readonly done: (outcome: JobOutcome) => void;
  readonly output: JobOutput | null;
  readonly intakes: readonly Intake[];
  /** Why it was killed; null while it was not. */
  killed: 'timeout' | 'cancelled' | null;
  /** Its outcome is known, and told or about to be. It may be killed and not reaped. */
  isOver: boolean;
  callOff: () => void;
}

/** See the head of this file. */
export class CommandJobs implements Jobs {
  readonly #parts: JobParts;
  readonly #running = new Map<number, Running>();

  constructor(parts: JobParts) {
    this.#parts = parts;
  }

  /**
   * Executes a command for a program. Never throws; the outcome comes later, once. The function returned kills what the
   * command has started, and the outcome is `cancelled` then, unless it has been told already.
   */
  run(proc: ProcessConfig, job: Job, done: (outcome: JobOutcome) => void): () => void {
    let isCancelled = false;
    let cancel = (): void => {
      isCancelled = true;
    };
    const finish = (outcome: JobOutcome): void =>
      queueMicrotask(() => this.#call(done, isCancelled ? { kind: 'cancelled' } : outcome));
    this.#parts.budget.run(() => {
      if (isCancelled) return finish({ kind: 'cancelled' });
      try {
        cancel = this.#begin(proc, job, done);
      } catch (error) {
        finish({ kind: 'failed', reason: messageOf(error) });
      }
    });
    return () => cancel();
  }

  /** Starts a job with its time limit. The function returned cancels it. */
  #begin(proc: ProcessConfig, job: Job, done: Running['done']): () => void {
    const running = this.#start(proc, job, done);
    const { clock } = this.#parts;
    if (job.timeoutMs < Infinity)
      running.callOff = clock.alarm(clock.nowMs() + job.timeoutMs, () => this.#kill(running, 'timeout'));
    this.#running.set(running.pid, running);
    return () => this.#kill(running, 'cancelled');
  }

  /**
   * Takes what was started here out of a batch of the reaper, and returns the rest. To be called before anybody acts
   * upon the batch.
   */
  take(batch: readonly Reaped[]): Reaped[] {
    return batch.filter(({ pid, status }) => {
      const running = this.#running.get(pid);
      if (running === undefined) return true;
      this.#running.delete(pid);
      // Those it has left behind in its group. While there are any the kernel gives its number to nobody else; and if
      // there are none, nobody got it since the reaper's call.
      this.#parts.addon.kill(-pid, signalNumbers.SIGKILL);
      this.#finish(running, parseWaitStatus(status));
      return false;
    });
  }

  #start(proc: ProcessConfig, job: Job, done: Running['done']): Running {
    const { launcher, context } = this.#parts;
    const key = `${proc.group}:${proc.name} ${job.name}`;
    if ([...this.#running.values()].some((other) => other.key === key && other.isOver))
      throw new Error('the one before it was killed and does not end');
    const [out, err] = this.#channels(proc, job);
    const { environment_file: files, environment_dir: directories } = proc.options;
    const { pid, stdout, stderr } = launcher.launch(
      { ...proc, argv: splitCommandLine(job.command) },
      {
        ...context(),
        files: readEnvironmentFiles(files, directories),
        added: job.environment,
        stdio: planStdio(proc, job, out, err),
        descriptors: [],
      },
    );
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
      output: keeps ? new JobOutput(stdout) : null,
      intakes: intakes.filter((intake) => intake !== undefined),
      callOff: () => undefined,
    };
  }

  /** Where its lines go. The standard output of a listener is a protocol, which nobody else may speak in. */
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
    // The leader by itself too: it may have gone to another group.
    addon.kill(-running.pid, signalNumbers.SIGKILL);
    addon.kill(running.pid, signalNumbers.SIGKILL);
    running.callOff();
    running.callOff = clock.alarm(clock.nowMs() + KILL_WAIT_MS, () => this.#finish(running, null));
  }

  /**
   * Its output ends here, and it is told what became of it, after all that goes on now. `status` is null for one that
   * was killed and is not reaped.
   */
  #finish(running: Running, status: ExitStatus | null): void {
    running.callOff();
    if (running.isOver) return;
    running.isOver = true;
    const output = running.output?.finish() ?? '';
    for (const intake of running.intakes) {
      intake.takeRest();
      // A grandchild that went to another group may keep the pipe: what is in it is read, and no more.
      intake.drained().then(
        () => intake.close(),
        (error: unknown) => this.#parts.report('error', `cannot read the output of ${running.key}: ${reasonOf(error)}`),
      );
    }
    queueMicrotask(() => this.#call(running.done, outcomeOf(running.killed, status, output)));
  }

  /** A mistake of who is told is not to end PID 1. */
  #call(done: Running['done'], outcome: JobOutcome): void {
    try {
      done(outcome);
    } catch (error) {
      this.#parts.report('critical', `cannot act on the end of a command: ${describeMistake(error)}`);
    }
  }
}

function outcomeOf(killed: Running['killed'], status: ExitStatus | null, output: string): JobOutcome {
  if (killed === 'cancelled') return { kind: 'cancelled' };
  return killed === 'timeout' || status === null ? { kind: 'timeout', output } : { kind: 'ended', status, output };
}

function planStdio(proc: ProcessConfig, { output }: Job, out: unknown, err: unknown): StdioPlan {
  const isJoined = output === 'keep' || proc.type === 'eventlistener';
  return {
    stdin: 'null',
    stdout: output === 'keep' || out !== null ? 'pipe' : proc.type === 'eventlistener' ? 2 : 1,
    stderr: isJoined ? 'stdout' : err !== null ? 'pipe' : 2,
    leadership: 'group',
  };
}
