/** 200 clients at once, and misbehaving clients: no error, and the memory does not grow. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { inWorld, post, type ServerWorld } from '../unit/http/server-world.ts';

/** Number of bytes by which a load may increase our memory permanently. */
const GROWTH_LIMIT = 4 * 1024 * 1024;
const client = fileURLToPath(new URL('../unit/http/load-client.ts', import.meta.url));
setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/**
 * Returns the bytes in use without garbage. Some objects become garbage only when connections are closed, a turn of the
 * loop later.
 */
async function heldBytes(): Promise<number> {
  collectGarbage();
  await new Promise((resolve) => setTimeout(resolve, 100));
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Returns the growth of the bytes in use after all connections were closed. Waiting does not remove a leak. */
async function growthSince(before: number): Promise<number> {
  let growth = (await heldBytes()) - before;
  for (let turn = 0; turn < 50 && growth >= GROWTH_LIMIT; turn += 1) growth = (await heldBytes()) - before;
  return growth;
}

async function load(
  world: ServerWorld,
  clients: number,
  seconds: number,
): Promise<{ readonly answers: number; readonly errors: readonly string[] }> {
  const child = spawn(process.execPath, [client, world.socketPath, String(clients), String(seconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return JSON.parse(await child.stdout.setEncoding('utf8').reduce((text, part) => text + part, '')) as {
    answers: number;
    errors: string[];
  };
}

const programs = Array.from({ length: 20 }, (_, index) => ({ name: `program${index}`, options: { autostart: true } }));

test('200 clients for some seconds', async (t) =>
  inWorld({ programs }, async (world) => {
    await world.open();
    const warm = await load(world, 200, 1);
    assert.deepEqual(warm.errors, []);
    const before = await heldBytes();
    const { answers, errors } = await load(world, 200, 5);
    const growth = await growthSince(before);
    t.diagnostic(`${answers} answers in 5 s, ${Math.round(growth / 1024)} KiB more than before`);
    assert.deepEqual(errors, []);
    assert.ok(answers >= 200, `${answers}: each of them was served`);
    assert.ok(growth < GROWTH_LIMIT, `${growth} bytes more than before`);
  }));

test('clients that send garbage, a part or nothing leave nothing behind, and others are served', async (t) =>
  inWorld({ programs, limits: { headerMs: 1000, bodyMs: 1000 } }, async (world) => {
    await world.open();
    const nuisances = [
      '',
      'GARBAGE\r\n\r\n',
      'POST /RPC2 HTTP/1.1\r\nX: ',
      'POST /RPC2 HTTP/1.1\r\nContent-Length: 1000\r\n\r\n<?xml',
      'POST /RPC2 HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n',
      post('<x'),
      post('<methodCall><methodName>system.__class__</methodName></methodCall>'),
      `GET /${'x'.repeat(30_000)} HTTP/1.1\r\n\r\n`,
    ];
    const annoy = async (): Promise<void> => {
      await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const peer = world.connect().send(nuisances[index % nuisances.length] ?? '');
          if (index % 3 === 0) peer.socket.end();
          setTimeout(() => peer.close(), 1500);
          await peer.end();
        }),
      );
    };
    await annoy();
    const before = await heldBytes();
    const [served] = await Promise.all([load(world, 20, 2), annoy().then(annoy)]);
    const growth = await growthSince(before);
    t.diagnostic(`${served.answers} answers, ${Math.round(growth / 1024)} KiB more than before`);
    assert.deepEqual(served.errors, []);
    assert.ok(growth < GROWTH_LIMIT, `${growth} bytes more than before`);
    assert.deepEqual(
      world.api.reports.filter(([level]) => level === 'critical'),
      [],
    );
  }));
