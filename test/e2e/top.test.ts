/** `onevisor top` of the built executable in a terminal: keys, actions, a lost supervisor, the terminal afterwards. */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { EXECUTABLE, launch, type Launched } from './launch.ts';
import { needsTmux, Tmux } from './tmux.ts';

const CONFIG = `
[supervisord]
nodaemon=true
pidfile=%FOLDER%/pid
[unix_http_server]
file=%FOLDER%/s.sock
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
[program:web]
command=sh %FOLDER%/web.sh
[program:worker]
command=sleep 1000
process_name=worker_%(process_num)d
numprocs=3
startsecs=0
[program:slow]
command=sh -c 'trap "sleep 1; exit 0" TERM; while :; do sleep 0.1; done'
startsecs=0
[program:crash]
command=sh -c 'exit 3'
startretries=0
`;

/** Writes colours, and sequences that change a terminal. */
const WEB = `printf '\\033[32mgreen\\033[0m \\033]0;title\\007and \\033[2Jplain\\n'
echo broken >&2
exec sleep 1000
`;

/** A supervisor, and a shell in a terminal beside it. */
async function open(t: TestContext): Promise<{ supervisor: Launched; tmux: Tmux; top: string }> {
  const supervisor = await launch(t, { as: 'plain', config: CONFIG, args: ['-n'], files: { 'web.sh': WEB } });
  await supervisor.waitForLine(/success: worker_2 entered RUNNING/);
  const tmux = await Tmux.start(t, ['bash', '--norc', '--noprofile'], { PS1: '$ ', HISTFILE: '' });
  return { supervisor, tmux, top: `${EXECUTABLE} top -c ${supervisor.folder}/supervisord.conf` };
}

/** Opens the view; the shell has noted the settings of its terminal. */
async function openTop(t: TestContext): Promise<Awaited<ReturnType<typeof open>>> {
  const opened = await open(t);
  await opened.tmux.press('before=$(stty -g)', 'Enter', `clear; ${opened.top}; echo "code $?"`, 'Enter');
  await opened.tmux.sees(/^onevisor top {2}6 processes/);
  return opened;
}

/** Waits for the end of the view, and compares the settings of the terminal. */
async function seesSaneTerminal(tmux: Tmux, code: number): Promise<void> {
  await tmux.sees(new RegExp(`code ${code}\\n`));
  await tmux.press('[ "$before" = "$(stty -g)" ] && echo "it is" sane', 'Enter');
  const screen = await tmux.sees(/^it is sane$/m);
  assert.doesNotMatch(screen, /onevisor top {2}/, 'the screen from before is back');
}

test('shows, sorts and filters processes, and their logs', needsTmux, async (t) => {
  const { tmux } = await openTop(t);
  await tmux.sees(/^✗ crash +FATAL .*exit 3/m);
  assert.match(await tmux.sees(/^● ▾ worker +3\/3 /m), /NAME↓/);
  await tmux.press('U');
  await tmux.sees(/UPTIME↓/);
  await tmux.press('/', 'w', 'e', 'b');
  await tmux.sees(/^Filter: web/m);
  await tmux.press('Enter', 'Enter');
  const log = await tmux.sees(/── log of web ─ following/);
  assert.match(log, /^[\d:.]{12} \| green and plain$/m);
  assert.match(log, /^[\d:.]{12} ! broken$/m);
  await tmux.press('Escape', 'd');
  await tmux.sees(/description of web[^]*Command: sh /);
  await tmux.resize(40, 10);
  assert.equal((await tmux.sees(/^── description of web ─+$/m)).trimEnd().split('\n').length <= 10, true);
  await tmux.resize(100, 30);
  await tmux.sees(/description of web ─{50}/);
  await tmux.press('?');
  await tmux.sees(/^Leave +q Ctrl-C/m);
  await tmux.press('x', 'q');
  await seesSaneTerminal(tmux, 0);
});

test('stops after a question, starts, signals and restarts', needsTmux, async (t) => {
  const { supervisor, tmux } = await openTop(t);
  await tmux.press('G', 's');
  await tmux.sees(/^Stop worker:worker_2\? \[Cancel\] {2}Stop/m);
  await tmux.press('Enter');
  await tmux.sees(/^\? help/m);
  await tmux.press('s', 'Right', 'Enter');
  await tmux.sees(/worker_2 +STOPPED/);
  await tmux.press('S');
  await tmux.sees(/worker:worker_2: start requested/);
  await tmux.sees(/worker_2 +RUNNING/);
  await tmux.press('x', 'Right', 'Enter');
  await tmux.sees(/worker:worker_2: HUP was sent/);
  await tmux.press('Left', 'r', 'Right', 'Right', 'Enter');
  await tmux.sees(/rolling restart of worker:\*: all 3 processes are up/);
  await supervisor.waitForLine(/stopped: worker_0/);
  await tmux.press('q');
  await seesSaneTerminal(tmux, 0);
});

test('a restart that is under way when the view ends is finished', needsTmux, async (t) => {
  const { supervisor, tmux } = await openTop(t);
  await tmux.press('/', 's', 'l', 'o', 'w', 'Enter', 'r', 'Right', 'Enter', 'q');
  await tmux.sees(/^finishing the restart of slow; Ctrl-C leaves it stopped$/m);
  await seesSaneTerminal(tmux, 0);
  await supervisor.waitForLine(/spawned: 'slow'/, { count: 2 });
});

test('shows the loss of a killed supervisor, and leaves a sane terminal', needsTmux, async (t) => {
  const { supervisor, tmux } = await openTop(t);
  await tmux.press('Enter');
  supervisor.signal('SIGKILL');
  await tmux.sees(/^disconnected since [\d:]{8}, trying again: /);
  await tmux.press('Escape', 's');
  await tmux.sees(/not connected/);
  await tmux.press('q');
  await seesSaneTerminal(tmux, 0);
});

test('gives the terminal back after SIGTERM', needsTmux, async (t) => {
  const { tmux } = await openTop(t);
  process.kill(await tmux.child(), 'SIGTERM');
  await seesSaneTerminal(tmux, 143);
});

test('stops by Ctrl-Z and SIGSTOP with a sane terminal, and goes on', needsTmux, async (t) => {
  const { tmux, top } = await open(t);
  await tmux.press('before=$(stty -g)', 'Enter', top, 'Enter');
  await tmux.sees(/^onevisor top {2}6 processes/);
  const check = '[ "$before" = "$(stty -g)" ] && echo "it is" sane';
  await tmux.press('C-z');
  await tmux.sees(/Stopped/);
  await tmux.press('clear', 'Enter', check, 'Enter');
  await tmux.sees(/^it is sane$/m);
  await tmux.press('fg', 'Enter');
  await tmux.sees(/^onevisor top {2}6 processes/);
  // Nothing can be given back before SIGSTOP. The shell restores its terminal, and the view takes it again.
  process.kill(await tmux.child(), 'SIGSTOP');
  await tmux.sees(/Stopped/);
  await tmux.press('fg', 'Enter', 'G');
  await tmux.sees(/^onevisor top {2}6 processes/);
  await tmux.press('q');
  await tmux.press('clear', 'Enter', check, 'Enter');
  await tmux.sees(/^it is sane$/m);
});

test('without a terminal it is status, with its exit code', async (t) => {
  const supervisor = await launch(t, { config: CONFIG, args: ['-n'], files: { 'web.sh': WEB } });
  await supervisor.waitForLine(/success: worker_2 entered RUNNING/);
  const { code, stdout, stderr } = await supervisor.ctl('-c', `${supervisor.folder}/supervisord.conf`, 'top');
  assert.equal(stderr, 'top needs a terminal, and standard output is none; this is the status, once\n');
  assert.match(stdout, /^crash +FATAL/m);
  assert.equal(code, 3);
});
