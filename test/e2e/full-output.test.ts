/** Commands whose standard output takes nothing more: a full disk is an error, a reader that has gone is none. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;

const CONFIG = `
[supervisord]
nodaemon=true
logfile=%FOLDER%/sup.log
[program:cat]
command=cat
[program:pool]
command=sleep 1000
process_name=p%(process_num)d
numprocs=80
`;

/** Commands that print, with and without a supervisor. */
const COMMANDS = [
  'status',
  'status --json',
  'ctl status',
  'describe cat',
  'avail',
  'logs -n 1',
  'tail cat',
  'maintail',
  'health nosuch',
  'check -c supervisord.conf',
  'schema',
  'completion bash',
  'help',
  'help command status',
  '--version',
];

/** Commands that print more than 4 KiB. */
const LONG = ['status --json', 'schema', 'status', 'help security'];

test('a full disk is told, and the exit code is not 0', { skip }, async (t) => {
  const prepare = 'mkdir full; mount -t tmpfs -o size=4k tmpfs full';
  const launched = await launch(t, { config: CONFIG, prepare });
  await launched.waitForLine(/spawned: 'p79'/);
  const outcomeOf = (command: string, rest: string): ReturnType<typeof launched.enter> =>
    launched.enter(['bash', '-c', `"$0" ${command} ${rest}`, EXECUTABLE]);
  for (const [commands, file] of [
    [COMMANDS, '/dev/full'],
    [LONG, 'full/output'],
  ] as const)
    for (const command of commands) {
      const { code, stderr } = await outcomeOf(command, `>${file}`);
      const expected = /^onevisor(?: \w+)?: cannot write standard output: ENOSPC: no space left on device\n$/;
      assert.match(stderr, expected, `${command} >${file}`);
      assert.equal(code, 1, `${command} >${file}`);
    }
  for (const command of COMMANDS) {
    const { stdout, stderr } = await outcomeOf(command, '| true; echo ${PIPESTATUS[0]}');
    assert.deepEqual([stdout, stderr], [command === 'health nosuch' ? '1\n' : '0\n', ''], `${command} | true`);
  }
});
