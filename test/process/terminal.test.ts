/** The foreground of a terminal: a main program gets it, and we continue in the background and take it back. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';

const skip = spawnSync('script', ['--version']).status === 0 ? false : 'no script(1) to make a terminal with';

test('the main program has the foreground, and we get it back', { skip }, () => {
  const scene = join(import.meta.dirname, 'terminal-scene.ts');
  const printed = execFileSync('script', ['-qec', `stty tostop; ${process.execPath} ${scene}`, '/dev/null'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  assert.deepEqual(printed.trim().split(/\r?\n/), ['main 1 1', 'ended {"kind":"exited","code":0} true', 'back 0 true']);
});
