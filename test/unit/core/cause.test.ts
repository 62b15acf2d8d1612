import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cause, formatCauseOf, formatClient, isAutomatic } from '../../../src/core/cause.ts';
import { isPlannedRestart } from '../../../src/core/restart-policy.ts';
import { CLIENT, REQUEST, SIGTERM } from '../../causes.ts';

const MB = 1024 * 1024;

const rows: ReadonlyArray<readonly [cause: Cause, text: string, automatic: boolean]> = [
  [{ kind: 'boot' }, 'autostart', false],
  [REQUEST, 'test.method of a client (uid 0, pid 77)', false],
  [SIGTERM, 'SIGTERM', false],
  [{ ...SIGTERM, sender: 9 }, 'SIGTERM from pid 9', false],
  [{ ...SIGTERM, sender: 9, sentAs: 15 }, 'SIGTERM from pid 9', false],
  [{ ...SIGTERM, sentAs: 3 }, 'SIGTERM, sent on as SIGQUIT', false],
  [{ kind: 'schedule' }, 'its schedule (cron)', false],
  [{ kind: 'dependency', names: ['db', 'cache'], request: null }, 'db, cache have a new run (depends_on)', false],
  [{ kind: 'dependency', names: ['db'], request: null }, 'db has a new run (depends_on)', false],
  [{ kind: 'notReady', limitMs: 1500 }, 'not ready within 1.5 seconds (ready_timeout)', false],
  [{ kind: 'connection', address: 'tcp://[::]:80' }, 'a connection to tcp://[::]:80', false],
  [
    { kind: 'dependency', names: ['db', 'cache'], request: { kind: 'boot' } },
    'autostart, after it waited for db, cache',
    false,
  ],
  [{ kind: 'health', reason: 'no answer' }, 'unhealthy: no answer', true],
  [{ kind: 'memory', bytes: 20 * MB + 1, limitBytes: 20 * MB }, 'uses 20.1 MB, more than max_memory (20 MB)', true],
  [{ kind: 'watchdog', limitMs: 2500 }, 'no WATCHDOG=1 for 2.5 seconds', true],
  [{ kind: 'watchdog', limitMs: null }, 'it sent WATCHDOG=trigger', true],
  [{ kind: 'policy', rule: 'autorestart' }, 'autorestart', true],
  [{ kind: 'policy', rule: 'retry' }, 'another try (startretries)', true],
  [{ kind: 'file', path: '/app/a\nb', others: 0 }, '/app/a\\nb has changed', false],
  [{ kind: 'file', path: '/a', others: 1 }, '/a and another file have changed', false],
  [{ kind: 'file', path: '/a', others: 2 }, '/a and 2 other files have changed', false],
  [{ kind: 'protocol' }, 'it broke the protocol of event listeners', false],
  [{ kind: 'shutdown', goal: 'exit', cause: SIGTERM }, 'shutdown of the supervisor: received SIGTERM', false],
  [{ kind: 'shutdown', goal: 'restart', cause: REQUEST }, 'restart of the supervisor: shutdown was requested', false],
];

for (const [cause, text, automatic] of rows)
  test(text, () => {
    assert.equal(formatCauseOf(cause), text);
    assert.equal(isAutomatic(cause), automatic);
    assert.equal(isPlannedRestart(cause), cause.kind === 'file' || text.endsWith('(depends_on)'));
  });

test('clients of every door', () => {
  const texts = (['unix', 'tcp', 'page', 'plugin'] as const).map((door) => formatClient({ ...CLIENT, door }));
  assert.deepEqual(texts, [
    'a client (uid 0, pid 77)',
    'a client over TCP (uid 0, pid 77)',
    'the web page (uid 0, pid 77)',
    'the plug-in uid 0, pid 77',
  ]);
  assert.equal(
    formatClient({ door: 'tcp', user: 'admin', peer: '10.0.0.7' }),
    'a client over TCP (user admin, 10.0.0.7)',
  );
});
