/**
 * The live events: for random output, actions, cuts and slow readers, each message is valid, positions do not go back,
 * and the client ends with every event, the last states, and the bytes that were written, each of them once.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { REQUEST } from '../causes.ts';
import { bySize } from '../slow.ts';
import type { FakeResponse } from '../unit/live/live-world.ts';
import { LiveWorld } from '../unit/live/live-world.ts';
import { LiveClient } from './live-client.ts';
import { Random, SEED } from './random.ts';

const FOR_MS = bySize({ brief: 700, long: 90_000 });
const NAMES = ['a', 'b', 'c'];
const PIECES = [
  'a line\n',
  'part',
  '\n',
  '\r\n',
  '\r',
  '\n\n',
  'é😀\n',
  '\u2028',
  '"\\',
  '\x1b[1m',
  '\0',
  'data: x\n\n',
  'id: 9-9\n',
  '\ufeff',
  `${'x'.repeat(300)}\n`,
].map((text) => Buffer.from(text));
const INVALID = [[0xff], [0xc3], [0xa9, 0x0a], [0xf0, 0x9f], [0xed, 0xb2, 0x80]].map((bytes) => Buffer.from(bytes));

/** One step of a scenario. `cut`: the share of the unread text that still arrives. */
type Step =
  | { readonly kind: 'print'; readonly output: number; readonly bytes: Buffer }
  | { readonly kind: 'start' | 'stop' | 'kill'; readonly name: string }
  | { readonly kind: 'add' | 'remove'; readonly name: string }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'slow'; readonly isSlow: boolean }
  | { readonly kind: 'cut'; readonly share: number; readonly awayMs: number };

interface Scenario {
  readonly query: string;
  readonly tailBytes: number;
  readonly queueBytes: number;
  readonly steps: readonly Step[];
}

function makeStep(random: Random, added: string[]): Step {
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
    case 3: {
      const pieces = Array.from({ length: random.below(5) }, () => random.pick(random.chance(0.1) ? INVALID : PIECES));
      return { kind: 'print', output: random.below(NAMES.length), bytes: Buffer.concat(pieces) };
    }
    case 4:
      return { kind: 'start', name: random.pick(NAMES) };
    case 5:
      return { kind: random.pick(['stop', 'kill']), name: random.pick(NAMES) };
    case 6: {
      const name = `new${added.length}`;
      if (added.length > 0 && random.chance(0.5)) return { kind: 'remove', name: random.pick(added) };
      added.push(name);
      return { kind: 'add', name };
    }
    case 7:
    case 8:
      return { kind: 'pass', ms: random.pick([10, 40, 60, 200]) };
    case 9:
      return { kind: 'slow', isSlow: random.chance(0.5) };
    default:
      return { kind: 'cut', share: random.pick([0, 1, random.next()]), awayMs: random.pick([0, 10, 100]) };
  }
}

function makeScenario(random: Random, isLossy: boolean): Scenario {
  const query = [
    random.chance(0.8) ? 'status=1' : 'status=0',
    ...(random.chance(0.8) ? ['logs=*'] : []),
    ...(random.chance(0.3) ? [`tail=${random.below(4)}`] : []),
    ...(random.chance(0.2) ? ['usage=1'] : []),
  ].join('&');
  const added: string[] = [];
  return {
    query,
    tailBytes: isLossy ? random.pick([50, 500]) : 1 << 16,
    queueBytes: isLossy ? random.pick([200, 2000]) : 1 << 20,
    steps: Array.from({ length: 5 + random.below(40) }, () => makeStep(random, added)),
  };
}

/** A scenario while it runs. */
class Run {
  readonly world: LiveWorld;
  readonly client = new LiveClient();
  readonly #scenario: Scenario;
  readonly #written = new Map(NAMES.map((name): [string, Array<{ seq: number; bytes: Buffer }>] => [name, []]));
  #response: FakeResponse | null = null;

  constructor(scenario: Scenario) {
    this.#scenario = scenario;
    this.world = new LiveWorld(
      NAMES.map((name, index) => ({ name, options: { autostart: index === 0, startsecs: 1 }, exitAfterMs: 900 })),
      scenario.tailBytes,
    );
    this.world.limits = { queueBytes: scenario.queueBytes, stallMs: 1e9 };
  }

  async run(): Promise<void> {
    await this.#connect();
    for (const step of this.#scenario.steps) await this.#do(step);
    // Everything that happened reaches a client that reads. No process changes at the very end.
    for (const { id } of this.world.api.processes()) this.world.api.stop(id, REQUEST);
    this.#setSlow(false);
    await this.world.pass(200);
    this.#read(1);
    this.#check();
    this.#response?.destroy();
  }

  async #connect(): Promise<void> {
    this.client.connect(this.world.api.latestSeq);
    this.#response = this.world.open(this.#scenario.query, this.client.lastId).response;
    await this.world.turns(4);
  }

  /** Lets the client read a share of what was written. */
  #read(share: number): void {
    const response = this.#response as FakeResponse;
    const whole = response.text;
    const text = whole.slice(0, Math.floor(whole.length * share));
    if (share < 1) this.client.take(text);
    else {
      const end = whole.lastIndexOf('\n\n');
      response.text = end === -1 ? whole : whole.slice(end + 2);
      this.client.take(end === -1 ? '' : whole.slice(0, end + 2));
    }
  }

  #setSlow(isSlow: boolean): void {
    const response = this.#response as FakeResponse;
    response.isSlow = isSlow;
    if (!isSlow) response.emit('drain');
  }

  async #do(step: Step): Promise<void> {
    const { api } = this.world;
    switch (step.kind) {
      case 'print':
        if (step.bytes.length > 0)
          this.#written
            .get(NAMES[step.output] ?? '')
            ?.push({ seq: this.world.print(step.output, step.bytes), bytes: step.bytes });
        break;
      case 'start':
      case 'stop':
      case 'kill':
        api[step.kind](`${step.name}:${step.name}`, REQUEST);
        break;
      case 'add':
        api.configure([{ name: step.name }]);
        api.addGroup(step.name, REQUEST);
        break;
      case 'remove':
        if (api.hasGroup(step.name)) api.removeGroup(step.name);
        break;
      case 'pass':
        await this.world.pass(step.ms);
        this.#read(1);
        break;
      case 'slow':
        this.#setSlow(step.isSlow);
        break;
      case 'cut':
        this.#read(step.share);
        this.#response?.destroy();
        await this.world.pass(step.awayMs);
        await this.#connect();
        break;
    }
  }

  #check(): void {
    const { client, world } = this;
    const { query, tailBytes } = this.#scenario;
    const isLossless = tailBytes > 1000;
    if (isLossless) assert.deepEqual([client.resets, client.dropped, client.missed.size], [0, 0, 0]);
    if (query.includes('logs=')) client.check(this.#written);
    if (!query.includes('status=1')) return;
    const states = world.api.processes().map(({ id, record }) => [id.split(':')[1] ?? '', record.state]);
    assert.deepEqual(Object.fromEntries(client.states), Object.fromEntries(states));
    const { events } = world.api.history.eventsAfter(client.firstEvents, Infinity);
    assert.deepEqual(
      client.events,
      events.map(({ seq }) => seq),
    );
  }
}

async function faultOf(scenario: Scenario): Promise<unknown> {
  try {
    await new Run(scenario).run();
    return null;
  } catch (error) {
    return error;
  }
}

/** Removes steps for as long as the scenario fails. */
async function shrinkSteps(scenario: Scenario): Promise<Scenario> {
  let { steps } = scenario;
  for (let size = Math.ceil(steps.length / 2); size >= 1; size = Math.floor(size / 2))
    for (let at = 0; at < steps.length;) {
      const shorter = steps.toSpliced(at, size);
      if ((await faultOf({ ...scenario, steps: shorter })) === null) at += size;
      else steps = shorter;
    }
  return { ...scenario, steps };
}

describe('a client of the live events misses nothing, gets nothing twice, and can read everything', () => {
  for (const isLossy of [false, true])
    test(isLossy ? 'with small memories and queues' : 'with large memories and queues', async (context) => {
      const random = new Random(SEED);
      const endMs = performance.now() + FOR_MS;
      let cases = 0;
      let messages = 0;
      for (; performance.now() < endMs; cases += 1) {
        const scenario = makeScenario(random, isLossy);
        const run = new Run(scenario);
        const fault: unknown = await run.run().then(
          () => null,
          (error: unknown) => error,
        );
        messages += run.client.messages;
        if (fault === null) continue;
        const smallest = await shrinkSteps(scenario);
        const shown = smallest.steps.map((step) =>
          'bytes' in step ? { ...step, bytes: step.bytes.toString('latin1') } : step,
        );
        throw new Error(`TEST_SEED=${SEED}, case ${cases}: ${JSON.stringify({ ...smallest, steps: shown })}`, {
          cause: (await faultOf(smallest)) ?? fault,
        });
      }
      context.diagnostic(`${cases} scenarios, ${messages} messages`);
    });
});
