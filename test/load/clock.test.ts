/**
 * A jump of the clock, as after a sleep of the machine or a pause of its virtual machine. No test may change the clock
 * of the machine, and a time namespace has no clock of days that could jump. So the engine gets its time from a test.
 * The engine never looks at the clock of days.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exitWith, type Program, World } from '../engine/world.ts';
import { bySize } from '../slow.ts';

const LOOPS = bySize({ brief: 200, long: 1000 });
const HOUR_MS = 3_600_000;

const programs = Array.from({ length: LOOPS }, (_, index): Program => ({
  name: `p${index}`,
  autorestart: 'true',
  startsecs: index % 2,
  startretries: 1_000_000,
  stopwaitsecs: 5,
}));

/** Runs the starts that wait for a turn of the loop. */
function takeTurns(world: World): void {
  for (let turns = world.turns.splice(0); turns.length > 0; turns = world.turns.splice(0))
    for (const turn of turns) turn();
}

const countSpawns = (world: World): number => world.calls.filter((text) => text.startsWith('spawn ')).length;

test(`after a jump of an hour, each of ${LOOPS} crashing programs is started once, and TERM leads to the end`, () => {
  const world = new World(programs);
  world.engine.start();
  takeTurns(world);
  assert.equal(countSpawns(world), LOOPS);
  world.end(exitWith(1), ...world.alive);
  takeTurns(world);
  const before = countSpawns(world);
  // All restarts are due at once, an hour late.
  world.clock.pass(HOUR_MS);
  world.clock.advance(0);
  takeTurns(world);
  assert.equal(countSpawns(world) - before, LOOPS, 'no restart is made up for');
  world.clock.pass(HOUR_MS);
  world.clock.advance(0);
  assert.equal(countSpawns(world) - before, LOOPS, 'a jump starts nothing that runs');
  world.engine.shutDown('exit', { kind: 'signal', signal: 15, sender: 0 });
  // The time of the stop passes during a jump: KILL follows, once.
  world.clock.pass(HOUR_MS);
  world.clock.advance(0);
  const kills = world.calls.filter((text) => text.startsWith('SIG9 ')).length;
  assert.equal(kills, LOOPS);
  world.end(9, ...world.alive);
  assert.ok(world.hasEnded());
  world.assertQuiet();
});
