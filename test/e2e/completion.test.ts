/**
 * The completion scripts in real shells: bash, zsh and fish complete commands, options and the names of the running
 * supervisor. Each shell runs beside the supervisor, as after `docker exec`.
 */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test, type TestContext } from 'node:test';
import { isInstalled } from '../../build/rootfs.ts';
import { findCommand, typedCommands } from '../../src/cli/commands.ts';
import { runCompletion } from '../../src/programs/completion.ts';
import { needsTerminal, runInTerminal, type Step } from '../conformance/ctl-terminal.ts';
import { EXECUTABLE, launch, type Launched, pid1SkipReason } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
const CONFIG =
  '[supervisord]\n[program:web]\ncommand=sleep 1000\n' +
  '[program:worker]\ncommand=sleep 1000\nnumprocs=2\nprocess_name=w%(process_num)d\n';

/** Lines to complete, and the words that a shell must offer. */
type Expected = ReadonlyArray<readonly [line: string, expected: readonly string[]]>;

/** Lines that each shell completes. */
const LINES: Expected = [
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

/** Starts a supervisor, with the completion script of a shell in its folder. */
async function supervised(t: TestContext, shell: string, config = CONFIG): Promise<Launched> {
  const launched = await launch(t, { config });
  const count = config === CONFIG ? 3 : 4;
  await launched.waitForLine(/success: \S+ entered RUNNING/, { count });
  assert.equal((await launched.enter(['sh', '-c', `${EXECUTABLE} completion ${shell} >script.${shell}`])).code, 0);
  return launched;
}

/** Printed by a shell after the words of each line. */
const END_OF_LINE = '=== end of a line';

/** Runs a script of a shell. Returns its groups of lines, each sorted. Errors must not be seen. */
async function groupsOf(launched: Launched, command: readonly string[]): Promise<string[][]> {
  const { code, stdout, stderr } = await launched.enter(command);
  assert.deepEqual([code, stderr], [0, ''], command.join(' '));
  const groups = stdout.split(`${END_OF_LINE}\n`);
  assert.equal(groups.pop(), '', command.join(' '));
  return groups.map((group) =>
    group
      .split('\n')
      .filter((line) => line !== '')
      .toSorted(),
  );
}

/** Completes lines in one run of a shell, and compares the words of each line in a test. */
async function completeLines(
  t: TestContext,
  wanted: Expected,
  complete: (lines: readonly string[]) => Promise<string[][]>,
): Promise<void> {
  const offered = await complete(wanted.map(([line]) => line));
  assert.equal(offered.length, wanted.length);
  for (const [index, [line, expected]] of wanted.entries())
    await t.test(line, () => assert.deepEqual(offered[index], expected.toSorted()));
}

/** Calls the function as bash does for each line with the cursor at its end. */
const BASH = `
source ./script.bash
complete -p onevisor supervisorctl >/dev/null
for line; do
  COMP_LINE=$line COMP_POINT=\${#line}
  _onevisor
  printf '%s\\n' "\${COMPREPLY[@]}" '${END_OF_LINE}'
done
`;

test('bash', { skip: (await isInstalled('bash')) ? skip : 'bash is not installed' }, async (t) => {
  const launched = await supervised(t, 'bash');
  const conditions = ['completed', 'exited', 'healthy', 'ready', 'started'];
  await completeLines(
    t,
    [
      ...LINES,
      // Bash replaces only what is after the colon.
      ['onevisor stop worker:', ['\\*', 'w0', 'w1']],
      ['onevisor stop wor', ['worker:\\*', 'worker:w0', 'worker:w1']],
      ["onevisor stop 'worker:", ['worker:*', 'worker:w0', 'worker:w1']],
      ['onevisor stop worker:w0 worker:w', ['w1']],
      ['/usr/bin/onevisor stop web we', []],
      ['onevisor wait web:', ['\\*', ...conditions, 'web']],
      ["onevisor wait 'web:st", ['web:started']],
      ['onevisor wait web', ['web', ...conditions.map((condition) => `web:${condition}`)]],
    ],
    (lines) => groupsOf(launched, ['bash', '-c', BASH, 'bash', ...lines]),
  );
});

/** A name with everything that a shell reads in quotes. */
const HOSTILE = 'q"u$(id)`id`\\b!1\'a';

test(
  'bash with a keyboard: a hostile name in quotes',
  { skip: (await isInstalled('bash')) ? (needsTerminal.skip ?? skip) : 'bash is not installed' },
  async (t) => {
    const launched = await supervised(t, 'bash', `${CONFIG}[program:${HOSTILE}]\ncommand=sleep 1000\n`);
    const there = ['--target', String(launched.pid), '--mount', '--pid', `--wdns=${launched.folder}`, '--'];
    const typed = ['"q', "'q", 'q', "'q'", 'q"'];
    const { lines } = await runInTerminal(
      ['/usr/bin/nsenter', ...there, 'bash', '--norc', '--noprofile', '-i'],
      [
        ['[#$] $', 'PS1="READY "; source ./script.bash\r'],
        ...typed.flatMap((word): Step[] => [
          ['READY $', `onevisor pid ${word}\t`],
          ['a["\']? $', '\r'],
        ]),
        ['READY $', 'exit\r'],
      ],
      {
        cwd: launched.folder,
        patience: 15,
        env: { PATH: `${dirname(EXECUTABLE)}:${process.env['PATH']}`, ONEVISOR_CONF: '' },
      },
    );
    const screen = lines.join('\n');
    assert.equal(screen.match(/^\d+$/gm)?.length, typed.length, screen);
    assert.doesNotMatch(screen, /uid=|no such process/);
  },
);

test(
  'bash with a keyboard: names with a colon',
  { skip: (await isInstalled('bash')) ? (needsTerminal.skip ?? skip) : 'bash is not installed' },
  async (t) => {
    const launched = await supervised(t, 'bash');
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

/**
 * Types lines in an interactive zsh and lists what compadd gets. Ctrl-X completes, and then says so. Ctrl-U removes the
 * line before. The output of the shell is read, since it stops when its terminal is full.
 */
const ZSH = `
zmodload zsh/zpty zsh/zselect
zpty shell zsh -f -i
zpty -w shell 'autoload -Uz compinit && compinit -u -d ./dump; source ./script.zsh'
zpty -w shell 'compadd() { builtin compadd "$@"; [[ \${argv[-2]} == -a ]] && print -rl -- \${(P)argv[-1]} >>|./found }'
zpty -w shell 'finish() { zle complete-word; print all-done >>|./found }; zle -N finish; bindkey "^X" finish'
# Ctrl-X begins other keys, which zsh waits for.
zpty -w shell 'KEYTIMEOUT=1'
zpty -w shell 'print -r -- start-"here"'
zpty -r shell output '*start-here*'
for line; do
  : >|./found
  zpty -n -w shell $'\\x15'"$line"$'\\x18'
  until [[ "$(<./found)" == *all-done ]]; do
    while zpty -r -t shell output; do :; done
    zselect -t 2
  done
  print -r -- "$(<./found)"
  print -r -- '${END_OF_LINE}'
done
zpty -d shell
`;

/** Lines for a shell that has to replace a whole word. */
const MORE_LINES: Expected = [
  ['onevisor stop wor', ['worker:*', 'worker:w0', 'worker:w1']],
  ['onevisor wait worker:w0:h', ['worker:w0:healthy']],
  ['onevisor ctl wait web:re', ['web:ready']],
  ['onevisor stop worker:w0 worker:w', ['worker:w1']],
];

test('zsh', { skip: (await isInstalled('zsh')) ? skip : 'zsh is not installed' }, async (t) => {
  const launched = await supervised(t, 'zsh');
  await completeLines(
    t,
    [...LINES, ...MORE_LINES, ["onevisor stop 'worker:w", ['worker:w0', 'worker:w1']]],
    async (lines) => {
      const found = await groupsOf(launched, ['zsh', '-f', '-c', ZSH, 'zsh', ...lines]);
      return found.map((words) => [...new Set(words)].filter((word) => word !== 'all-done'));
    },
  );
});

/** Completes lines as fish does at the Tab key. */
const FISH = `
source ./script.fish
for line in $argv
    complete -C $line
    echo '${END_OF_LINE}'
end
`;

test('fish', { skip: (await isInstalled('fish')) ? skip : 'fish is not installed' }, async (t) => {
  const launched = await supervised(t, 'fish');
  const complete = (lines: readonly string[]): Promise<string[][]> =>
    groupsOf(launched, ['fish', '--no-config', '-c', FISH, ...lines]);
  await completeLines(t, [...LINES, ...MORE_LINES], async (lines) =>
    (await complete(lines)).map((words) => words.map((word) => word.replace(/\t.*/, ''))),
  );
  assert.deepEqual(await complete(['onevisor dem']), [['demo\tRun three small programs, to try onevisor out']]);
});

test('paths are left to the shell', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n', files: { 'some.conf': '', 'folder/x': '' } });
  const words = async (...line: string[]): Promise<string> =>
    (await launched.enter([EXECUTABLE, 'completion', 'words', 'fish', ...line])).stdout;
  assert.equal(await words('onevisor', 'check', '-c', ''), ':file\n');
  assert.equal(await words('onevisor', 'install', ''), ':directory\n');
  assert.match(await words('onevisor', 'ctl', 'sh'), /^shutdown\t/);
  // No supervisor is asked for these lines, so they need no start of the executable.
  const wordsHere = async (...line: string[]): Promise<string> => {
    let text = '';
    const io = { out: (more: string) => void (text += more), err: assert.fail, env: {}, calledPath: EXECUTABLE };
    assert.equal(await runCompletion(['words', 'fish', ...line], io), 0);
    return text;
  };
  assert.equal(await wordsHere('onevisor', '-c', ''), ':file\n');
  assert.equal(await wordsHere('onevisor', '--', 'ba'), ':file\n');
  assert.equal(await wordsHere('onevisor', '-n', '--', 'sh', '-'), ':file\n');
  for (const line of [
    ['nosuch', ''],
    ['demo', ''],
    ['ctl', 'open', ''],
    ['-u', ''],
    ['ctl', 'check', ''],
  ])
    assert.equal(await wordsHere('onevisor', ...line), '', line.join(' '));
  assert.match(await wordsHere('supervisorctl', '-'), /^-c\t.*\n[^]*--serverurl\t/);
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
  assert.deepEqual(await words('bash', "onevisor hea'l"), ['lth', ''], 'bash replaces the text after a quote');
  assert.deepEqual(await words('bash', 'onevisor ctl -x stop a'), ['all', ''], 'an option that does not exist');
  const refused = await launch(t, { as: 'plain', args: ['completion', 'tcsh'] });
  assert.equal((await refused.exit).code, 2);
  assert.match(refused.stderr.text, /^Error: there is no completion for "tcsh", only for bash, zsh, fish$/m);
});
