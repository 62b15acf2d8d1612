/**
 * The commands as the help and README.md print them: each example is run unchanged beside a supervisor, and each
 * command has its help, by `--help`, by `help` and in the client.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { commandSpecs, typedCommands } from '../../src/cli/commands.ts';
import { overviewExamples } from '../../src/cli/help-text.ts';
import { readManual, runHelp } from '../../src/programs/help.ts';
import { chooseProgram } from '../../src/startup/choose-program.ts';
import { order } from './connections.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';
import { DOCUMENTS } from './manual-blocks.ts';

const skip = (await pid1SkipReason()) ?? false;
/** Some hundred commands, one after the other. */
const SLOW = { skip, timeout: 600_000 };
const PATH = `${dirname(EXECUTABLE)}:${process.env['PATH']}`;
const CONFIG =
  '[supervisord]\n[program:web]\ncommand=sh -c "trap : HUP; echo out; echo err >&2; while :; do sleep 1; done"\n' +
  'startsecs=0\nstopasgroup=true\nhealthcheck=true\nreload_signal=HUP\n' +
  'stdout_logfile=%FOLDER%/web.log\nstderr_logfile=%FOLDER%/web.err\n' +
  '[program:worker]\ncommand=sleep 1000\nreload_signal=CONT\nstartsecs=0\nnumprocs=2\n' +
  'process_name=worker_%(process_num)d\n' +
  '[program:db]\ncommand=sleep 1000\nstartsecs=0\n' +
  '[notify:ops]\nevents=fatal\ncommand=true\n';

const examples = [
  ...commandSpecs.flatMap((spec) => (spec.examples ?? []).map(({ line }) => line)),
  ...overviewExamples.map(([line]) => line),
];

/** Commands that stop no program. */
const READS = new RegExp(
  '^onevisor (?:status|logs|describe|why|top|tail|health|help|check|completion|grafana|alerts|schema|install)\\b',
);

/** Commands of the front page that name no file, no placeholder and no container. */
const front = [...(DOCUMENTS.get('README.md') ?? '').matchAll(/`(onevisor [^`]+)`/g)]
  .map(([, line = '']) => line)
  .filter((line) => !/[A-Z]{3}|\.\.\./.test(line));

async function supervised(t: TestContext): Promise<Launched> {
  const launched = await launch(t, { config: CONFIG, env: { PATH } });
  await launched.waitForLine(/success: \S+ entered RUNNING/, { count: 3 });
  return launched;
}

test('each example of the help, and each command of the front page, works as it is written', SLOW, async (t) => {
  const launched = await supervised(t);
  const lines = [...new Set([...examples, ...front])];
  assert.ok(lines.length > 30, lines.join('\n'));
  let mayBeStopped = true;
  for (const line of lines.filter((one) => !one.startsWith('onevisor -- '))) {
    const isStart = line.startsWith('onevisor start ');
    await t.test(line, async () => {
      if (isStart || mayBeStopped) await order(launched, `supervisor.${isStart ? 'stop' : 'start'}AllProcesses`);
      const isEndless = / -f /.test(line);
      const limit = ['timeout', '--signal=INT', isEndless ? '1' : '20'];
      const { code, stdout, stderr } = await launched.enter([...limit, 'sh', '-c', `exec </dev/null 2>&1; ${line}`]);
      assert.deepEqual([code, stderr], [isEndless ? 124 : 0, ''], `${line}\n${stdout}`);
      assert.doesNotMatch(stdout, /^error|Error:|\*\*\*|ERROR/m, line);
    });
    mayBeStopped = !READS.test(line);
  }
});

test('a program behind -- runs as it is written', { skip }, async (t) => {
  const lines = examples.filter((line) => line.startsWith('onevisor -- '));
  assert.deepEqual(lines, ['onevisor -- sh -c "exit 3"']);
  for (const line of lines) {
    const launched = await launch(t, { executable: '/bin/sh', args: ['-c', `exec ${line}`], env: { PATH } });
    assert.equal((await launched.exit).code, 3, launched.stderr.text);
  }
});

/** Runs `onevisor help` in this process. */
function helpHere(...args: string[]): string {
  let text = '';
  const io = { out: (more: string) => void (text += more), err: assert.fail, columns: null };
  assert.equal(runHelp(args, readManual(), io), 0);
  return text;
}

test('each command has its help, three ways', SLOW, async (t) => {
  const launched = await supervised(t);
  const helpBy = async (...form: string[]): Promise<string> => {
    const { code, stdout, stderr } = await launched.enter(['onevisor', ...form]);
    assert.deepEqual([code, stderr], [0, ''], form.join(' '));
    return stdout;
  };
  for (const { name, kind } of typedCommands)
    await t.test(name, async () => {
      const help = await helpBy(name, '--help');
      assert.match(help, new RegExp(`^Usage: onevisor ${name}\\b`));
      // The other ways lead to the same code. Each start of the executable takes a good part of a second.
      assert.equal(helpHere('command', name), help);
      if (kind !== 'client') return;
      const [own, client] = [[name], ['ctl', name]].map((words) =>
        chooseProgram('onevisor', [...words, '--help'], () => false),
      );
      if (isDeepStrictEqual([client?.program, client?.args], [own?.program, own?.args])) return;
      assert.equal(await helpBy('ctl', name, '--help'), help);
    });
  for (const form of [
    ['help', 'command', 'restart'],
    ['help', 'command', 'check'],
    ['ctl', 'restart', '--help'],
  ])
    assert.equal(await helpBy(...form), helpHere('command', form.includes('check') ? 'check' : 'restart'));
});

test('supervisorctl takes --help as a name where a script reads it', { skip }, async (t) => {
  const launched = await supervised(t);
  const { code, stdout } = await launched.enter(['supervisorctl', 'status', '--help']);
  assert.deepEqual([code, stdout], [4, '--help: ERROR (no such process)\n']);
});

/** Runs a command on a terminal, as a user of the container. */
async function onTerminal(launched: Launched, command: string): Promise<string> {
  const { stdout } = await launched.enter(['script', '--quiet', '--return', '--command', command, '/dev/null']);
  return stdout.replaceAll('\r', '');
}

test('on a terminal, errors say what to do; through a pipe they are those of Supervisor', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${CONFIG}[unix_http_server]\nfile=%FOLDER%/s.sock\n[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n`,
    env: { PATH },
  });
  await launched.waitForLine(/success: \S+ entered RUNNING/, { count: 3 });
  const socket = `${launched.folder}/s.sock`;
  await launched.enter(['chmod', '755', launched.folder]);
  assert.match(
    await onTerminal(launched, 'onevisor restart worker'),
    /^worker: ERROR \(no such process\)\nworker is a group; use 'worker:\*'\n/,
  );
  assert.equal(
    (await launched.enter(['onevisor', 'restart', 'worker'])).stdout,
    'worker: ERROR (no such process)\nworker: ERROR (no such process)\n',
  );
  assert.match(
    await onTerminal(launched, 'supervisorctl -s unix:///run/none.sock status'),
    /^Error: no supervisor answers at unix:\/\/\/run\/none\.sock \(from -s\): there is no such socket\nIs the /,
  );
  const nobody = `setpriv --reuid 65534 --regid 65534 --clear-groups onevisor ctl -s unix://${socket} status`;
  if (process.getuid?.() !== 0) return;
  assert.match(
    await onTerminal(launched, nobody),
    /: permission denied: we are uid 65534[^,]*, and the socket belongs to uid 0, gid 0, with mode 0700\nUse that user/,
  );
  assert.match((await launched.enter(['sh', '-c', nobody])).stdout, /^error: <class 'PermissionError'>, /);
});
