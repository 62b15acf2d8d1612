/** The streams: snapshot, deltas, resume, slow clients, pings and usage, with a fake clock. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST } from '../../causes.ts';
import { Tail } from '../../../src/logs/tail.ts';
import { eventsOf, LiveWorld, textsOf } from './live-world.ts';

const WEB = { name: 'web', options: { autostart: true, startsecs: 1 } };
const DB = { name: 'db', options: { autostart: true } };

/** Returns the number of the latest event that a position has. */
function seqOf(id: string | null | undefined): number {
  return Number(/\d+$/.exec(id ?? '')?.[0]);
}

test('begins with a snapshot, and collects the changes of 50 ms in one delta', async () => {
  const world = new LiveWorld([WEB, DB]);
  const { response } = world.open('status=1');
  await world.turns();
  const [snapshot, ...rest] = response.take();
  assert.deepEqual(rest, []);
  assert.equal(snapshot?.event, 'snapshot');
  assert.equal(snapshot.id, `fake-1-${snapshot.data.seq}`);
  assert.deepEqual(
    snapshot.data.processes.map(({ name }: { name: string }) => name),
    ['web', 'db'],
  );
  const before = world.api.history.latestSeq;
  world.api.stop('web:web', REQUEST);
  await world.pass(20);
  world.api.start('web:web', REQUEST);
  assert.deepEqual(response.take(), []);
  await world.pass(40);
  const [delta, ...more] = response.take();
  assert.deepEqual(more, []);
  assert.equal(delta?.event, 'delta');
  assert.deepEqual(
    delta.data.processes.map(({ name, statename }: { name: string; statename: string }) => [name, statename]),
    [['web', 'STARTING']],
  );
  assert.deepEqual(
    eventsOf([delta]),
    world.api.history.eventsAfter(before, 100).events.map(({ seq }) => seq),
  );
  assert.equal(delta.data.events[0].name, 'web');
});

test('has no timer and no subscription without a client', async () => {
  const world = new LiveWorld([DB]);
  await world.pass(5000);
  const idle = world.clock.pending;
  const { response } = world.open('status=1&usage=1&logs=*');
  await world.turns();
  assert.ok(world.clock.pending.length > idle.length);
  assert.equal(world.api.follows.size, 1);
  response.destroy();
  assert.deepEqual(world.clock.pending, idle);
  assert.equal(world.api.follows.size, 0);
  const { usageCalls } = world.api;
  world.api.stop('db:db', REQUEST);
  await world.pass(10);
  await world.pass(5000);
  assert.equal(world.api.usageCalls, usageCalls);
});

test('tells removed and added processes, and the state of the supervisor', async () => {
  const world = new LiveWorld([DB, { name: 'old' }]);
  const { response } = world.open('status=1');
  await world.turns();
  response.take();
  world.api.configure([{ name: 'new' }]);
  world.api.removeGroup('old');
  world.api.addGroup('new', REQUEST);
  await world.pass(60);
  const [delta] = response.take();
  assert.deepEqual(delta?.data.removed, ['old']);
  assert.deepEqual(
    delta.data.processes.map(({ name }: { name: string }) => name),
    ['new'],
  );
  world.api.shutdown(REQUEST);
  await world.pass(60);
  const states = response.take().flatMap(({ data }) => data.state ?? []);
  assert.deepEqual(states, ['SHUTDOWN']);
});

test('a restart of the supervisor replaces the processes and their outputs', async () => {
  const world = new LiveWorld([DB, { name: 'old' }]);
  const { response } = world.open('status=1&logs=*');
  await world.turns();
  world.print(0, 'last of the old one\n');
  await world.pass(60);
  assert.deepEqual(textsOf(response.take()), ['last of the old one']);
  world.api.configure([{ name: 'new' }]);
  world.api.removeGroup('old');
  world.api.addGroup('new', REQUEST);
  await world.pass(60);
  response.take();
  world.api.outputs = [{ name: 'new:new', stream: 'stdout', memory: new Tail(1024) }];
  world.api.tellRestarted('new:new', 'db:db');
  world.print(0, 'first of the new one\n');
  await world.pass(60);
  const messages = response.take();
  assert.deepEqual(textsOf(messages), ['first of the new one']);
  assert.deepEqual(
    messages.flatMap(({ data }) => data.state ?? []),
    ['RUNNING'],
  );
});

test('continues a stream with the missed events and states only', async () => {
  const world = new LiveWorld([WEB, DB]);
  const { response } = world.open('status=1');
  await world.turns();
  const id = response.take()[0]?.id ?? null;
  response.destroy();
  const before = world.api.history.latestSeq;
  world.api.stop('db:db', REQUEST);
  await world.pass(100);
  const again = world.open('status=1', id).response;
  await world.turns();
  const messages = again.take();
  assert.deepEqual(
    messages.map(({ event }) => event),
    ['delta'],
  );
  assert.deepEqual(
    eventsOf(messages),
    world.api.history.eventsAfter(before, 100).events.map(({ seq }) => seq),
  );
  const names = messages[0]?.data.processes.map(({ name }: { name: string }) => name);
  assert.ok(names.includes('db'));
  // A process that was added meanwhile is in no event, so that the client needs a snapshot.
  again.destroy();
  world.api.configure([{ name: 'new' }]);
  world.api.addGroup('new', REQUEST);
  const third = world.open('status=1', messages[0]?.id ?? null).response;
  await world.turns();
  const whole = third.take();
  assert.deepEqual(
    whole.map(({ event }) => event),
    ['snapshot', 'delta'],
  );
  // The events of that time come, too, also if the connection is cut after the snapshot.
  const missed = world.api.history.eventsAfter(seqOf(messages[0]?.id), 100).events.map(({ seq }) => seq);
  assert.ok(missed.length > 0);
  assert.deepEqual(eventsOf(whole), missed);
  third.destroy();
  const fourth = world.open('status=1', whole[0]?.id ?? null).response;
  await world.turns();
  assert.deepEqual(eventsOf(fourth.take()), missed);
});

test('resets a client whose position is not known or too old', async () => {
  const world = new LiveWorld([WEB]);
  for (const id of ['other-9-5', 'fake-1-99999']) {
    const { response } = world.open('status=1', id);
    await world.turns();
    assert.deepEqual(
      response.take().map(({ event }) => event),
      ['reset', 'snapshot'],
    );
  }
  for (let count = 0; count < 2100; count += 1) world.api.history.noteRequest(REQUEST, null);
  const { response } = world.open('status=1', 'fake-1-1');
  await world.turns();
  const [reset] = response.take();
  assert.match(reset?.data.reason, /too old/);
});

test('gives a slow client the latest states once, and every event', async () => {
  const world = new LiveWorld([WEB, DB]);
  const { response } = world.open('status=1');
  await world.turns();
  response.take();
  response.isSlow = true;
  world.api.stop('db:db', REQUEST);
  await world.pass(100);
  const first = response.take();
  const before = eventsOf(first).at(-1) ?? 0;
  for (let round = 0; round < 3; round += 1) {
    world.api.start('db:db', REQUEST);
    await world.pass(100);
    world.api.stop('db:db', REQUEST);
    await world.pass(100);
  }
  assert.deepEqual(response.take(), [], 'nothing is written while the client does not read');
  response.isSlow = false;
  response.emit('drain');
  const messages = response.take();
  assert.equal(messages.filter(({ data }) => data.processes.length > 0).length, 1);
  assert.deepEqual(
    eventsOf(messages),
    world.api.history.eventsAfter(before, 1000).events.map(({ seq }) => seq),
  );
});

test('drops the oldest lines of a slow client, and tells how many', async () => {
  const world = new LiveWorld([DB]);
  world.limits = { queueBytes: 2000, stallMs: 30_000 };
  const { response } = world.open('logs=*');
  await world.turns();
  response.isSlow = true;
  const printed: string[] = [];
  for (let number = 0; number < 60; number += 1) {
    printed.push(`line ${number}`);
    world.print(0, `line ${number}\n`);
    await world.pass(60);
  }
  response.isSlow = false;
  const early = textsOf(response.take());
  response.emit('drain');
  await world.turns();
  const messages = response.take();
  const [dropped] = messages;
  assert.equal(dropped?.event, 'dropped');
  const late = textsOf(messages);
  assert.deepEqual([...early, ...late], [...early, ...printed.slice(early.length + dropped.data.n)]);
  assert.equal(early.length + dropped.data.n + late.length, 60);
});

test('disconnects a client that does not read, and pings the others', async () => {
  const world = new LiveWorld([DB]);
  const stalled = world.open('status=1', null, true).response;
  const quiet = world.open('status=1').response;
  await world.turns();
  quiet.take();
  await world.pass(29_000);
  assert.equal(stalled.destroyed, false);
  const pings = quiet.take().filter(({ event }) => event === 'ping');
  assert.equal(pings.length, 5);
  await world.pass(6000);
  assert.equal(stalled.destroyed, true);
  assert.equal(quiet.destroyed, false);
});

test('continues lines in the middle of a line, and begins with the latest ones', async () => {
  const world = new LiveWorld([DB, WEB]);
  world.print(0, 'a1\na2\na3\n');
  const { response } = world.open('status=1&logs=*&tail=2');
  await world.turns();
  const first = response.take();
  assert.deepEqual(textsOf(first), ['a2', 'a3']);
  const [snapshot, lines] = first;
  // Between the two, the client is ahead with the events.
  assert.match(snapshot?.id ?? '', /^fake-1-\d+\.\d+$/);
  assert.match(lines?.id ?? '', /^fake-1-\d+$/);
  world.print(1, 'b1\nbeg');
  await world.pass(60);
  const second = response.take();
  assert.deepEqual(textsOf(second), ['b1', 'beg']);
  response.destroy();
  world.print(1, 'in\n');
  world.print(0, 'a4\n');
  const again = world.open('status=1&logs=*&tail=2', second.at(-1)?.id ?? null).response;
  await world.turns();
  await world.pass(60);
  const third = again.take();
  assert.deepEqual(textsOf(third), ['in', 'a4']);
  assert.equal(third.find(({ event }) => event === 'lines')?.data.lines[0].rest, true);
  // The lines of the snapshot's position are read again by a client that got only the snapshot.
  const half = world.open('status=1&logs=*', snapshot?.id ?? null).response;
  await world.turns();
  assert.deepEqual(textsOf(half.take()), ['a2', 'a3', 'b1', 'begin', 'a4']);
});

test('reads lines before they are overwritten', async () => {
  const world = new LiveWorld([DB], 1000);
  const { response } = world.open('logs=*');
  await world.turns();
  const printed = Array.from({ length: 100 }, (_, number) => `${number} ${'x'.repeat(90)}`);
  for (const line of printed) world.print(0, `${line}\n`);
  await world.pass(60);
  assert.deepEqual(textsOf(response.take()), printed);
  // A block that is larger than the memory cannot be told.
  world.print(0, `${'y'.repeat(1500)}\n`);
  await world.pass(60);
  const lost = response.take().flatMap(({ data }) => data.missed);
  assert.deepEqual(lost, [{ name: 'db', stream: 'stdout', bytes: 501 }]);
});

test('shares one reading of lines and one sample of the usage among clients', async () => {
  const world = new LiveWorld([DB]);
  world.api.usages.set('db:db', { residentBytes: 5, cpuMs: 1, cpuPercent: 1.26, processes: [] });
  const clients = [1, 2, 3].map(() => world.open('usage=2&logs=db').response);
  await world.pass(10);
  assert.equal(world.api.follows.size, 1);
  for (const response of clients) response.take();
  const before = world.api.usageCalls;
  await world.pass(4000);
  assert.equal(world.api.usageCalls - before, 2);
  for (const response of clients) {
    const usages = response.take().filter(({ event }) => event === 'usage');
    assert.equal(usages.length, 2);
    assert.deepEqual(usages[0]?.data.processes, { db: { cpu: 1.3, memory: 5, processes: 0 } });
  }
});

test('sends a large snapshot in pieces, as fast as the client reads', async () => {
  const programs = Array.from({ length: 950 }, (_, index) => ({ name: `p${index}` }));
  const world = new LiveWorld(programs);
  const { response } = world.open('status=1', null, true);
  await world.turns(3);
  assert.equal(response.sizes.length, 3, 'the head, the members before the array, and one piece');
  world.api.start('p900:p900', REQUEST);
  while (response.sizes.length < 12) {
    response.emit('drain');
    await world.turns(2);
  }
  response.isSlow = false;
  response.emit('drain');
  await world.turns();
  await world.pass(60);
  const [snapshot, delta] = response.take();
  assert.equal(snapshot?.data.processes.length, 950);
  assert.ok(Math.max(...response.sizes) < 100_000);
  // A change during the snapshot is told behind it.
  assert.deepEqual(
    delta?.data.processes.map(({ name }: { name: string }) => name),
    ['p900'],
  );
});

test('sends many changes in several deltas, with the events behind the states', async () => {
  const programs = Array.from({ length: 250 }, (_, index) => ({ name: `p${index}` }));
  const world = new LiveWorld(programs);
  const { response } = world.open('status=1');
  await world.turns();
  const id = response.take()[0]?.id;
  for (const { name } of programs) world.api.start(`${name}:${name}`, REQUEST);
  await world.pass(60);
  const deltas = response.take();
  assert.deepEqual(
    deltas.slice(0, 3).map(({ data }) => data.processes.length),
    [100, 100, 50],
  );
  assert.deepEqual([deltas[0]?.id, deltas[1]?.id], [id, id], 'the position stays until all states are told');
  const events = eventsOf(deltas);
  assert.equal(events.length, new Set(events).size);
  assert.equal(events.at(-1), world.api.history.latestSeq);
});

test('ends with the last changes', async () => {
  const world = new LiveWorld([DB]);
  const { client, response } = world.open('status=1&logs=*');
  await world.turns();
  response.take();
  world.print(0, 'last\n');
  world.api.shutdown(REQUEST);
  world.hub.finish(client);
  const messages = response.take();
  assert.deepEqual(textsOf(messages), ['last']);
  assert.equal(messages.find(({ event }) => event === 'delta')?.data.state, 'SHUTDOWN');
  assert.equal(response.writableEnded, true);
  assert.equal(world.hub.size, 0);
});

test('tells that a process no longer flaps', async () => {
  const loop = {
    name: 'loop',
    options: { autostart: true, startsecs: 0, autorestart: 'true' as const },
    exitAfterMs: 1000,
    exitCode: 1,
  };
  const world = new LiveWorld([loop]);
  const { response } = world.open('status=1');
  await world.pass(5000);
  const flaps = (): Array<[string, boolean]> =>
    response
      .take()
      .filter(({ event }) => event === 'delta')
      .flatMap(({ data }) =>
        (data.processes as Array<{ statename: string; flapping: boolean }>).map(
          ({ statename, flapping }): [string, boolean] => [statename, flapping],
        ),
      );
  assert.deepEqual(flaps().at(-1), ['RUNNING', true]);
  world.api.stop('loop:loop', REQUEST);
  await world.pass(100);
  assert.deepEqual(flaps().at(-1), ['STOPPED', true]);
  world.clock.advance(590_000);
  await world.turns();
  assert.deepEqual(flaps(), []);
  world.clock.advance(20_000);
  await world.turns();
  assert.deepEqual(flaps(), [['STOPPED', false]]);
});
