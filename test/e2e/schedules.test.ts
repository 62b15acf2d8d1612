/**
 * Programs with `cron`: they run at their times, never twice at once, whatever the result of the last run, and the
 * status has the next time.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

test('a job runs at its times, and its exit is no failure', { skip }, async (t) => {
  const config = `[supervisord]
[program:tick]
command=echo tick
cron=* * * * * *
[program:failing]
command=sh -c "echo failing; exit 3"
cron=*/2 * * * * *
[program:missing]
command=/no/such/program
cron=*/2 * * * * *
`;
  const launched = await launch(t, { config });
  await launched.waitForLine(/exited: tick \(exit status 0; expected\)/, { count: 3 });
  await launched.waitForLine(/exited: failing \(exit status 3; not expected\)/, { count: 2 });
  await launched.waitForLine(/spawnerr: can't find command '\/no\/such\/program'/, { count: 2 });
  const text = `${launched.stdout.text}\n${launched.stderr.text}`;
  const turns = [...text.matchAll(/(spawned): 'tick'|(exited): tick/g)].map(([, spawned, exited]) => spawned ?? exited);
  assert.ok(
    turns.every((turn, index) => turn === (index % 2 === 0 ? 'spawned' : 'exited')),
    turns.join(' '),
  );
  assert.doesNotMatch(text, /(gave up|success): (tick|failing)/);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test(
  'a run that has not ended is not joined by another, and a stop by a user does not end the schedule',
  { skip },
  async (t) => {
    const launched = await launch(t, {
      config: '[supervisord]\n[program:slow]\ncommand=sh -c "echo slow begins; exec sleep 1000"\ncron=* * * * * *\n',
    });
    await launched.waitForLine(/skipped a run of 'slow': it is still (STARTING|RUNNING)/);
    const begun = (): number => (launched.stdout.text.match(/slow begins/g) ?? []).length;
    assert.equal(begun(), 1);
    assert.deepEqual(await launched.ctl('stop', 'slow'), { code: 0, stdout: 'slow: stopped\n', stderr: '' });
    await launched.waitForLine(/skipped a run of 'slow'/, { count: 2 });
    assert.equal(begun(), 2);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
  },
);

test('the status has the next run, in the time of TZ; an update changes it', { skip }, async (t) => {
  const config = (tz: string): string =>
    `[supervisord]\n[program:early]\ncommand=echo early\ncron=30 4 * * *\n${tz}\n[program:plain]\ncommand=sleep 1000\n`;
  // Japan is always nine hours ahead of UTC.
  const launched = await launch(t, { config: config(''), env: { TZ: 'Asia/Tokyo' } });
  await launched.waitForLine(/spawned: 'plain'/);
  const status = async (name: string): Promise<string> => (await launched.ctl('status', name)).stdout;
  assert.match(await status('early'), /^early +STOPPED +Not started, next run [A-Z][a-z]{2} \d\d 04:30 AM$/m);
  assert.doesNotMatch(await status('plain'), /next run/);
  await writeFile(join(launched.folder, 'supervisord.conf'), config('tz=UTC'));
  assert.equal((await launched.ctl('update')).stdout, 'early: updated process group\n');
  assert.match(await status('early'), /next run [A-Z][a-z]{2} \d\d 01:30 PM$/m);
  assert.doesNotMatch(launched.stdout.text, /early$/m);
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});

test('a schedule keeps a supervisor with exit_when_idle running', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nexit_when_idle=true\n[program:job]\ncommand=echo job\ncron=* * * * * *\nautostart=true\n' +
      '[program:once]\ncommand=true\nstartsecs=0\nautorestart=false\n',
  });
  await launched.waitForLine(/exited: once/);
  await launched.waitForLine(/job$/, { count: 3 });
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
});
