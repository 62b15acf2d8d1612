/** The update of an active group, on the real engine, with other changes at the same time. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { namespecOf } from '../../../src/engine/process-table.ts';
import { planUpdate, updateGroup, type UpdatePlan } from '../../../src/supervisor/group-update.ts';
import { type Program, World } from '../../engine/world.ts';
import { REQUEST } from '../../causes.ts';

const NO_SOCKETS = { complete: () => undefined, end: () => undefined, undo: () => undefined };

/**
 * Creates a world with one group. Records the steps of an update in order: orders to the kernel, and `open web`, `close
 * web`.
 */
function begin(
  programs: readonly Program[],
  others: readonly Program[] = [],
): {
  world: World;
  plan: (to: readonly Program[]) => UpdatePlan;
  update: (to: readonly Program[]) => Promise<string[]>;
} {
  const world = new World([...programs.map((program) => ({ ...program, group: 'g' })), ...others]);
  const streams = {
    open: (proc: { group: string; name: string }) => world.calls.push(`open ${proc.name}`),
    close: (id: string) => world.calls.push(`close ${id}`),
    configure: () => undefined,
  };
  const groupOf = (members: readonly Program[]) =>
    world.groupsOf(members.map((program) => ({ ...program, group: 'g' })))[0];
  const before = groupOf(programs);
  const plan = (to: readonly Program[]): UpdatePlan => {
    const made = planUpdate(world.engine, before, groupOf(to));
    assert.ok(made !== null);
    return made;
  };
  const update = (to: readonly Program[]): Promise<string[]> =>
    updateGroup({ engine: world.engine, streams, pending: NO_SOCKETS }, plan(to), REQUEST);
  return { world, plan, update };
}

test('a held start continues with the streams of the new configuration', async () => {
  const { world, update } = begin(
    [{ name: 'web', needs: { db: 'started' }, startsecs: 1 }],
    [{ name: 'db', autostart: false }],
  );
  world.engine.start();
  assert.equal(world.view('web').record.hold?.kind, 'stuck');
  await update([{ name: 'web', notify: 'sd' }]);
  assert.deepEqual(world.calls, ['close g:web', 'open web', 'spawn web']);
});

test('a process that is started while others are being stopped is stopped again, and not lost', async () => {
  const { world, update } = begin([{ name: 'web' }, { name: 'job' }, { name: 'slow' }]);
  world.engine.start();
  world.clock.advance(1000);
  const done = update([{ name: 'web' }]);
  world.end(15, 'job');
  world.engine.request('g:job', 'start', REQUEST);
  world.end(15, 'slow');
  assert.equal(world.state('job'), 'STOPPING');
  world.end(15, 'job');
  assert.deepEqual([await done, world.engine.processes().map(namespecOfView)], [['job', 'slow'], ['g:web']]);
});

test('an idle process that is started while others are being stopped is not removed while it runs', async () => {
  const idle = { autostart: false, startsecs: 0 };
  const { world, update } = begin([
    { name: 'web' },
    { name: 'gone', ...idle },
    { name: 'anew', ...idle },
    { name: 'slow' },
  ]);
  world.engine.start();
  world.clock.advance(1000);
  const done = update([{ name: 'web' }, { name: 'anew', ...idle, notify: 'sd' }]);
  world.engine.request('g:gone', 'start', REQUEST);
  world.engine.request('g:anew', 'start', REQUEST);
  assert.deepEqual(
    ['gone', 'anew'].map((name) => world.state(name)),
    ['STOPPING', 'STOPPING'],
  );
  world.end(15, 'slow', 'gone');
  assert.ok(world.engine.process('g:gone') !== null, 'the other one has not stopped');
  world.calls.length = 0;
  world.end(15, 'anew');
  assert.deepEqual(
    [await done, world.engine.processes().map(namespecOfView)],
    [
      ['slow', 'gone', 'anew'],
      ['g:web', 'g:anew'],
    ],
  );
  // Its client wants it to run, with the new configuration.
  assert.deepEqual(world.calls, ['close g:gone', 'close g:slow', 'close g:anew', 'open anew', 'spawn anew']);
});

test('a start in the same turn as the last stop is noticed', async () => {
  const { world, update } = begin([{ name: 'web' }, { name: 'gone', autostart: false }, { name: 'slow' }]);
  world.engine.start();
  world.clock.advance(1000);
  const done = update([{ name: 'web' }]);
  world.end(15, 'slow');
  world.engine.request('g:gone', 'start', REQUEST);
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  assert.equal(world.state('gone'), 'STOPPING');
  world.end(15, 'gone');
  assert.deepEqual(await done, ['slow', 'gone']);
});

test('a shutdown during the update opens no streams', async () => {
  const { world, update } = begin([{ name: 'web' }]);
  world.engine.start();
  world.clock.advance(1000);
  const done = update([{ name: 'web', notify: 'sd' }]);
  world.engine.shutDown('restart', REQUEST);
  world.end(15, 'web');
  await done;
  assert.deepEqual([world.hasEnded(), world.calls], [true, ['spawn web', 'SIG15 web']]);
});

test('a plan matches the update: stopped processes are neither stopped nor started', async () => {
  const { world, plan, update } = begin([
    { name: 'gone' },
    { name: 'idle-gone', autostart: false },
    { name: 'anew' },
    { name: 'idle-anew', autostart: false },
    { name: 'live' },
    { name: 'same' },
  ]);
  world.engine.start();
  world.clock.advance(1000);
  const states = world.states.length;
  const to: Program[] = [
    { name: 'anew', notify: 'sd' },
    { name: 'idle-anew', autostart: false, notify: 'sd' },
    { name: 'live', stopwaitsecs: 3 },
    { name: 'same' },
    { name: 'new' },
    { name: 'idle-new', autostart: false },
  ];
  const { stopped, restarted, started, changed } = plan(to);
  const names = (list: UpdatePlan['stopped']): string[] => list.map(({ name }) => name);
  assert.deepEqual([stopped, restarted, started, changed].map(names), [
    ['gone'],
    ['anew'],
    ['new'],
    ['idle-anew', 'live'],
  ]);
  assert.equal(world.states.length, states, 'a plan changes nothing');

  world.calls.length = 0;
  const done = update(to);
  world.end(15, 'gone', 'anew');
  assert.deepEqual(await done, ['gone', 'anew']);
  assert.deepEqual(
    world.calls.filter((call) => !/^(open|close) /.test(call)),
    ['SIG15 gone', 'SIG15 anew', 'spawn anew', 'spawn new'],
  );
});

test('a process that waits for its restart is restarted, one that has failed for good is not', () => {
  const { world, plan } = begin([
    { name: 'waits', autorestart: 'true', restartpause: 60, startsecs: 0 },
    { name: 'failed', autorestart: 'false', startsecs: 0 },
  ]);
  world.engine.start();
  world.end(0, 'waits', 'failed');
  assert.deepEqual([world.state('waits'), world.state('failed')], ['EXITED', 'EXITED']);
  const { restarted, changed } = plan([
    { name: 'waits', autorestart: 'true', restartpause: 60, startsecs: 0, notify: 'sd' },
    { name: 'failed', autorestart: 'false', startsecs: 0, notify: 'sd' },
  ]);
  assert.deepEqual([restarted.map(({ name }) => name), changed.map(({ name }) => name)], [['waits'], ['failed']]);
});

test('a process that is FATAL is started when it is executed differently, and otherwise stays so', async () => {
  const failing = { startsecs: 1, startretries: 0 };
  const members: Program[] = ['mended', 'same', 'live', 'manual'].map((name) => ({ ...failing, name }));
  const { world, plan, update } = begin(members);
  world.engine.start();
  for (const { name } of members) world.end(3, name);
  assert.deepEqual(new Set(members.map(({ name }) => world.state(name))), new Set(['FATAL']));
  world.calls.length = 0;
  const to: Program[] = [
    { ...failing, name: 'mended', notify: 'sd' },
    { ...failing, name: 'same' },
    { ...failing, name: 'live', stopwaitsecs: 3 },
    { ...failing, name: 'manual', notify: 'sd', autostart: false },
  ];
  const { started, changed } = plan(to);
  assert.deepEqual(
    [started, changed].map((list) => list.map(({ name }) => name)),
    [['mended'], ['live', 'manual']],
  );
  assert.deepEqual(await update(to), []);
  assert.deepEqual(
    world.calls.filter((call) => !/^(open|close) /.test(call)),
    ['spawn mended'],
  );
});

test('there is no plan for listeners, FastCGI programs and groups that are new or removed', () => {
  const world = new World([{ name: 'web' }]);
  const [group] = world.groupsOf([{ name: 'web' }]);
  assert.ok(group !== undefined);
  for (const type of ['eventlistener', 'fcgi-program'] as const) {
    assert.equal(planUpdate(world.engine, { ...group, type }, group), null);
    assert.equal(planUpdate(world.engine, group, { ...group, type }), null);
  }
  assert.equal(planUpdate(world.engine, undefined, group), null);
  assert.equal(planUpdate(world.engine, group, undefined), null);
});

function namespecOfView({ config }: { readonly config: { readonly group: string; readonly name: string } }): string {
  return namespecOf(config);
}
