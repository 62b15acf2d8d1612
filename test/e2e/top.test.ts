/**
 * `onevisor top` of the built executable in a terminal: keys, whole screens, actions, a lost supervisor, the terminal
 * afterwards.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test, type TestContext } from 'node:test';
import { EXECUTABLE, launch, type Launched } from './launch.ts';
import { until } from './observe.ts';
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

/** Compares the settings of the terminal with those of before. */
const CHECK = '[ "$before" = "$(stty -g)" ] && echo "it is" sane';

/** Goes on with a stopped view, and shows its code. Keys that are typed while a view ends may be lost in it. */
const RESUME = 'clear; fg; echo "code $?"';

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
  await tmux.press(CHECK, 'Enter');
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

/** Replaces what differs between two runs; columns stay where they are. */
function masked(screen: string): string {
  return screen
    .replace(/\d\d:\d\d:\d\d(?:\.\d{3})?/g, (time) => '00:00:00.000'.slice(0, time.length))
    .replace(/\d+s ago/g, '0s ago')
    .replace(/ +\d+(?:\.\d)? [kM]B/g, (text) => 'MEMORY'.padStart(text.length))
    .replace(/ +\d+\.\d%/g, (text) => 'CPU%'.padStart(text.length))
    .replace(
      /^(. +\S+ +RUNNING +)(\d)( +)(?:\d+s|\d+m \d+s)/gm,
      (_all, before: string, restarts: string, gap: string) => `${before}${restarts}${gap.slice(0, -1)}UP`.trimEnd(),
    )
    .replace(/[ ]+$/gm, '');
}

/** Lines that a program writes slowly enough for times of their own. */
const COUNT = 'for n in 1 2 3 4 5 6; do echo "line $n"; sleep 0.01; done; echo oops >&2; exec sleep 1000\n';

/** A supervisor with one program of seven lines, and the view of its log. */
async function openCount(t: TestContext, env = ''): Promise<{ supervisor: Launched; tmux: Tmux; top: string }> {
  const config = CONFIG.replace(/\[program:web\][^]*/, '[program:count]\ncommand=sh %FOLDER%/count.sh\nstartsecs=0\n');
  const supervisor = await launch(t, { as: 'plain', config, args: ['-n'], files: { 'count.sh': COUNT } });
  await supervisor.waitForLine(/success: count entered RUNNING/);
  const tmux = await Tmux.start(t, ['bash', '--norc', '--noprofile'], { PS1: '$ ', HISTFILE: '' });
  const top = `${EXECUTABLE} top -c ${supervisor.folder}/supervisord.conf`;
  await tmux.press('before=$(stty -g)', 'Enter', `clear; ${env} ${top}; echo "code $?"`, 'Enter');
  await tmux.sees(/^onevisor top {2}1 process/);
  await tmux.press('Enter', 'f');
  await tmux.sees(/! oops/);
  return { supervisor, tmux, top };
}

test('a log in 80 × 24: parts of time, mark, wrap, copy, and the whole screen', needsTmux, async (t) => {
  const { tmux } = await openCount(t);
  await tmux.press('m');
  await tmux.sees(/---- mark at/);
  assert.equal(
    masked(await tmux.screen()),
    `onevisor top  1 process: 1 running
── log of count ─ following ────────────────────────────────────────────────────
00:00:00.000 * the supervisor has started
00:00:00.000 * starting: autostart
00:00:00.000 * running: pid PID
00:00:00.000 | line 1
00:00:00.000 | line 2
00:00:00.000 | line 3
00:00:00.000 | line 4
00:00:00.000 | line 5
00:00:00.000 | line 6
00:00:00.000 ! oops
00:00:00.000 * ---- mark at 00:00:00 ----










? help  Esc back  / filter  Space hold  f full  t times  w wrap  o pager  : more
`.replace('PID', /pid (\d+)/.exec(await tmux.screen())?.[1] ?? ''),
  );
  for (const [key, title] of [
    ['2', 'last 1m'],
    ['3', 'last 5m'],
    ['4', 'last 15m'],
    ['5', 'last 30m'],
    ['6', 'last 1h'],
  ] as const) {
    await tmux.press(key);
    const screen = await tmux.sees(new RegExp(`─ log of count ─ ${title} ─ following`));
    assert.match(screen, /\| line 1\n[^]*\| line 6\n[^]*! oops/);
    assert.doesNotMatch(screen, /mark at/);
  }
  await tmux.press('1');
  await tmux.sees(/─ from the beginning ─ held, G follows/);
  await tmux.press('0', 't');
  await tmux.sees(/^\| line 1\n\| line 2/m);
  await tmux.press('c');
  await tmux.sees(/copied, if the terminal allows it: \d+ lines/);
  assert.match(await tmux.copied(), /^line 1\nline 2\nline 3\nline 4\nline 5\nline 6\noops\n$/m);
  await tmux.press('/', 'o', 'o', 'Enter', 'y');
  await tmux.sees(/only "oo"/);
  await tmux.press('q');
  await seesSaneTerminal(tmux, 0);
});

test('a log in the pager, which gets the terminal and gives it back', needsTmux, async (t) => {
  const { tmux } = await openCount(t, `PAGER='cat; read answer </dev/tty; echo "got $answer"; sleep 0.1 #'`);
  await tmux.press('o');
  const shown = await tmux.sees(/^[\d:.]{12} count ! oops\n+$/m);
  assert.match(shown, /^[\d:.]{12} count \| line 1$/m);
  // Lines and keys in the meantime are the pager's. Ctrl-C is not ours, and Ctrl-Z stops both.
  await tmux.press('C-z');
  await tmux.sees(/Stopped/);
  await tmux.press(RESUME, 'Enter');
  await tmux.sees(/^PAGER=[^]* top -c/m);
  await tmux.press('q', 'Enter');
  await tmux.sees(/─ log of count ─ following/);
  await tmux.press('q');
  await seesSaneTerminal(tmux, 0);
});

test('without a pager it says so', needsTmux, async (t) => {
  const { tmux } = await openCount(t, 'PAGER=/nosuch/pager');
  await tmux.press('o');
  await tmux.sees(/no pager: .*\/nosuch\/pager/);
  await tmux.press('q');
  await seesSaneTerminal(tmux, 0);
});

test('the palette finds commands and programs by words, in 200 × 50', needsTmux, async (t) => {
  const { supervisor, tmux } = await openTop(t);
  await tmux.resize(200, 50);
  await tmux.press('/', 'w', 'e', 'b', 'Enter', ':');
  await tmux.sees(/^ logs web/m);
  await tmux.press('s', 't', 'o', 'Space', '_', '1');
  const screen = await tmux.sees(/^:sto _1/m);
  assert.equal(
    masked(screen).split('\n').slice(-11).join('\n'),
    `:sto _1
 stop worker:worker_1  s







↑ ↓ choose  Enter do it  Tab complete  Esc cancel
`,
  );
  await tmux.press('Enter');
  await tmux.sees(/^Stop worker:worker_1\? \[Cancel\] {2}Stop/m);
  await tmux.press('Right', 'Enter');
  await tmux.sees(/worker_1 +STOPPED/);
  await supervisor.waitForLine(/stopped: worker_1/);
  await tmux.press(':', 'm', 'e', 'm', 'Enter');
  await tmux.sees(/MEM↓/);
  await tmux.press(':', 'q', 'u', 'i', 't', 'Enter');
  await seesSaneTerminal(tmux, 0);
});

test('read-only shows no action and does none', needsTmux, async (t) => {
  const { supervisor, tmux, top } = await open(t);
  await tmux.press('before=$(stty -g)', 'Enter', `clear; ${top} --read-only; echo "code $?"`, 'Enter');
  await tmux.sees(/^onevisor top.*read-only/);
  for (const key of ['r', 's', 'S', 'x']) {
    await tmux.press('j', key);
    await tmux.sees(/read-only: --read-only switches actions off/);
  }
  await tmux.press(':', 's', 't', 'o', 'p');
  await tmux.sees(/nothing has these words/);
  await tmux.press('Escape', 'q');
  await seesSaneTerminal(tmux, 0);
  assert.doesNotMatch(supervisor.stdout.text, /stopped: /);
});

test('a closed terminal ends the view', needsTmux, async (t) => {
  const { tmux } = await openTop(t);
  const pid = await tmux.child();
  await tmux.close();
  await until('the view has ended', async () => !existsSync(`/proc/${pid}`));
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

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
  ['SIGQUIT', 131],
] as const)
  test(`gives the terminal back after ${signal}`, needsTmux, async (t) => {
    const { tmux } = await openTop(t);
    process.kill(await tmux.child(), signal);
    await seesSaneTerminal(tmux, code);
  });

test('stops by Ctrl-Z and SIGSTOP with a sane terminal, and goes on', needsTmux, async (t) => {
  const { tmux, top } = await open(t);
  await tmux.press('before=$(stty -g)', 'Enter', top, 'Enter');
  await tmux.sees(/^onevisor top {2}6 processes/);
  await tmux.press('C-z');
  await tmux.sees(/Stopped/);
  await tmux.press('clear', 'Enter', CHECK, 'Enter');
  await tmux.sees(/^it is sane$/m);
  await tmux.press(RESUME, 'Enter');
  await tmux.sees(/^onevisor top {2}6 processes/);
  // Nothing can be given back before SIGSTOP. The shell restores its terminal, and the view takes it again.
  process.kill(await tmux.child(), 'SIGSTOP');
  await tmux.sees(/Stopped/);
  await tmux.press(RESUME, 'Enter', 'G');
  await tmux.sees(/^onevisor top {2}6 processes/);
  await tmux.press('q');
  await seesSaneTerminal(tmux, 0);
});

test('without a terminal it is status, with its exit code', async (t) => {
  const supervisor = await launch(t, { config: CONFIG, args: ['-n'], files: { 'web.sh': WEB } });
  await supervisor.waitForLine(/success: worker_2 entered RUNNING/);
  const { code, stdout, stderr } = await supervisor.ctl('-c', `${supervisor.folder}/supervisord.conf`, 'top');
  assert.equal(stderr, 'top needs a terminal, and standard output is none; this is the status, once\n');
  assert.match(stdout, /^crash +FATAL/m);
  assert.equal(code, 3);
});
