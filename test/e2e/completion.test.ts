/**
 * The completion scripts in real shells: bash, zsh and fish complete commands, options and the names of the running
 * supervisor. Each shell runs beside the supervisor, as after `docker exec`.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { findCommand, typedCommands } from '../../src/cli/commands.ts';
import { needsTerminal, runInTerminal } from '../conformance/ctl-terminal.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const CONFIG =
  '[supervisord]\n[program:web]\ncommand=sleep 1000\n' +
  '[program:worker]\ncommand=sleep 1000\nnumprocs=2\nprocess_name=w%(process_num)d\n';

/** Lines to complete, and the words that a shell must offer. */
const LINES: ReadonlyArray<readonly [line: string, expected: readonly string[]]> = [
  ['onevisor re', typedCommands.map(({ name }) => name).filter((name) => name.startsWith('re'))],
  ['onevisor --nod', ['--nodaemon']],
  [
    'onevisor restart --',
    [
      '--configuration',
      '--help',
      '--password',
      '--serverurl',
      '--username',
      ...(findCommand('restart')?.options ?? []).flatMap(({ names }) => names),
    ].toSorted(),
  ],
  ['onevisor restart we', ['web']],
  ['onevisor ctl stop we', ['web']],
  ['supervisorctl tail web std', ['stderr', 'stdout']],
  ['onevisor signal HU', ['HUP']],
  ['onevisor wait we', ['web']],
  ['onevisor update w', ['web', 'worker']],
  ['onevisor help autores', ['autorestart']],
  ['onevisor completion z', ['zsh']],
  ['onevisor help order', ['order-and-health']],
  ['onevisor -s unix:///no', []],
  ['onevisor status -s unix:///nowhere we', []],
];

async function supervised(t: TestContext): Promise<Launched> {
  const launched = await launch(t, { config: CONFIG });
  await launched.waitForLine(/success: \S+ entered RUNNING/, { count: 3 });
  for (const shell of ['bash', 'zsh', 'fish'])
    assert.equal((await launched.enter(['sh', '-c', `${EXECUTABLE} completion ${shell} >script.${shell}`])).code, 0);
  return launched;
}

/** Runs a script of a shell and returns its lines, sorted. Errors must not be seen. */
async function linesOf(launched: Launched, command: readonly string[]): Promise<string[]> {
  const { code, stdout, stderr } = await launched.enter(command);
  assert.deepEqual([code, stderr], [0, ''], command.join(' '));
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .toSorted();
}

/** Completes {@link LINES}, each as a test: on a busy machine, all of them together take minutes. */
async function completeLines(t: TestContext, complete: (line: string) => Promise<string[]>): Promise<void> {
  for (const [line, expected] of LINES)
    await t.test(line, async () => assert.deepEqual(await complete(line), expected.toSorted()));
}

/** Calls the function as bash does for a line with the cursor at its end. */
const BASH = `
source ./script.bash
complete -p onevisor supervisorctl >/dev/null
COMP_LINE=$1 COMP_POINT=\${#1}
_onevisor
printf '%s\\n' "\${COMPREPLY[@]}"
`;

test('bash', { skip: (await isInstalled('bash')) ? skip : 'bash is not installed' }, async (t) => {
  const launched = await supervised(t);
  const complete = (line: string): Promise<string[]> => linesOf(launched, ['bash', '-c', BASH, 'bash', line]);
  await completeLines(t, complete);
  // Bash replaces only what is after the colon.
  assert.deepEqual(await complete('onevisor stop worker:'), ['\\*', 'w0', 'w1']);
  assert.deepEqual(await complete('onevisor stop wor'), ['worker:\\*', 'worker:w0', 'worker:w1']);
  assert.deepEqual(await complete("onevisor stop 'worker:"), ['worker:*', 'worker:w0', 'worker:w1']);
  assert.deepEqual(await complete('onevisor stop worker:w0 worker:w'), ['w1']);
  assert.deepEqual(await complete('/usr/bin/onevisor stop web we'), []);
  const conditions = ['completed', 'exited', 'healthy', 'ready', 'started'];
  assert.deepEqual(await complete('onevisor wait web:'), ['\\*', ...conditions, 'web'].toSorted());
  assert.deepEqual(await complete("onevisor wait 'web:st"), ['web:started']);
  assert.deepEqual(
    await complete('onevisor wait web'),
    ['web', ...conditions.map((condition) => `web:${condition}`)].toSorted(),
  );
});

test(
  'bash with a keyboard: names with a colon',
  { skip: (await isInstalled('bash')) ? (needsTerminal.skip ?? skip) : 'bash is not installed' },
  async (t) => {
    const launched = await supervised(t);
    const there = ['--target', String(launched.pid), '--mount', '--pid', `--wdns=${launched.folder}`, '--'];
    const { lines } = await runInTerminal(
      ['/usr/bin/nsenter', ...there, 'bash', '--norc', '--noprofile', '-i'],
      [
        ['[#$] $', 'PS1="READY "; source ./script.bash\r'],
        ['READY $', 'onevisor pid wor\t'],
        ['ker:$', 'w1\t'],
        ['w1 $', '\r'],
        ['\\d+\\s+READY $', "onevisor pid 'worker:w0\t\r"],
        ['\\d+\\s+READY $', 'exit\r'],
      ],
      {
        cwd: launched.folder,
        patience: 15,
        env: { PATH: `${dirname(EXECUTABLE)}:${process.env['PATH']}`, ONEVISOR_CONF: '' },
      },
    );
    const screen = lines.join('\n');
    assert.match(screen, /^READY onevisor pid worker:w1\n\d+$/m);
    assert.match(screen, /^READY onevisor pid 'worker:w0'\n\d+$/m);
  },
);

/** Types a line in an interactive zsh and lists what compadd gets. Ctrl-X completes, and then says so. */
const ZSH = `
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit && compinit -u -d ./dump; source ./script.zsh'
zpty -w shell 'compadd() { builtin compadd "$@"; [[ \${argv[-2]} == -a ]] && print -rl -- \${(P)argv[-1]} >>|./found }'
zpty -w shell 'finish() { zle complete-word; print all-done >>|./found }; zle -N finish; bindkey "^X" finish'
zpty -w shell 'print -r -- start-"here"'
zpty -r shell output '*start-here*'
zpty -n -w shell "$1"$'\\x18'
until [[ "$(<./found)" == *all-done ]]; do sleep 0.05; done
zpty -d shell
`;

test('zsh', { skip: (await isInstalled('zsh')) ? skip : 'zsh is not installed' }, async (t) => {
  const launched = await supervised(t);
  const complete = async (line: string): Promise<string[]> => {
    await launched.enter(['sh', '-c', ': >found']);
    await launched.enter(['zsh', '-f', '-c', ZSH, 'zsh', line]);
    const found = await linesOf(launched, ['cat', 'found']);
    return [...new Set(found)].filter((word) => word !== 'all-done');
  };
  await completeLines(t, complete);
  assert.deepEqual(await complete('onevisor stop wor'), ['worker:*', 'worker:w0', 'worker:w1']);
  assert.deepEqual(await complete("onevisor stop 'worker:w"), ['worker:w0', 'worker:w1']);
  assert.deepEqual(await complete('onevisor wait worker:w0:h'), ['worker:w0:healthy']);
  assert.deepEqual(await complete('onevisor ctl wait web:re'), ['web:ready']);
  assert.deepEqual(await complete('onevisor stop worker:w0 worker:w'), ['worker:w1']);
});

test('fish', { skip: (await isInstalled('fish')) ? skip : 'fish is not installed' }, async (t) => {
  const launched = await supervised(t);
  const complete = async (line: string): Promise<string[]> => {
    const found = await linesOf(launched, [
      'fish',
      '--no-config',
      '-c',
      'source ./script.fish; complete -C $argv[1]',
      line,
    ]);
    return found.map((word) => word.replace(/\t.*/, ''));
  };
  await completeLines(t, complete);
  assert.deepEqual(await complete('onevisor stop wor'), ['worker:*', 'worker:w0', 'worker:w1']);
  assert.deepEqual(await complete('onevisor wait worker:w0:h'), ['worker:w0:healthy']);
  assert.deepEqual(await complete('onevisor ctl wait web:re'), ['web:ready']);
  assert.deepEqual(await complete('onevisor stop worker:w0 worker:w'), ['worker:w1']);
  const described = await linesOf(launched, [
    'fish',
    '--no-config',
    '-c',
    'source ./script.fish; complete -C "onevisor dem"',
  ]);
  assert.deepEqual(described, ['demo\tRun three small programs, to try onevisor out']);
});

test('paths are left to the shell', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n', files: { 'some.conf': '', 'folder/x': '' } });
  const words = async (...line: string[]): Promise<string> =>
    (await launched.enter([EXECUTABLE, 'completion', 'words', 'fish', ...line])).stdout;
  assert.equal(await words('onevisor', 'check', '-c', ''), ':file\n');
  assert.equal(await words('onevisor', '-c', ''), ':file\n');
  assert.equal(await words('onevisor', 'install', ''), ':directory\n');
  assert.equal(await words('onevisor', '--', 'ba'), ':file\n');
  assert.equal(await words('onevisor', '-n', '--', 'sh', '-'), ':file\n');
  for (const line of [
    ['nosuch', ''],
    ['demo', ''],
    ['ctl', 'open', ''],
    ['-u', ''],
    ['ctl', 'check', ''],
  ])
    assert.equal(await words('onevisor', ...line), '', line.join(' '));
  assert.match(await words('onevisor', 'ctl', 'sh'), /^shutdown\t/);
  assert.match(await words('supervisorctl', '-'), /^-c\t.*\n[^]*--serverurl\t/);
});

test('a supervisor that does not answer costs a second, and no word', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n[unix_http_server]\nfile=%FOLDER%/s.sock\n' });
  await launched.waitForLine(/supervisord started/);
  launched.signal('SIGSTOP');
  const started = performance.now();
  const { code, stdout, stderr } = await launched.enter([
    EXECUTABLE,
    'completion',
    'words',
    'bash',
    `onevisor ctl -s unix://${launched.folder}/s.sock status w`,
  ]);
  const seconds = (performance.now() - started) / 1000;
  launched.signal('SIGCONT');
  assert.deepEqual([code, stdout, stderr], [0, '', '']);
  assert.ok(seconds > 0.9 && seconds < 5, `took ${seconds} s`);
});

test('without a supervisor there are commands, and no errors', async (t) => {
  const words = async (...line: string[]) => {
    const launched = await launch(t, { as: 'plain', args: ['completion', 'words', ...line] });
    assert.equal((await launched.exit).code, 0);
    return [launched.stdout.text, launched.stderr.text];
  };
  assert.deepEqual(await words('bash', 'onevisor ctl -s unix:///nowhere stop '), ['all', '']);
  assert.deepEqual(await words('bash', 'onevisor ctl -c /nowhere.conf stop '), ['all', '']);
  assert.deepEqual(await words('bash', 'onevisor ctl -s nonsense stop '), ['all', '']);
  assert.deepEqual(await words('bash', "onevisor hea'l"), ['health', ''], 'with a quote in the middle');
  assert.deepEqual(await words('bash', 'onevisor ctl -x stop a'), ['all', ''], 'an option that does not exist');
  const refused = await launch(t, { as: 'plain', args: ['completion', 'tcsh'] });
  assert.equal((await refused.exit).code, 2);
  assert.match(refused.stderr.text, /^Error: there is no completion for "tcsh", only for bash, zsh, fish$/m);
});
