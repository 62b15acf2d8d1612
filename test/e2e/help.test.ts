/** `onevisor help` of the executable: the manual is inside, formatted on a terminal and as Markdown through a pipe. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { MANUAL } from './manual-blocks.ts';

const skip = (await pid1SkipReason()) ?? false;

async function help(t: Parameters<typeof launch>[0], ...args: string[]) {
  const launched = await launch(t, { as: 'plain', args: ['help', ...args] });
  const { code } = await launched.exit;
  return { code, stdout: launched.stdout.text, stderr: launched.stderr.text };
}

test('through a pipe it prints the Markdown of the page', async (t) => {
  const { code, stdout } = await help(t, 'page', 'logs');
  assert.equal(code, 0);
  assert.equal(stdout.trimEnd(), readFileSync(join(MANUAL, 'logs.md'), 'utf8').trimEnd());
  assert.match((await help(t)).stdout, /^\| \[troubleshooting\]/m);
});

test('an unknown topic names the nearest one', async (t) => {
  const { code, stderr } = await help(t, 'logz');
  assert.equal(code, 2);
  assert.match(stderr, /^Error: cannot show "logz": no such topic \(did you mean logs\?\)$/m);
});

test('on a terminal the page is formatted to its width', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n' });
  const command = `stty cols 60; '${EXECUTABLE}' help page logs`;
  const { stdout } = await launched.enter(['script', '--quiet', '--return', '--command', command, '/dev/null']);
  // Only code and long words are longer than a line.
  const lines = stdout.replaceAll('\r', '').split('\n');
  assert.deepEqual(lines.slice(0, 2), ['Logs', '====']);
  const long = lines.filter((line) => line.length > 60 && !line.startsWith('    ') && line.includes(' '));
  assert.deepEqual(long, []);
  assert.ok(
    lines.includes(
      "    log_format=json                 ; one object a line, for programs and for the supervisor's own lines",
    ),
  );
});
