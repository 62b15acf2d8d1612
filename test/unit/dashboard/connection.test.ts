import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Connection, type StreamEvent } from '../../../src/dashboard/connection.ts';

const VERSION = { host: 'h', role: 'admin', now: 5000 };

/** A connection whose sources and timers a test controls. */
function make() {
  const sources: Array<{
    readonly url: string;
    isClosed: boolean;
    readonly send: (type: string, data?: unknown, id?: string) => void;
  }> = [];
  const timers: Array<{ readonly ms: number; readonly run: () => void }> = [];
  const seen: string[] = [];
  const take = (kind: string) => (message: unknown) => void seen.push(`${kind} ${JSON.stringify(message)}`);
  const connection = new Connection(
    {
      open: (url) => {
        const listeners = new Map<string, (event: StreamEvent) => void>();
        const source = {
          url,
          isClosed: false,
          send: (type: string, data?: unknown, id = '') =>
            listeners.get(type)?.({ data: JSON.stringify(data ?? null), lastEventId: id }),
        };
        sources.push(source);
        return {
          addEventListener: (type, listener) => void listeners.set(type, listener),
          close: () => {
            source.isClosed = true;
          },
        };
      },
      after: (ms, run) => {
        const timer = { ms, run };
        timers.push(timer);
        return () => void (timers.includes(timer) && timers.splice(timers.indexOf(timer), 1));
      },
      now: () => 1000,
    },
    { snapshot: take('snapshot'), delta: take('delta'), usage: take('usage') },
  );
  const latest = () => sources.at(-1) ?? assert.fail('no source');
  const fire = () => {
    const timer = timers.shift() ?? assert.fail('no timer');
    timer.run();
    return timer.ms;
  };
  return { connection, sources, timers, seen, latest, fire };
}

describe('the connection of the dashboard', () => {
  test('asks for what the views want, and passes messages on', () => {
    const { connection, latest, seen } = make();
    connection.setUsage(2);
    connection.start();
    assert.equal(latest().url, 'api/v1/stream?status=1&usage=2');
    latest().send('hello', { version: VERSION });
    assert.deepEqual([connection.link.value, connection.clockSkew.value], ['open', 4000]);
    latest().send('snapshot', { seq: 1 }, 'e-1');
    latest().send('delta', { processes: [] }, 'e-2');
    latest().send('usage', { at: 1 });
    assert.deepEqual(seen, ['snapshot {"seq":1}', 'delta {"processes":[]}', 'usage {"at":1}']);
    assert.equal(connection.position, 'e-2');
  });

  test('continues after the last message when it was lost, with growing pauses', () => {
    const { connection, latest, fire, sources } = make();
    connection.start();
    latest().send('hello', { version: VERSION });
    latest().send('delta', {}, 'e-7');
    latest().send('error');
    assert.deepEqual([connection.link.value, connection.lostAt.value], ['lost', 1000]);
    assert.equal(fire(), 200);
    assert.equal(latest().url, 'api/v1/stream?status=1&after=e-7');
    latest().send('error');
    assert.equal(fire(), 500);
    latest().send('hello', { version: VERSION });
    assert.deepEqual([connection.link.value, connection.lostAt.value, sources.length], ['open', null, 3]);
  });

  test('takes a silent stream for lost', () => {
    const { connection, fire, latest, timers } = make();
    connection.start();
    latest().send('hello', { version: VERSION });
    latest().send('ping');
    assert.equal(timers.length, 1, 'each message starts the time anew');
    assert.equal(fire(), 15_000);
    assert.equal(connection.link.value, 'lost');
    assert.ok(latest().isClosed);
  });

  test('has no stream while the tab is hidden, and drops messages of a closed one', () => {
    const { connection, latest, sources, timers, seen } = make();
    connection.start();
    latest().send('delta', {}, 'e-3');
    const first = latest();
    connection.setHidden(true);
    assert.deepEqual([first.isClosed, timers.length, connection.link.value], [true, 0, 'hidden']);
    first.send('delta', {}, 'e-4');
    assert.equal(seen.length, 1);
    connection.setHidden(false);
    assert.deepEqual([sources.length, latest().url], [2, 'api/v1/stream?status=1&after=e-3']);
  });

  test('opens the stream again for other lines only', () => {
    const { connection, latest, sources } = make();
    const lines: unknown[] = [];
    const remove = connection.onLines((message) => lines.push(message));
    connection.start();
    connection.setLogs({ names: ['a', 'b'], streams: ['stderr'] });
    connection.setLogs({ names: ['a', 'b'], streams: ['stderr'] });
    assert.equal(sources.length, 2);
    assert.equal(latest().url, 'api/v1/stream?status=1&logs=a&logs=b&streams=stderr&tail=0');
    latest().send('lines', { lines: [] }, 'e-9');
    remove();
    latest().send('lines', { lines: [] }, 'e-10');
    assert.equal(lines.length, 1);
  });
});
