/** `max_memory`: a program is restarted for what its whole tree uses, and nobody else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';
import { compile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

test('a program whose grandchild uses too much is restarted, others are not', { skip }, async (t) => {
  const path = await compile(t, 'uses-memory');
  const config = `[supervisord]
[program:hog]
command=${path} 80 child
max_memory=60MB
stopasgroup=true
[program:modest]
command=${path} 40 child
max_memory=60MB
[program:free]
command=${path} 80 self
`;
  const launched = await launch(t, { config });
  await launched.waitForLine(/using$/, { count: 3 });
  const [, megabytes] = await launched.waitForLine(/restarting 'hog': uses ([\d.]+) MB, more than max_memory \(60 MB\)/);
  assert.ok(Number(megabytes) >= 80 && Number(megabytes) < 100, `${megabytes} MB`);
  await launched.waitForLine(/spawned: 'hog' with pid/, { count: 2 });
  const text = `${launched.stdout.text}\n${launched.stderr.text}`;
  assert.deepEqual([...text.matchAll(/spawned: '(modest|free)'/g)].length, 2);
  assert.doesNotMatch(text, /cannot check max_memory/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});
