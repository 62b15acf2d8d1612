/** The streams: added processes and positions. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST } from '../../causes.ts';
import { LiveWorld } from './live-world.ts';

test('tells an added process before the position behind it, also before the next tick', async () => {
  const world = new LiveWorld([{ name: 'db' }]);
  const { response } = world.open('status=1');
  await world.turns();
  const before = response.take().at(-1)?.id ?? null;
  world.api.configure([{ name: 'new' }]);
  world.api.addGroup('new', REQUEST);
  response.emit('drain');
  const messages = response.take();
  response.destroy();
  await world.pass(100);
  // The connection was cut there.
  const again = world.open('status=1', messages.at(-1)?.id ?? before).response;
  await world.turns();
  const names = [...messages, ...again.take()].flatMap(({ data }) =>
    (data.processes as Array<{ name: string }>).map(({ name }) => name),
  );
  assert.ok(names.includes('new'), names.join());
});
