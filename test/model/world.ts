/**
 * One engine with all the inputs that its world can give in a state. The search (search.ts) tries each of them in each
 * state. The inputs are words, so that a path to a fault can be read and repeated.
 */
import type { ExitCause } from '../../src/core/exit-policy.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { REQUEST, SIGTERM, UNHEALTHY } from '../causes.ts';
import { exitWith, type Program, World, type WorldOptions } from '../engine/world.ts';

const SIGKILL = 9;

/** Requests and facts that a model may use, besides the outcomes of starts, hooks and the clock. */
export type Ability =
  | 'start'
  | 'stop'
  | 'kill'
  | 'restart'
  | 'exit 0'
  | 'exit 1'
  | 'ready'
  | 'healthy'
  | 'unhealthy'
  | 'spawn fails'
  | 'late alarm'
  | 'orphan'
  | 'TERM'
  | 'TERM again'
  | 'reload'
  | 'job fails';

/** One small configuration, and the inputs that are tried on it. */
export interface Model {
  readonly name: string;
  readonly programs: readonly Program[];
  readonly abilities: readonly Ability[];
  readonly options?: WorldOptions;
  /** `shutdown_delay` in milliseconds. */
  readonly delayMs?: number;
  /** True if TERM is passed on to the main program in place of a stop (init mode). */
  readonly isForwarded?: boolean;
  /** Programs that requests name; by default all. */
  readonly asked?: readonly string[];
  /** Number of inputs of the longest path; in the long form. */
  readonly depth: { readonly brief: number; readonly long: number };
}

/** An engine, a fake kernel and a clock. Starts wait until the search carries them out. */
export class ModelWorld extends World {
  readonly model: Model;
  /** Starts that the engine has ordered and that have not happened. */
  readonly starts: Array<() => void>;
  /** Programs that a person has stopped, and has not started again. */
  readonly down = new Set<string>();
  /** Pids that have got SIGKILL. */
  readonly killed = new Set<string>();
  /** The outcomes of the last input: programs that were executed, and lines of the log. */
  spawned: string[] = [];
  logged: string[] = [];
  /** Requests of a shutdown so far. */
  terms = 0;
  reloads = 0;
  isShutdownKilled = false;
  /** The cause with which the end has begun; null before it. */
  begunBy: ExitCause | null = null;

  constructor(model: Model, EngineClass?: typeof Engine) {
    const starts: Array<() => void> = [];
    super(model.programs, {
      ...model.options,
      budget: { run: (task) => void starts.push(task) },
      ...(EngineClass === undefined ? {} : { EngineClass }),
    });
    this.model = model;
    this.starts = starts;
    this.engine.subscribe((event) => {
      if (event.type === 'supervisor') this.begunBy = event.cause;
    });
  }

  /** Returns the inputs that are possible now. */
  inputs(): string[] {
    if (this.hasEnded()) return [];
    const { abilities, programs } = this.model;
    const has = (ability: Ability): boolean => abilities.includes(ability);
    const inputs: string[] = [];
    if (this.starts.length > 0) inputs.push('spawn', ...(has('spawn fails') ? ['spawn fails'] : []));
    if (this.clock.pending.length > 0) {
      inputs.push('alarm');
      if (has('late alarm') && (this.clock.pending[0] ?? 0) > 0) inputs.push('late alarm');
    }
    for (const { name } of programs) {
      inputs.push(...this.#requestsOf(name).map((word) => `${word} ${name}`));
      inputs.push(...this.#factsOf(name).map((word) => `${word} ${name}`));
    }
    for (const key of this.jobs) inputs.push(`job ${key}`, ...(has('job fails') ? [`job fails ${key}`] : []));
    if (this.groups.size > 0) inputs.push('orphans end');
    if (has('TERM') && this.terms === 0) inputs.push('TERM');
    if (has('TERM again') && this.terms === 1 && this.engine.phase !== 'running') inputs.push('TERM again');
    if (has('reload') && this.reloads === 0) inputs.push('reload');
    return inputs;
  }

  /** Requests that change something in some state. Others are in the tables of the unit tests. */
  #requestsOf(name: string): Ability[] {
    const { abilities, asked = this.model.programs.map((program) => program.name) } = this.model;
    if (!asked.includes(name)) return [];
    return (['start', 'stop', 'kill', 'restart'] as const).filter((word) => abilities.includes(word));
  }

  #factsOf(name: string): Ability[] {
    const { record, config } = this.view(name);
    if (!this.alive.includes(name)) return [];
    const { notify } = config.options;
    const facts: Ability[] = ['exit 0', 'exit 1', 'orphan'];
    if (notify !== null && !record.isReady) facts.push('ready');
    if (record.health !== 'healthy') facts.push('healthy');
    if (record.health !== 'unhealthy') facts.push('unhealthy');
    return facts.filter((word) => this.model.abilities.includes(word));
  }

  /** Carries out one input. */
  apply(input: string): void {
    const name = input.slice(input.lastIndexOf(' ') + 1);
    const word = input.slice(0, -name.length - 1);
    if (!this.#applyToAll(input)) this.#applyTo(name, word, input);
    this.#noteSignals();
  }

  #applyToAll(input: string): boolean {
    switch (input) {
      case 'spawn':
      case 'spawn fails':
        this.isSpawnFailing = input === 'spawn fails';
        this.starts.shift()?.();
        return true;
      case 'alarm':
        this.clock.advance(this.clock.pending[0] ?? 0);
        return true;
      case 'late alarm':
        this.clock.pass(this.clock.pending[0] ?? 0);
        return true;
      case 'orphans end':
        this.groups.clear();
        this.engine.reaped([]);
        return true;
      case 'TERM':
        this.#terminate();
        return true;
      case 'TERM again':
        this.terms += 1;
        this.isShutdownKilled ||= this.engine.phase === 'stopping';
        this.engine.hurry();
        return true;
      case 'reload':
        this.reloads += 1;
        this.engine.shutDown('restart', REQUEST);
        return true;
      default:
        return false;
    }
  }

  #terminate(): void {
    this.terms += 1;
    const { delayMs = 0, isForwarded, options } = this.model;
    const main = options?.mainProgram ?? null;
    if (isForwarded !== true || main === null)
      return this.engine.shutDown('exit', SIGTERM, delayMs > 0 ? { delayMs } : {});
    const isForwardedNow = this.engine.signalProcess(main, 15, SIGTERM) === null;
    this.engine.shutDown('exit', SIGTERM, isForwardedNow ? { forwarded: { id: main, mayKill: true } } : {});
  }

  #applyTo(name: string, word: string, input: string): void {
    const id = `${name}:${name}`;
    const { record } = this.view(input.startsWith('job') ? (this.model.programs[0]?.name ?? '') : name);
    if (input.startsWith('job fails ')) return this.endJob(input.slice('job fails '.length), 1);
    if (input.startsWith('job ')) return this.endJob(input.slice('job '.length), 0);
    switch (word) {
      case 'start':
        this.down.delete(name);
        return void this.engine.request(id, 'start', REQUEST);
      case 'stop':
      case 'kill':
        this.down.add(name);
        return void this.engine.request(id, word, REQUEST);
      case 'restart':
        return void this.engine.restartProcess(id, UNHEALTHY);
      case 'ready':
        return this.engine.reportReady(id, record.run);
      case 'healthy':
      case 'unhealthy':
        return this.engine.reportHealth(id, record.run, word);
      default:
        return this.#endProgram(name, word, record.pid ?? 0);
    }
  }

  #endProgram(name: string, word: string, pid: number): void {
    // A process of its group lives on.
    if (word === 'orphan') this.groups.add(pid);
    this.killed.delete(name);
    if (word === 'dies') return this.end(SIGKILL, name);
    this.end(word === 'exit 1' ? exitWith(1) : exitWith(0), name);
  }

  #noteSignals(): void {
    this.spawned = [];
    for (const call of this.calls.splice(0)) {
      const [signal = '', target = ''] = call.split(' ');
      if (signal === 'spawn') this.spawned.push(target);
      if (signal === 'SIG9' && target !== 'rest') this.killed.add(target.replace('-', ''));
    }
    this.logged = this.log.splice(0);
    if (this.logged.some((line) => line.includes('has passed: killing'))) this.isShutdownKilled = true;
  }

  /**
   * Returns the state as a text: equal texts have the same future. Times count from now, up to a minute. The causes,
   * of which only the kind decides anything, and the numbers of runs are left out.
   */
  fingerprint(): string {
    const now = this.clock.nowMs();
    const ago = (atMs: number | null): number | null => (atMs === null ? null : Math.min(now - atMs, 60_000));
    const rows = this.engine.processes().map(({ config, record }) => {
      const known = [...record.knownStartsMs].map(([id, atMs]) => [
        id,
        atMs === (this.engine.process(id)?.record.startedMs ?? 0),
      ]);
      return [
        record.state,
        record.run > 0,
        record.pid === null ? 0 : 1 + Number(this.killed.has(config.name)),
        record.failedStarts,
        Math.min(record.signalsSent, config.options.stopsignal.length + 2),
        record.restartsMs.map(ago),
        record.deadlineMs === null ? null : record.deadlineMs - now,
        record.pid === null && record.state !== 'STARTING' ? null : ago(record.startedMs),
        record.exit,
        record.failure?.kind,
        record.isReady,
        record.health,
        record.hold,
        record.isStartPending,
        record.hasStartFailed,
        record.stopCause?.kind,
        record.heldCause?.kind,
        known,
        this.down.has(config.name),
      ];
    });
    const { pending } = this.clock;
    return JSON.stringify([
      rows,
      pending,
      this.starts.length,
      this.jobs,
      this.groups.size,
      this.engine.phase,
      this.engine.isDelaying,
      this.begunBy,
      this.isShutdownKilled,
      this.terms,
      this.reloads,
      this.finished,
    ]);
  }
}
