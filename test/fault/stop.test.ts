/** Stops while calls fail: TERM ends everything, and a program that cannot be signalled is not forgotten. */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { isAlive, until } from '../e2e/observe.ts';
import { type Failure, injectorSkipReason } from './injector.ts';
import { allSettled, type Info, outerPidOf, startWorld } from './world.ts';

const { EAGAIN, EIO, EMFILE, ENOSPC, EPERM, EROFS } = constants.errno;

const LASTING = { skip: 0, count: Infinity, who: 'pid1', target: null } as const;

/** Faults that a full or broken machine has together. */
const BROKEN_MACHINE: readonly Failure[] = [
  { ...LASTING, call: 'openat', errno: EMFILE },
  { ...LASTING, call: 'open', errno: EMFILE },
  { ...LASTING, call: 'pipe2', errno: EMFILE },
  { ...LASTING, call: 'accept4', errno: EMFILE },
  { ...LASTING, call: 'clone3', errno: EAGAIN },
  { ...LASTING, call: 'write', errno: ENOSPC, target: 'chatty.log' },
  { ...LASTING, call: 'rename', errno: EIO },
  { ...LASTING, call: 'unlink', errno: EROFS },
  { ...LASTING, call: 'epoll_ctl', errno: ENOSPC },
  { ...LASTING, call: 'statx', errno: EIO },
];

const skip = (await injectorSkipReason()) ?? false;

describe('stops while calls fail', { skip, concurrency: true }, () => {
  test('TERM ends everything on a machine without descriptors, processes, disk and watches', async (context) => {
    const world = await startWorld(context);
    const { app, injector, log } = world;
    await allSettled(world);
    const steady = await until('steady', () => outerPidOf(world, '86401'));
    for (const fault of BROKEN_MACHINE) await injector.fail(fault);
    app.signal('SIGTERM');
    assert.deepEqual(await app.exit, { code: 0, signal: null }, log().join('\n'));
    assert.equal(await isAlive(steady), false);
  });

  test('a program that may not be signalled is UNKNOWN, with a message, and the sweep ends it', async (context) => {
    const world = await startWorld(context);
    const { app, injector, call, log } = world;
    await allSettled(world);
    const steady = await until('steady', () => outerPidOf(world, '86401'));
    await injector.fail({ ...LASTING, call: 'kill', errno: EPERM });
    await assert.rejects(call('supervisor.stopProcess', 'steady'), /cannot stop steady: it could not be signalled/);
    assert.equal(((await call('supervisor.getProcessInfo', 'steady')) as Info).statename, 'UNKNOWN');
    assert.equal(log().filter((line) => line.includes('EPERM')).length, 1, log().join('\n'));
    assert.ok((await injector.clear()).failed > 0);
    app.signal('SIGTERM');
    assert.deepEqual(await app.exit, { code: 0, signal: null }, log().join('\n'));
    assert.equal(await isAlive(steady), false);
  });
});
