/**
 * Visits every state that a model can reach with a number of inputs, breadth first, so that the path to a fault is a
 * shortest one. An engine cannot be copied: each state is reached by repeating its path on a new engine. Of states with
 * the same fingerprint only the first is followed.
 */
import type { Engine } from '../../src/engine/engine.ts';
import { Broken, Watch } from './properties.ts';
import { type Model, ModelWorld } from './world.ts';

/** Result of a search. */
export interface Found {
  readonly states: number;
  /** Inputs that were tried, in all states together. */
  readonly steps: number;
  readonly depth: number;
  /** True if the longest paths had led to no new state: there are no others. */
  readonly isComplete: boolean;
  /** The broken promise, and the shortest path to it; null if all hold. */
  readonly fault: { readonly broken: Broken; readonly path: readonly string[] } | null;
}

/** Limits of a search. */
export interface Limits {
  readonly depth: number;
  /** The class of the engine: a changed one, to see the search find the change. */
  readonly EngineClass?: typeof Engine;
}

/** A state, by the way to it. */
interface Node {
  readonly before: Node | null;
  readonly input: string;
  readonly inputs: readonly string[];
}

function pathOf(node: Node | null): string[] {
  const path: string[] = [];
  for (let at = node; at !== null && at.before !== null; at = at.before) path.unshift(at.input);
  return path;
}

/** Visits all states. Ends at the first broken promise. */
export function search(model: Model, { depth, EngineClass }: Limits): Found {
  const visitor = new Visitor(model, EngineClass);
  const found = (at: number, isComplete: boolean, fault: Found['fault']): Found => {
    return { states: visitor.states, steps: visitor.steps, depth: at, isComplete, fault };
  };
  try {
    let layer = [visitor.visit(null, '')].filter((node) => node !== null);
    for (let at = 1; at <= depth; at += 1) {
      const next: Node[] = [];
      for (const node of layer)
        for (const input of node.inputs) {
          const reached = visitor.visit(node, input);
          if (reached !== null) next.push(reached);
        }
      layer = next;
      if (layer.length === 0) return found(at, true, null);
    }
    return found(depth, false, null);
  } catch (error) {
    const broken = error instanceof Broken ? error : new Broken('TERM leads to the end', String(error));
    return found(visitor.path.length, false, { broken, path: visitor.path });
  }
}

/**
 * Behaviour of programs in a shutdown. `stubborn`: they end by SIGKILL only. `undying`: SIGKILL does not end them, as
 * with a hung file system; the engine gives them up if a limit is set.
 */
export type Temper = 'stubborn' | 'undying';

/** Alarms of three programs with all their signals, hooks and remaining processes. */
const MOST_TURNS = 80;
/** The longest shutdown of a model: three ranks of stubborn programs, one after the other, each with its cleanup. */
const LONGEST_MS = 60_000;

/** The states that were visited, and the ways from them to the end. */
class Visitor {
  readonly #model: Model;
  readonly #EngineClass: typeof Engine | undefined;
  readonly #seen = new Set<string>();
  readonly #tempers: readonly Temper[];
  /** States that lead to the end, with the milliseconds until then. */
  readonly #endings: Readonly<Record<Temper, Map<string, number>>> = { stubborn: new Map(), undying: new Map() };
  steps = 0;
  /** Inputs of the latest way. */
  path: string[] = [];

  constructor(model: Model, EngineClass: typeof Engine | undefined) {
    this.#model = model;
    this.#EngineClass = EngineClass;
    const { shutdownTimeoutMs = null, stopBudgetMs = null } = model.options ?? {};
    this.#tempers = shutdownTimeoutMs === null && stopBudgetMs === null ? ['stubborn'] : ['stubborn', 'undying'];
  }

  get states(): number {
    return this.#seen.size;
  }

  /** Tries one input, and returns the new state; null if the state is known. */
  visit(before: Node | null, input: string): Node | null {
    this.path = before === null ? [] : [...pathOf(before), input];
    const way = [...this.path];
    const { world, watch } = this.#repeat(way);
    this.steps += 1;
    watch.judge();
    const print = world.fingerprint();
    if (this.#seen.has(print)) return null;
    this.#seen.add(print);
    const inputs = world.inputs();
    this.#driveToEnd(world, watch, 'stubborn');
    for (const temper of this.#tempers.slice(1)) {
      const again = this.#repeat(way);
      this.#driveToEnd(again.world, again.watch, temper);
    }
    return { before, input, inputs };
  }

  #repeat(way: readonly string[]): { world: ModelWorld; watch: Watch } {
    const world = new ModelWorld(this.#model, this.#EngineClass);
    const watch = new Watch(world);
    world.engine.start();
    for (const input of way) world.apply(input);
    return { world, watch };
  }

  /** Requests the end, and lets time pass until it is reached, or a state that is known to lead there. */
  #driveToEnd(world: ModelWorld, watch: Watch, temper: Temper): void {
    // A restart waits for every process, so that no program runs twice.
    if (world.hasEnded() || (temper === 'undying' && world.reloads > 0)) return;
    const known = this.#endings[temper];
    const way: Array<{ readonly print: string; readonly atMs: number }> = [];
    this.path.push('… then:');
    if (world.terms === 0) {
      this.#drive(world, 'TERM');
      watch.judge();
    }
    for (let turn = 0; turn < MOST_TURNS && !world.hasEnded(); turn += 1) {
      const print = world.fingerprint();
      if (known.has(print)) break;
      way.push({ print, atMs: world.clock.nowMs() });
      const input = nextInput(world, temper);
      if (input === null) break;
      this.#drive(world, input);
      if (!world.hasEnded() || temper === 'stubborn') watch.judge();
    }
    const restMs = world.hasEnded() ? 0 : known.get(world.fingerprint());
    const rows = world.engine.processes().map(({ config, record }) => `${config.name} ${record.state}`);
    if (restMs === undefined) throw new Broken('TERM leads to the end', `${temper}: ${rows.join(', ')}`);
    if (temper === 'stubborn' && world.hasEnded() && world.alive.length > 0)
      throw new Broken('TERM leads to the end', `${world.alive.join(', ')} live after it`);
    const endMs = world.clock.nowMs() + restMs;
    for (const { print, atMs } of way) known.set(print, endMs - atMs);
    const tookMs = endMs - (way[0]?.atMs ?? endMs);
    if (tookMs > LONGEST_MS) throw new Broken('TERM leads to the end', `it took ${tookMs} ms`);
  }

  #drive(world: ModelWorld, input: string): void {
    this.path.push(input);
    world.apply(input);
  }
}

/** Returns what happens next in a shutdown; null if nothing can. */
export function nextInput(world: ModelWorld, temper: Temper): string | null {
  const [killed] = world.killed;
  if (world.starts.length > 0) return 'spawn';
  if (killed !== undefined && temper === 'stubborn') return `dies ${killed}`;
  if (world.jobs.length > 0) return `job fails ${world.jobs[0] ?? ''}`;
  return world.clock.pending.length > 0 ? 'alarm' : null;
}
