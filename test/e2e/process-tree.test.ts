/** The processes of one program in `describe` and the metrics: with orphans in its session, and no others. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

test('a program that is measured alone has its orphans, and not those of others', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\n[program:web]\ncommand=%FOLDER%/run.sh web\n[program:other]\ncommand=%FOLDER%/run.sh other\n',
    // The subshell ends at once, so that the supervisor adopts the child.
    files: { 'run.sh': '#!/bin/sh\n(sleep 1001 & )\necho "$1 is up"\nexec sleep 1000\n' },
  });
  await launched.waitForLine(/is up$/, { count: 2 });
  const { stdout } = await launched.ctl('describe', 'web');
  assert.match(stdout, /^ +Processes: 2 \(/m);
  assert.equal(stdout.match(/^ +\d+ sleep \(/gm)?.length, 2, stdout);
});
