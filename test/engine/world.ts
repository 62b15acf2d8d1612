/**
 * A fake kernel and a fake clock for the engine: programs start and end as the test says, and time moves from alarm to
 * alarm.
 */
import assert from 'node:assert/strict';
import { sampleProgram } from '../../build/sample-program.ts';
import type { Dependency, GroupConfig, ProcessConfig } from '../../src/config/model.ts';
import type { ExitCause } from '../../src/core/exit-policy.ts';
import type { LogFields } from '../../src/core/log-fields.ts';
import type { Condition } from '../../src/core/process-record.ts';
import { formatFailure } from '../../src/core/run-failure.ts';
import type { Goal } from '../../src/core/shutdown-machine.ts';
import { formatHold } from '../../src/core/start-hold.ts';
import { shutdownLimits } from '../../src/core/stop-budget.ts';
import { Engine } from '../../src/engine/engine.ts';
import type { ExitSettings } from '../../src/engine/exit-cause.ts';
import type { Clock, Job, JobOutcome, SpawnOutcome, StartBudget } from '../../src/engine/ports.ts';
import { TurnBudget } from '../../src/engine/turn-budget.ts';

/** A clock that stands still until it is advanced. Alarms fire in order, each at its own time. */
export class FakeClock implements Clock {
  #now = 1000;
  #alarms: Array<{ atMs: number; wake: () => void }> = [];

  nowMs(): number {
    return this.#now;
  }

  alarm(atMs: number, wake: () => void): () => void {
    const entry = { atMs, wake };
    this.#alarms.push(entry);
    return () => {
      this.#alarms = this.#alarms.filter((other) => other !== entry);
    };
  }

  /** Times of the pending alarms, from now. */
  get pending(): number[] {
    return this.#alarms.map(({ atMs }) => atMs - this.#now).toSorted((a, b) => a - b);
  }

  /** Lets time pass without a turn of the loop: no alarm fires. */
  pass(ms: number): void {
    this.#now += ms;
  }

  /** Lets time pass. Alarms that are set on the way fire on the way. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#alarms.toSorted((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > end) break;
      this.#alarms = this.#alarms.filter((other) => other !== next);
      this.#now = Math.max(this.#now, next.atMs);
      next.wake();
    }
    this.#now = end;
  }
}

/** A program with Supervisor's defaults. */
const sample = sampleProgram();

/** Options of a program in a test, and its behaviour. */
export interface Program extends Partial<ProcessConfig['options']> {
  readonly name: string;
  readonly group?: string;
  readonly groupPriority?: number;
  /** Signals that end it; all but 0 by default. */
  readonly diesBy?: readonly number[];
  /** Conditions by the names of the dependencies. */
  readonly needs?: Readonly<Record<string, Condition | `${Condition}:restart`>>;
  readonly spawnError?: { readonly reason: string; readonly exitCode: number };
  /** True if its spawn throws an unexpected error. */
  readonly spawnThrows?: boolean;
}

/** Options of a world's engine. */
export interface WorldOptions extends Partial<ExitSettings> {
  /** `shutdown_timeout`; null for none. */
  readonly shutdownTimeoutMs?: number | null;
  /** `stop_budget`, which applies to every shutdown here; null for none. */
  readonly stopBudgetMs?: number | null;
  /** Decides when starts happen; by default a budget for each turn. */
  readonly budget?: StartBudget;
  /** The class of the engine: a changed one, to see a test fail. */
  readonly EngineClass?: typeof Engine;
}

/** One engine in a world of its own. */
export class World {
  readonly clock = new FakeClock();
  /** Lines of the log, without level. */
  readonly log: string[] = [];
  /** Fields of the lines that have them. */
  readonly fields: LogFields[] = [];
  /** Orders that reached the kernel: `spawn web`, `SIG15 web`, `SIG9 -web`. */
  readonly calls: string[] = [];
  readonly states: string[] = [];
  /** Changed facts: `db ready`, `web held`. */
  readonly facts: string[] = [];
  readonly engine: Engine;
  finished: { goal: Goal; cause: ExitCause } | null = null;
  /** Starts after the engine was hurried. */
  isHurried = false;
  /** Called before a rank of a shutdown is stopped. */
  beforeStop: (ids: readonly string[], proceed: () => void) => void = (_ids, proceed) => proceed();
  /** Looks at the files of a start. */
  reach: (name: string, done: (reason: string | null) => void) => () => void = (_name, done) => {
    done(null);
    return () => undefined;
  };
  /** Pids whose remaining output was requested, and the log lines at that time. */
  readonly outputReads: Array<{ readonly pid: number; readonly lines: number }> = [];
  /** Callbacks for the next turn of the loop. */
  readonly turns: Array<() => void> = [];
  /** Duration of a spawn. */
  spawnMs = 0;
  /** True if spawns fail from now on. */
  isSpawnFailing = false;
  /** Errno of failing signals. */
  signalError: string | null = null;
  #nextPid = 100;
  readonly #alive = new Map<number, Program>();

  readonly #programs = new Map<string, Program>();
  /** Running commands, by process and option. */
  readonly #jobs = new Map<string, (outcome: JobOutcome) => void>();
  /** Process groups that outlive their leaders, by the pid of the leader. */
  readonly groups = new Set<number>();

  constructor(
    programs: readonly Program[],
    { shutdownTimeoutMs = null, stopBudgetMs = null, budget, EngineClass = Engine, ...options }: WorldOptions = {},
  ) {
    this.engine = new EngineClass(
      this.groupsOf(programs),
      { exitWhenIdle: false, mainProgram: null, ...options },
      {
        clock: this.clock,
        report: (_level, text, fields) => {
          this.log.push(text);
          if (fields !== undefined) this.fields.push(fields);
        },
        chance: () => 0.5,
        budget:
          budget ?? new TurnBudget({ nowMs: () => this.clock.nowMs(), nextTurn: (then) => this.turns.push(then) }),
        shutdownBudget: {
          limitsOf: () => shutdownLimits(this.clock.nowMs(), { timeoutMs: shutdownTimeoutMs, budgetMs: stopBudgetMs }),
          hurry: () => {
            this.isHurried = true;
          },
        },
        beforeStop: (ids, proceed) => this.beforeStop(ids, proceed),
        finished: (goal, cause) => {
          assert.equal(this.finished, null, 'an engine finishes once');
          this.finished = { goal, cause };
        },
        jobs: { run: (config, job, done) => this.#runJob(config, job, done) },
        processes: {
          reach: ({ name }, done) => this.reach(name, done),
          spawn: ({ name }): SpawnOutcome => {
            this.calls.push(`spawn ${name}`);
            this.clock.pass(this.spawnMs);
            const program = this.#programs.get(name);
            assert.ok(program !== undefined);
            if (program.spawnThrows === true) throw new TypeError('an unexpected error');
            if (this.isSpawnFailing) return { ok: false, reason: 'there is no such command', exitCode: 127 };
            if (program.spawnError !== undefined) return { ok: false, ...program.spawnError };
            const pid = this.#nextPid++;
            this.#alive.set(pid, program);
            return { ok: true, pid };
          },
          readRemaining: (pid) => this.outputReads.push({ pid, lines: this.log.length }),
          signal: (pid, signal, group) => {
            if (signal === 0) return this.groups.has(pid) ? null : 'ESRCH';
            if (this.groups.has(pid)) {
              this.calls.push(`SIG${signal} rest of ${pid}`);
              return null;
            }
            const program = this.#alive.get(pid);
            assert.ok(program !== undefined, `a signal to ${pid}, which is not alive`);
            this.calls.push(`SIG${signal} ${group ? '-' : ''}${program.name}`);
            return this.signalError;
          },
        },
      },
    );
    this.engine.subscribe((event) => {
      if (event.type === 'ready' || event.type === 'health' || event.type === 'held')
        this.facts.push(`${event.process.config.name} ${event.type}`);
      if (event.type === 'group') this.states.push(`${event.group} ${event.change}`);
      if (event.type === 'process')
        this.states.push(`${event.process.config.name} ${event.from}>${event.process.record.state}`);
    });
  }

  /** Creates the groups of these programs, which the kernel knows from now on. */
  groupsOf(programs: readonly Program[]): GroupConfig[] {
    const groups = new Map<string, ProcessConfig[]>();
    for (const program of programs) {
      this.#programs.set(program.name, program);
      const group = program.group ?? program.name;
      const config: ProcessConfig = {
        ...sample,
        name: program.name,
        group,
        program: program.name,
        options: { ...sample.options, ...program },
        dependsOn: dependenciesOf(program),
      };
      groups.set(group, [...(groups.get(group) ?? []), config]);
    }
    return [...groups].map(([name, processes]): GroupConfig => {
      const first = programs.find((program) => (program.group ?? program.name) === name);
      return { name, priority: first?.groupPriority ?? first?.priority ?? 999, type: 'program', processes };
    });
  }

  #runJob({ name }: ProcessConfig, job: Job, done: (outcome: JobOutcome) => void): () => void {
    const key = `${name} ${job.name}`;
    const pid = job.environment.get('SUPERVISOR_PID');
    this.calls.push(`run ${key}${pid === undefined ? '' : ` for ${pid}`}`);
    this.#jobs.set(key, done);
    return () => {
      this.calls.push(`cancel ${key}`);
    };
  }

  /** Returns the running commands: `web stop_command`. */
  get jobs(): string[] {
    return [...this.#jobs.keys()];
  }

  /** Returns the names of the running programs. */
  get alive(): string[] {
    return [...this.#alive.values()].map(({ name }) => name);
  }

  /** Ends a command. */
  endJob(key: string, outcome: number | JobOutcome = 0): void {
    const done = this.#jobs.get(key);
    assert.ok(done !== undefined, `no ${key} is under way`);
    this.#jobs.delete(key);
    done(
      typeof outcome === 'number' ? { kind: 'ended', status: { kind: 'exited', code: outcome }, output: '' } : outcome,
    );
  }

  /** Returns the state of a process by name. */
  state(name: string): string {
    return this.view(name).record.state;
  }

  view(name: string): ReturnType<Engine['processes']>[number] {
    const found = this.engine.processes().find(({ config }) => config.name === name);
    assert.ok(found !== undefined, name);
    return found;
  }

  /** Returns the text for the failure of the latest run; null for none. */
  failure(name: string): string | null {
    const { failure } = this.view(name).record;
    return failure === null ? null : formatFailure(failure);
  }

  /** Returns the text for the hold of a process; null for none. */
  hold(name: string): string | null {
    const { hold } = this.view(name).record;
    return hold === null ? null : formatHold(hold);
  }

  /** Returns the namespec for a name. */
  id(name: string): string {
    return this.view(name).id;
  }

  /** Ends the named processes in one batch of the reaper. `status` is that of waitpid. */
  end(status: number, ...names: readonly string[]): void {
    const batch = names.map((name) => {
      const { pid } = this.view(name).record;
      assert.ok(pid !== null && this.#alive.delete(pid), `${name} is not alive`);
      return { pid, status };
    });
    this.engine.reaped(batch);
  }

  hasEnded(): boolean {
    return this.finished !== null;
  }

  /** Fails if an alarm is pending at the end of a test. */
  assertQuiet(): void {
    assert.deepEqual(this.clock.pending, []);
  }
}

/** Status words of waitpid. */
export const exitWith = (code: number): number => code << 8;

function dependenciesOf({ needs = {} }: Program): Dependency[] {
  return Object.entries(needs).map(([name, text]) => {
    const isFollowed = text.endsWith(':restart');
    const condition = (isFollowed ? text.slice(0, -':restart'.length) : text) as Condition;
    return { group: name, process: name, conditions: [condition], isFollowed };
  });
}
