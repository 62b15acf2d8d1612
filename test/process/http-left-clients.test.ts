/** Clients that leave while they wait for metrics: they cost nothing, and are no errors of ours. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWorld, type ServerWorld } from '../unit/http/server-world.ts';

const PROGRAMS = [{ name: 'web', options: {} }];
const ask = (path: string): string => `GET ${path} HTTP/1.1\r\nConnection: close\r\n\r\n`;

/** Lets the measurements of metrics wait. Returns the number of those that have begun, and the end of the wait. */
function holdMeasures(world: ServerWorld): { readonly begun: () => number; readonly release: () => void } {
  const held = Promise.withResolvers<null>();
  let begun = 0;
  const read = (): Promise<null> => {
    begun += 1;
    return held.promise;
  };
  Object.assign(world.api.measures, { readTrees: read, readTreesOf: read });
  return { begun: () => begun, release: () => held.resolve(null) };
}

const until = async (isReached: () => boolean): Promise<void> => {
  while (!isReached()) await new Promise((resolve) => setTimeout(resolve, 2));
};

for (const path of ['/metrics', '/metrics?program=web'])
  test(`clients that leave while they wait for ${path}`, () =>
    inWorld({ programs: PROGRAMS }, async (world) => {
      await world.open();
      const { begun, release } = holdMeasures(world);
      const first = world.connect().send(ask(path));
      await until(() => begun() === 1);
      const leaving = Array.from({ length: 20 }, () => world.connect().send(ask(path)));
      const last = world.connect().send(ask(path));
      // Requests are read in the order of the connections.
      await world.connect().send(ask('/healthz')).until(/ok\n$/);
      for (const client of leaving) client.close();
      await world.connect().send(ask('/healthz')).until(/ok\n$/);
      release();
      await Promise.all([first, last].map((client) => client.until(/onevisor_build_info[{]/)));
      assert.equal(begun(), 2, 'the first and the last');
      assert.deepEqual(world.api.reports, []);
    }));

for (const path of ['/metrics', '/metrics?program=web'])
  test(`clients that wait for ${path} while the server closes get an answer`, () =>
    inWorld({ programs: PROGRAMS, limits: { closeMs: 5000 } }, async (world) => {
      const server = await world.open();
      const { begun, release } = holdMeasures(world);
      const first = world.connect().send(ask(path));
      await until(() => begun() === 1);
      const waiting = world.connect().send(ask(path));
      await world.connect().send(ask('/healthz')).until(/ok\n$/);
      const closed = server.close();
      assert.match(await waiting.end(), /^HTTP\/1.1 503 /);
      release();
      await Promise.all([first.end(), closed]);
      assert.deepEqual(world.api.reports, []);
    }));
