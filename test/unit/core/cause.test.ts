import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cause, formatCauseOf, formatClient, isAutomatic } from '../../../src/core/cause.ts';
import { CLIENT, REQUEST, SIGTERM } from '../../causes.ts';

const MB = 1024 * 1024;

const rows: ReadonlyArray<readonly [cause: Cause, text: string, automatic: boolean]> = [
  [{ kind: 'boot' }, 'autostart', false],
  [REQUEST, 'test.method of a client (uid 0, pid 77)', false],
  [SIGTERM, 'SIGTERM', false],
  [{ ...SIGTERM, sender: 9 }, 'SIGTERM from pid 9', false],
  [{ kind: 'schedule' }, 'its schedule (cron)', false],
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
  [{ kind: 'protocol' }, 'it broke the protocol of event listeners', false],
  [{ kind: 'shutdown', goal: 'exit', cause: SIGTERM }, 'shutdown of the supervisor: received SIGTERM', false],
  [{ kind: 'shutdown', goal: 'restart', cause: REQUEST }, 'restart of the supervisor: shutdown was requested', false],
];

for (const [cause, text, automatic] of rows)
  test(text, () => {
    assert.equal(formatCauseOf(cause), text);
    assert.equal(isAutomatic(cause), automatic);
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
