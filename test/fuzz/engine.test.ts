/**
 * Random walks of the whole engine: programs and options of all kinds, any input in any state. The promises of
 * src/MODEL.md hold at each step, and TERM leads to the end. The model (test/model) tries all inputs, but only on small
 * configurations.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Watch } from '../model/properties.ts';
import { nextInput } from '../model/search.ts';
import { type Ability, type Model, ModelWorld } from '../model/world.ts';
import type { Program } from '../engine/world.ts';
import { bySize } from '../slow.ts';
import { shrink } from './guided.ts';
import { Random, SEED } from './random.ts';

const FOR_MS = bySize({ brief: 4000, long: 240_000 });
const MOST_STEPS = 80;
/** Inputs until the end: each program has a few signals, hooks and alarms. */
const MOST_ENDING_STEPS = 2000;

const CONDITIONS = ['started', 'ready', 'healthy', 'completed', 'exited', 'fatal', 'backoff', 'stopped'] as const;
const ABILITIES: readonly Ability[] = [
  'start',
  'stop',
  'kill',
  'restart',
  'exit 0',
  'exit 1',
  'ready',
  'healthy',
  'unhealthy',
  'spawn fails',
  'late alarm',
  'orphan',
  'job fails',
];

function makeProgram(random: Random, index: number): Program {
  const some = <T>(share: number, value: T): T | null => (random.chance(share) ? value : null);
  const needs = Array.from({ length: index }, (_, before) => before)
    .filter(() => random.chance(0.3))
    .map((before) => [`p${before}`, `${random.pick(CONDITIONS)}${random.chance(0.4) ? ':restart' : ''}`] as const);
  return {
    name: `p${index}`,
    priority: random.below(3),
    autostart: random.chance(0.8),
    autorestart: random.pick(['true', 'unexpected', 'false']),
    startretries: random.below(3),
    startsecs: random.below(3),
    stopwaitsecs: 1 + random.below(3),
    stopsignal: random.pick([[15], [2, 15], [9]]),
    oneshot: random.chance(0.3),
    exit_on_failure: random.chance(0.1),
    exit_on_end: random.chance(0.05),
    max_restarts: some(0.2, 1),
    restartpause: random.below(2),
    kill_orphans: random.pick(['always', 'stop', 'never']),
    ...(random.chance(0.3) ? { notify: 'sd' as const, ready_timeout: some(0.7, 1 + random.below(3)) } : {}),
    pre_start_command: some(0.2, 'x'),
    stop_command: some(0.2, 'x'),
    post_stop_command: some(0.2, 'x'),
    needs: Object.fromEntries(needs),
  };
}

function makeModel(random: Random): Model {
  const main = random.chance(0.2) ? 'p0:p0' : null;
  return {
    name: 'random',
    programs: Array.from({ length: 2 + random.below(6) }, (_, index) => makeProgram(random, index)),
    abilities: random.chance(0.2) ? [...ABILITIES, 'reload'] : ABILITIES,
    options: {
      exitWhenIdle: random.chance(0.2),
      mainProgram: main,
      shutdownTimeoutMs: random.chance(0.3) ? 4000 : null,
      // A main program that has got the signal itself gets SIGKILL only at a limit.
      stopBudgetMs: main !== null || random.chance(0.3) ? 6000 : null,
    },
    delayMs: random.chance(0.2) ? 2000 : 0,
    isForwarded: main !== null,
    depth: { brief: 0, long: 0 },
  };
}

/** Walks with the choices of `steps`, one character each, and ends. Throws at the first broken promise. */
function walk(model: Model, steps: string, path: string[]): void {
  const world = new ModelWorld(model);
  const watch = new Watch(world);
  world.engine.start();
  watch.judge();
  const take = (input: string): void => {
    path.push(input);
    world.apply(input);
    watch.judge();
  };
  for (const step of steps) {
    const inputs = world.inputs();
    const input = inputs[step.charCodeAt(0) % Math.max(inputs.length, 1)];
    if (input === undefined) break;
    take(input);
  }
  if (world.terms === 0 && !world.hasEnded()) take('TERM');
  for (let turn = 0; !world.hasEnded(); turn += 1) {
    const input = nextInput(world, 'stubborn');
    const states = world.engine.processes().map(({ config, record }) => `${config.name} ${record.state}`);
    assert.ok(input !== null && turn < MOST_ENDING_STEPS, `it does not end: ${states.join(', ')}`);
    take(input);
  }
}

test('random walks keep the promises of the engine', (context) => {
  const random = new Random(SEED);
  const endMs = performance.now() + FOR_MS;
  let cases = 0;
  let inputs = 0;
  for (; performance.now() < endMs; cases += 1) {
    const model = makeModel(random);
    const steps = Array.from({ length: random.below(MOST_STEPS) }, () => String.fromCharCode(random.below(5040))).join(
      '',
    );
    const path: string[] = [];
    try {
      walk(model, steps, path);
    } catch (error) {
      explain(model, steps, error);
    }
    inputs += path.length;
  }
  context.diagnostic(`${cases} walks, ${inputs} inputs`);
});

/** Fails with the shortest walk of this configuration that shows the fault. */
function explain(model: Model, steps: string, error: unknown): never {
  const faultOf = (choices: string): { text: string; path: string[] } | null => {
    const path: string[] = [];
    try {
      walk(model, choices, path);
      return null;
    } catch (fault) {
      return { text: String(fault), path };
    }
  };
  const kindOf = (text: string): string => text.split(':').slice(0, 2).join(':');
  const shortest = shrink(steps, (shorter) => kindOf(faultOf(shorter)?.text ?? '') === kindOf(String(error)));
  const fault = faultOf(shortest);
  const text = `${fault?.text}\nafter ${fault?.path.join(' · ')}\nwith ${JSON.stringify(model)}`;
  throw new Error(`TEST_SEED=${SEED}: ${text}`, { cause: error });
}
