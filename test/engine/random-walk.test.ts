/**
 * With any events in any order, an engine shuts down on request and leaves nothing behind: seeded walks over programs
 * that depend on each other, have hooks, leave orphans, are restarted and updated.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitWith, type Program, World } from './world.ts';
import { REQUEST, UNHEALTHY } from '../causes.ts';

const WALKS = 400;
const STEPS = 60;

/** Generates numbers in [0, 1) from a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Creates programs of all kinds. Each may depend on earlier ones. */
function inventPrograms(random: () => number, count: number): Program[] {
  const maybe = <T>(share: number, value: T, otherwise: T): T => (random() < share ? value : otherwise);
  const conditions = ['started', 'ready', 'healthy', 'completed', 'exited', 'fatal', 'backoff', 'stopped'] as const;
  return Array.from({ length: count }, (_, index): Program => ({
    name: `p${index}`,
    priority: Math.floor(random() * 3),
    autostart: maybe(0.8, true, false),
    autorestart: maybe(0.5, 'true', maybe(0.5, 'unexpected', 'false')),
    startretries: Math.floor(random() * 3),
    startsecs: Math.floor(random() * 2),
    stopwaitsecs: 1 + Math.floor(random() * 3),
    oneshot: maybe(0.3, true, false),
    exit_on_failure: maybe(0.1, true, false),
    max_restarts: maybe<number | null>(0.2, 1, null),
    kill_orphans: maybe(0.3, 'always', maybe(0.5, 'stop', 'never')),
    ...maybe<Partial<Program>>(0.3, { notify: 'sd', ready_timeout: 1 + Math.floor(random() * 3) }, {}),
    pre_start_command: maybe<string | null>(0.3, 'x', null),
    stop_command: maybe<string | null>(0.3, 'x', null),
    post_stop_command: maybe<string | null>(0.3, 'x', null),
    ...(random() < 0.05 ? { spawnError: { reason: 'there is no such command', exitCode: 127 } } : {}),
    needs: Object.fromEntries(
      Array.from({ length: index }, (_other, before) => before)
        .filter(() => random() < 0.3)
        .map((before) => {
          const condition = conditions[Math.floor(random() * conditions.length)] ?? 'started';
          return [`p${before}`, random() < 0.5 ? condition : (`${condition}:restart` as const)];
        }),
    ),
  }));
}

class Walk {
  readonly random: () => number;
  readonly world: World;
  readonly names: readonly string[];

  constructor(seed: number) {
    this.random = randomFrom(seed);
    const programs = inventPrograms(this.random, 5);
    this.names = programs.map(({ name }) => name);
    this.world = new World(programs, {
      exitWhenIdle: this.random() < 0.2,
      shutdownTimeoutMs: this.random() < 0.3 ? 5000 : null,
    });
  }

  pick<T>(list: readonly T[]): T | undefined {
    return list[Math.floor(this.random() * list.length)];
  }

  step(): void {
    const { world } = this;
    const name = this.pick(this.names) ?? '';
    const id = `${name}:${name}`;
    const actions: Array<() => void> = [
      () => world.engine.request(id, 'start', REQUEST),
      () => world.engine.request(id, 'stop', REQUEST),
      () => world.engine.request(id, 'kill', REQUEST),
      () => world.engine.restartProcess(id, UNHEALTHY),
      () => world.clock.advance(Math.floor(this.random() * 2500)),
      () => world.engine.reportReady(id, world.view(name).record.run),
      () =>
        world.engine.reportHealth(
          id,
          world.view(name).record.run,
          this.pick(['starting', 'healthy', 'unhealthy'] as const) ?? 'starting',
        ),
      () => this.endSome(),
      () => this.endJob(),
      () => this.endOrphans(),
      () => this.reconfigure(name),
    ];
    this.pick(actions)?.();
  }

  /** Removes a group and adds it again, or updates it while it runs. */
  reconfigure(name: string): void {
    const { engine } = this.world;
    const [group] = this.world.groupsOf(
      inventPrograms(this.random, this.names.length).filter((program) => program.name === name),
    );
    if (group === undefined) return;
    if (this.random() < 0.5) engine.updateGroup(group);
    else if (engine.removeGroup(name) === 'removed') engine.addGroup(group, REQUEST);
  }

  /** Ends some running programs. One in three leaves a process in its group. */
  endSome(): void {
    const ending = this.world.alive.filter(() => this.random() < 0.5);
    for (const name of ending) {
      const { pid } = this.world.view(name).record;
      if (pid !== null && this.random() < 0.3) this.world.groups.add(pid);
      const failure = this.random() < 0.5 ? exitWith(1) : 9;
      this.world.end(this.random() < 0.5 ? exitWith(0) : failure, name);
    }
  }

  endJob(): void {
    const job = this.pick(this.world.jobs);
    if (job === undefined) return;
    const other = this.random() < 0.2 ? ({ kind: 'timeout', output: '' } as const) : 0;
    this.world.endJob(job, this.random() < 0.3 ? 1 : other);
  }

  endOrphans(): void {
    for (const pid of this.world.groups) if (this.random() < 0.5) this.world.groups.delete(pid);
    this.world.engine.reaped([]);
  }
}

/** Checks the invariants of every moment. */
function look({ world, names }: Walk): void {
  for (const name of names) {
    const { record } = world.view(name);
    if (record.hold !== null)
      assert.ok(['STOPPED', 'EXITED', 'FATAL'].includes(record.state), `${name} is held in ${record.state}`);
    if (record.state === 'RUNNING') assert.ok(world.alive.includes(name), `${name} is RUNNING and does not live`);
  }
  // One process for each program at a time, and none in a stopped state.
  assert.equal(new Set(world.alive).size, world.alive.length);
  for (const name of world.alive)
    assert.ok(['STARTING', 'RUNNING', 'STOPPING'].includes(world.state(name)), `${name} lives in ${world.state(name)}`);
}

test(`${WALKS} walks finish`, () => {
  for (let seed = 1; seed <= WALKS; seed++) {
    const walk = new Walk(seed);
    const { world } = walk;
    try {
      world.engine.start();
      for (let step = 0; step < STEPS && !world.hasEnded(); step++) {
        walk.step();
        look(walk);
      }
      world.engine.shutDown('exit', REQUEST);
      // Every process that gets a stop request ends sooner or later.
      for (let turn = 0; turn < 400 && !world.hasEnded(); turn++) {
        walk.endJob();
        walk.endSome();
        walk.endOrphans();
        world.clock.advance(500);
        look(walk);
      }
      assert.ok(
        world.hasEnded(),
        `it does not end: ${walk.names.map((name) => `${name} ${world.state(name)}`).join(', ')}; ` +
          world.jobs.join(', '),
      );
      assert.deepEqual([world.alive, world.jobs], [[], []]);
      world.assertQuiet();
      assert.ok(
        !world.log.some((line) => line.startsWith('cannot act on')),
        world.log.find((line) => line.startsWith('cannot act on')),
      );
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
});
