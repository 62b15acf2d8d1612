/** Seconds with a fraction in options of Supervisor: they apply, and clients of Supervisor get whole numbers. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const DEAF = '#!/bin/sh\ntrap "" TERM\necho ready\nwhile :; do sleep 0.02; done\n';
const PROGRAM = '[supervisord]\n[program:web]\ncommand=%FOLDER%/run.sh\n';

test('startsecs=0.25 and stopwaitsecs=750ms, which update changes without a restart', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${PROGRAM}startsecs=0.25\nstopwaitsecs=600\n`,
    files: { 'run.sh': DEAF },
  });
  await launched.waitForLine(/success: web entered RUNNING state, .* > than 0\.25 seconds \(startsecs\)$/);
  const { pid } = (JSON.parse((await launched.ctl('status', '--json')).stdout) as [{ pid: number }])[0];
  const config = `${PROGRAM.replaceAll('%FOLDER%', launched.folder)}startsecs=1.5\nstopwaitsecs=750ms\n`;
  await writeFile(join(launched.folder, 'supervisord.conf'), config);
  assert.match((await launched.ctl('update')).stdout, /web/);
  assert.match((await launched.ctl('status')).stdout, new RegExp(`^web +RUNNING +pid ${pid},`));
  const checked = await launched.enter([EXECUTABLE, 'check', '--json', '-c', 'supervisord.conf']);
  const { programs, warnings } = JSON.parse(checked.stdout) as {
    programs: Array<{ startsecs: number; stopwaitsecs: number }>;
    warnings: Array<{ line: number; reason: string }>;
  };
  assert.deepEqual([programs[0]?.startsecs, programs[0]?.stopwaitsecs], [1.5, 0.75]);
  assert.deepEqual(
    warnings.map(({ line, reason }) => [line, reason.replace(/:.*/, '')]),
    [
      [4, 'note'],
      [5, 'note'],
    ],
  );
  assert.equal((await launched.ctl('stop', 'web')).stdout, 'web: stopped\n');
  await launched.waitForLine(/WARN killing 'web' \(\d+\) with SIGKILL$/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});
