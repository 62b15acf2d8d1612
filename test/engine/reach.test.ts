/** Starts whose files are on a file system that may hang. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST, SIGTERM } from '../causes.ts';
import { World } from './world.ts';

type Done = (reason: string | null) => void;

/** A world whose looks at files stay open until the test ends them, or until they are cancelled. */
function worldOfLooks(): { readonly world: World; readonly looks: Done[] } {
  const world = new World([{ name: 'web', startretries: 1, startsecs: 0 }]);
  const looks: Done[] = [];
  world.reach = (name, done) => {
    world.calls.push(`look ${name}`);
    looks.push(done);
    return () => done('cancelled');
  };
  world.engine.start();
  return { world, looks };
}

test('a program is spawned when its files can be reached', () => {
  const { world, looks } = worldOfLooks();
  assert.deepEqual([world.calls, world.state('web')], [['look web'], 'STARTING']);
  looks[0]?.(null);
  assert.deepEqual([world.calls, world.state('web')], [['look web', 'spawn web'], 'RUNNING']);
});

test('a program whose files cannot be reached is tried again, and given up with the reason', () => {
  const { world, looks } = worldOfLooks();
  looks[0]?.('/far does not answer');
  assert.equal(world.state('web'), 'BACKOFF');
  assert.ok(world.log.includes('spawnerr: /far does not answer'));
  world.clock.advance(1000);
  looks[1]?.('/far does not answer');
  assert.equal(world.state('web'), 'FATAL');
  assert.deepEqual(world.calls, ['look web', 'look web']);
});

test('a stop cancels the look, and a late answer starts nothing', () => {
  const { world, looks } = worldOfLooks();
  world.engine.request(world.id('web'), 'stop', REQUEST);
  assert.equal(world.state('web'), 'STOPPED');
  looks[0]?.(null);
  assert.deepEqual([world.calls, world.state('web')], [['look web'], 'STOPPED']);
});

test('a shutdown does not wait for the look', () => {
  const { world } = worldOfLooks();
  world.engine.shutDown('exit', SIGTERM);
  assert.equal(world.finished?.goal, 'exit');
});
