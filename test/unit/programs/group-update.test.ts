/** An update of a group at work, on the real engine: what happens to it while something else goes on. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespecOf } from '../../../src/engine/registry.ts';
import { updateGroup } from '../../../src/programs/group-update.ts';
import { type Program, World } from '../../engine/world.ts';

/** A world with one group, and what an update of it does in its order: orders to the kernel, and `open web`, `close web`. */
function begin(programs: readonly Program[], others: readonly Program[] = []): { world: World; update: (to: readonly Program[]) => Promise<string[]> } {
  const world = new World([...programs.map((program) => ({ ...program, group: 'g' })), ...others]);
  const streams = {
    open: (process: { group: string; name: string }) => world.calls.push(`open ${process.name}`),
    close: (id: string) => world.calls.push(`close ${id}`),
    configure: () => undefined,
  };
  const groupOf = (members: readonly Program[]) => world.groupsOf(members.map((program) => ({ ...program, group: 'g' })))[0];
  const before = groupOf(programs);
  const update = (to: readonly Program[]): Promise<string[]> => {
    const after = groupOf(to);
    assert.ok(before !== undefined && after !== undefined);
    return updateGroup({ engine: world.engine, streams }, before, after);
  };
  return { world, update };
}

test('a start that was held goes on with the streams of the new configuration', async () => {
  const { world, update } = begin([{ name: 'web', needs: { db: 'started' }, startsecs: 1 }], [{ name: 'db', autostart: false }]);
  world.engine.start();
  assert.equal(world.view('web').record.hold?.kind, 'stuck');
  await update([{ name: 'web', notify: 'sd' }]);
  assert.deepEqual(world.calls, ['close g:web', 'open web', 'spawn web']);
});

test('what is started while others of the group are being stopped is stopped once more, and not lost', async () => {
  const { world, update } = begin([{ name: 'web' }, { name: 'job' }, { name: 'slow' }]);
  world.engine.start();
  world.clock.advance(1000);
  const done = update([{ name: 'web' }]);
  world.end(15, 'job');
  world.engine.request('g:job', 'start');
  world.end(15, 'slow');
  assert.equal(world.state('job'), 'STOPPING');
  world.end(15, 'job');
  assert.deepEqual([await done, world.engine.processes().map(namespecOfView)], [['job', 'slow'], ['g:web']]);
});

test('an end of everything meanwhile opens nothing', async () => {
  const { world, update } = begin([{ name: 'web' }]);
  world.engine.start();
  world.clock.advance(1000);
  const done = update([{ name: 'web', notify: 'sd' }]);
  world.engine.end('restart', { kind: 'request' });
  world.end(15, 'web');
  await done;
  assert.deepEqual([world.hasEnded(), world.calls], [true, ['spawn web', 'SIG15 web']]);
});

function namespecOfView({ config }: { readonly config: { readonly group: string; readonly name: string } }): string {
  return namespecOf(config);
}
