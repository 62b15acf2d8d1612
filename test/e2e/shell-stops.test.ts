/**
 * Ctrl-Z and `fg` in the shell of `onevisor ctl`, in a terminal: at the prompt, in a line, at a password, in the
 * command `fg`, and after SIGSTOP.
 */
import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { EXECUTABLE, launch } from './launch.ts';
import { needsTmux, Tmux } from './tmux.ts';

const CONFIG = `
[supervisord]
nodaemon=true
pidfile=%FOLDER%/pid
[unix_http_server]
file=%FOLDER%/s.sock
%USER%
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
prompt=here
[program:cat]
command=sh -c 'exec sed -u s/^/got-/'
startsecs=0
`;

/** Compares the settings of the terminal with those of before. */
const CHECK = 'clear; [ "$before" = "$(stty -g)" ] && echo "it is" sane';

/** Opens the shell in a terminal, below a shell that has noted the settings of the terminal. */
async function open(t: TestContext, user = ''): Promise<Tmux> {
  const config = CONFIG.replace('%USER%', user);
  const supervisor = await launch(t, { as: 'plain', config, args: ['-n'] });
  await supervisor.waitForLine(/success: cat entered RUNNING/);
  const tmux = await Tmux.start(t, ['bash', '--norc', '--noprofile'], { PS1: '$ ', HISTFILE: '' });
  await tmux.press('before=$(stty -g)', 'Enter', `clear; ${EXECUTABLE} ctl -c ${supervisor.folder}/supervisord.conf`);
  await tmux.press('Enter');
  return tmux;
}

/** Waits for the shell of the system, and compares the settings of its terminal. */
async function seesSaneTerminal(tmux: Tmux): Promise<void> {
  await tmux.sees(/^\$$/m);
  await tmux.press(CHECK, 'Enter');
  await tmux.sees(/^it is sane\n\$$/m);
}

/** Stops the shell by `stop`, tests the terminal, and goes on. */
async function stopAndGoOn(tmux: Tmux, stop: () => Promise<void>): Promise<void> {
  await stop();
  await tmux.sees(/Stopped/);
  await seesSaneTerminal(tmux);
  await tmux.press('clear; fg', 'Enter');
}

/** Ends the shell, which must leave the terminal as it was. */
async function quit(tmux: Tmux): Promise<void> {
  await tmux.press('quit', 'Enter');
  await seesSaneTerminal(tmux);
}

test('the shell goes on after Ctrl-Z, at the prompt and in a line', needsTmux, async (t) => {
  const tmux = await open(t);
  await tmux.sees(/^here>$/m);
  await stopAndGoOn(tmux, () => tmux.press('C-z'));
  await tmux.sees(/^here>$/m);
  await tmux.press('version', 'Enter');
  await tmux.sees(/^here> version\n4\.\d.*\nhere>/m);
  await tmux.press('pi');
  await tmux.sees(/^here> pi$/m);
  await stopAndGoOn(tmux, () => tmux.press('C-z'));
  await tmux.sees(/^here> pi$/m);
  await tmux.press('d cat', 'Enter');
  await tmux.sees(/^here> pid cat\n\d+\nhere>/m);
  // Each key is read at once: the terminal is raw.
  await tmux.press('p', 'C-a', 'C-k', 'version', 'Enter');
  await tmux.sees(/^here> version\n4\.\d/m);
  await quit(tmux);
});

test('the shell goes on after SIGSTOP', needsTmux, async (t) => {
  const tmux = await open(t);
  await tmux.sees(/^here>$/m);
  const pid = await tmux.child();
  await stopAndGoOn(tmux, async () => void process.kill(pid, 'SIGSTOP'));
  await tmux.sees(/^here>$/m);
  await tmux.press('version', 'C-a', 'C-k', 'pid cat', 'Enter');
  await tmux.sees(/^here> pid cat\n\d+\nhere>/m);
  await quit(tmux);
});

test('a password is read, and not shown, after Ctrl-Z', needsTmux, async (t) => {
  const tmux = await open(t, 'username=me\npassword=secret');
  await tmux.sees(/^Username:$/m);
  await tmux.press('me', 'Enter');
  await tmux.sees(/^Password:$/m);
  await tmux.press('sec');
  await stopAndGoOn(tmux, () => tmux.press('C-z'));
  await tmux.sees(/^Password:$/m);
  await tmux.press('ret', 'Enter');
  const screen = await tmux.sees(/RUNNING[^]*^here>$/m);
  assert.doesNotMatch(screen, /ret/);
  await quit(tmux);
});

test('fg goes on after Ctrl-Z', needsTmux, async (t) => {
  const tmux = await open(t);
  await tmux.sees(/^here>$/m);
  await tmux.press('fg cat', 'Enter');
  await tmux.sees(/Ctrl-C to exit/);
  await stopAndGoOn(tmux, () => tmux.press('C-z'));
  await tmux.sees(/^\S*onevisor ctl.*$/m);
  await tmux.press('hello', 'Enter');
  await tmux.sees(/^got-hello$/m);
  await tmux.press('C-c');
  await tmux.sees(/^here>$/m);
  await quit(tmux);
});
