/**
 * System calls that fail while the supervisor starts. It starts anyway, or ends with an exit code after a message that
 * names the error.
 */
import assert from 'node:assert/strict';
import { constants } from 'node:os';
import { describe, test } from 'node:test';
import { bySize } from '../slow.ts';
import { injectorSkipReason } from './injector.ts';
import { startWorld } from './world.ts';

interface StartFault {
  readonly call: string;
  readonly target: string | null;
  readonly error: string;
  /** `starts`: the supervisor runs, and may have told the fault. `ends`: it says why, and has an exit code. */
  readonly outcome: 'starts' | 'ends';
  readonly isLong: boolean;
}

function row(key: string, error: string, outcome: StartFault['outcome']): StartFault {
  const [call = '', target = null] = key.replace(/[[\]]/g, '').split(':');
  return { call, target, error, outcome, isLong: key.startsWith('[') };
}

const FAULTS: readonly StartFault[] = [
  row('openat:supervisord.conf', 'EIO', 'ends'),
  row('[read:supervisord.conf]', 'EIO', 'ends'),
  row('[openat:supervisord.conf]', 'ENFILE', 'ends'),
  row('socket', 'EMFILE', 'ends'),
  row('[bind]', 'EROFS', 'ends'),
  row('[listen]', 'ENOMEM', 'ends'),
  row('inotify_init1', 'EMFILE', 'starts'),
  row('[epoll_create1]', 'ENFILE', 'ends'),
  row('[eventfd2]', 'ENFILE', 'ends'),
  row('pipe2', 'ENFILE', 'ends'),
  row('[openat:main.log]', 'ENOSPC', 'starts'),
  row('[prctl]', 'EPERM', 'starts'),
  row('[mkdir]', 'EROFS', 'ends'),
  row('epoll_ctl', 'ENOSPC', 'starts'),
];

/** Calls that are tried before Node begins (native/libc/limits.c). */
const BEFORE_NODE: ReadonlySet<string> = new Set(['pipe2', 'eventfd2', 'epoll_create1']);

/** Texts that name an error. */
const NAMES: Readonly<Record<string, RegExp>> = { EROFS: /the file system is read-only/ };

const skip = (await injectorSkipReason()) ?? false;

describe('system calls that fail at the start', { skip, concurrency: 3 }, () => {
  for (const { call, target, error, outcome, isLong } of FAULTS)
    if (bySize({ brief: !isLong, long: true }))
      test(`${call}${target === null ? '' : ` of ${target}`} with ${error}: it ${outcome}`, async (context) => {
        const errno = (constants.errno as Readonly<Record<string, number>>)[error] ?? 0;
        const fault = {
          call,
          errno,
          skip: 0,
          count: outcome === 'starts' ? 1 : Infinity,
          who: 'pid1',
          target,
        } as const;
        const world = await startWorld(context, {
          // A PID 1 that ends before Node begins may be gone before the test has found its pid.
          as: BEFORE_NODE.has(call) ? 'plain' : 'pid1',
          before: (injector) => injector.fail(fault),
        });
        const { app, injector, log } = world;
        const text = (): string => log().join('\n');
        if (outcome === 'starts') {
          await app.waitForLine(/success: worker/);
          // Files are watched a moment later.
          await injector.lines.waitFor(/^hit/, { timeoutMs: 20_000 }).catch(() => undefined);
          assert.ok((await injector.clear()).failed > 0, `the start has no such call:\n${text()}`);
          app.signal('SIGTERM');
          assert.deepEqual(await app.exit, { code: 0, signal: null });
        } else {
          const { code, signal } = await app.exit;
          assert.equal(signal, null, text());
          assert.notEqual(code, 0, text());
          assert.match(text(), NAMES[error] ?? new RegExp(error), 'the message names the error');
        }
        context.diagnostic(log().find((line) => line.includes(error)) ?? 'no message');
      });
});
