/** Clients that send their requests slowly do not keep others away. */
import { test } from 'node:test';
import { callRequest, inWorld } from '../unit/http/server-world.ts';

const PID = /<value><int>4711<\/int><\/value>/;
const getPid = callRequest('supervisor.getPID');

test('a request whose body does not come gives way to a new connection', () =>
  inWorld({ limits: { connections: 2 } }, async (world) => {
    await world.open();
    const slow = [1, 2].map(() => world.connect().send(getPid.slice(0, -5)));
    for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await world.connect().send(getPid).until(PID);
    for (const peer of slow) peer.close();
  }));
