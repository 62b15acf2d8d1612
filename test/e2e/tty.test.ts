/** `tty`: programs whose output goes through a pseudo terminal. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

/** Hides devpts, as in a container without it. The kernel then opens no /dev/ptmx. */
const NO_DEVPTS = 'mount -t tmpfs tmpfs /dev/pts';

/** A section whose program runs once, and whose end is the end of the container. */
function last(name: string, script: string, options = ''): string {
  return (
    `[program:${name}]\ncommand=sh -c "${script}"\ntty=true\nautorestart=false\nstartsecs=0\nexit_on_end=true\n` +
    `log_format=raw\n${options}\n`
  );
}

const QUIET = '[supervisord]\nloglevel=warn\n';

test('a program without flushes writes each line at once', { skip }, async (t) => {
  const command = `python3 -c "print('ready'); import time; time.sleep(1000)"`;
  const launched = await launch(t, { config: `${QUIET}[program:app]\ncommand=${command}\ntty=true\nlog_format=raw\n` });
  await launched.waitForLine(/^ready$/);
});

/** Programs that collect their output, and the switches that the manual names. Each writes a line and stays. */
const SWITCHES: ReadonlyArray<readonly [name: string, late: string, remedy: string, early: string]> = [
  [
    'python3',
    `python3 -c "print('line'); import time; time.sleep(1000)"`,
    '`PYTHONUNBUFFERED=1`',
    `env PYTHONUNBUFFERED=1 python3 -c "print('line'); import time; time.sleep(1000)"`,
  ],
  [
    'python3',
    `python3 -c "print('line'); import time; time.sleep(1000)"`,
    '`python3 -u`',
    `python3 -u -c "print('line'); import time; time.sleep(1000)"`,
  ],
  [
    'ruby',
    `ruby -e "puts 'line'; sleep 1000"`,
    '`$stdout.sync = true`',
    `ruby -e "$stdout.sync = true; puts 'line'; sleep 1000"`,
  ],
  ['perl', `perl -e 'print "line\\n"; sleep 1000'`, '`$\\| = 1`', `perl -e '$| = 1; print "line\\n"; sleep 1000'`],
  [
    'awk',
    `awk 'BEGIN { print "line"; getline < "/proc/self/fd/0" }'`,
    '`fflush()`',
    `awk 'BEGIN { print "line"; fflush(); getline < "/proc/self/fd/0" }'`,
  ],
  [
    'grep',
    'sh -c "(echo line; sleep 1000) | grep line"',
    '`grep --line-buffered`',
    'sh -c "(echo line; sleep 1000) | grep --line-buffered line"',
  ],
  ['sed', 'sh -c "(echo line; sleep 1000) | sed s/x//"', '`sed -u`', 'sh -c "(echo line; sleep 1000) | sed -u s/x//"'],
  [
    'stdbuf',
    'sh -c "(echo line; sleep 1000) | cut -c 1-80"',
    '`stdbuf -oL COMMAND`',
    'sh -c "(echo line; sleep 1000) | stdbuf -oL cut -c 1-80"',
  ],
];

test('the switches of the manual work, and so does tty', { skip }, async (t) => {
  const page = await readFile(join(import.meta.dirname, '..', '..', 'src', 'manual', 'logs.md'), 'utf8');
  const folders = (process.env['PATH'] ?? '').split(':');
  const present = SWITCHES.filter(([name]) => folders.some((folder) => existsSync(join(folder, name))));
  const section = (name: string, command: string): string =>
    `[program:${name}]\ncommand=${command}\nstopsignal=KILL\nstopasgroup=true\n`;
  const sections = present.map(
    ([, late, remedy, early], i) => (
      assert.ok(page.includes(remedy), remedy),
      section(`late${i}`, late) + section(`early${i}`, early) + section(`tty${i}`, late) + 'tty=true\n'
    ),
  );
  const launched = await launch(t, { config: QUIET + sections.join('') });
  for (const i of present.keys()) {
    await launched.stdout.waitFor(new RegExp(`^early${i} +\\| line$`));
    await launched.stdout.waitFor(new RegExp(`^tty${i} +\\| line$`));
  }
  assert.ok(!launched.stdout.all.some((line) => line.startsWith('late')), launched.stdout.text);
});

test('colours, the size, TERM, and no changed byte', { skip }, async (t) => {
  const script =
    'test -t 1 && test -t 2 && echo terminal; stty size <&1; echo $TERM; ls -d --color=auto /; echo err >&2; ' +
    `printf 'a\\tb\\r\\n'; stty size <&2; test -t 0 || echo no input`;
  const launched = await launch(t, { config: QUIET + last('app', script, 'tty_size=132x50') });
  await launched.exit;
  assert.deepEqual(launched.stdout.all, [
    'terminal',
    '50 132',
    'xterm-256color',
    '\x1b[0m\x1b[01;34m/\x1b[0m',
    'err',
    'a\tb\r',
    '50 132',
    'no input',
  ]);
  assert.equal(launched.stderr.text, '');
});

test('strip_ansi removes the colours, and a TERM of the program stays', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `${QUIET}strip_ansi=true\n${last('app', 'ls -d --color=always /; echo $TERM', 'environment=TERM="vt100"')}`,
  });
  await launched.exit;
  assert.deepEqual(launched.stdout.all, ['/', 'vt100']);
});

test('the terminal is nobody’s controlling terminal, and the input stays a pipe', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `${QUIET}[program:app]\ntty=true\nlog_format=raw\nstartsecs=0\n` +
      'command=sh -c "(: < /dev/tty) 2>/dev/null || echo none; exec cat"\n',
  });
  await launched.waitForLine(/^none$/);
  await launched.enter(['sh', '-c', `(printf 'fg app\\ntyped\\n'; sleep 2) | timeout 10 "$0" ctl`, EXECUTABLE]);
  await launched.waitForLine(/^typed$/);
  const { stdout: pid } = await launched.ctl('pid', 'app');
  const { stdout: group } = await launched.enter(['ps', '-o', 'pgid=,tty=', '-p', pid.trim()]);
  assert.deepEqual(group.trim().split(/\s+/), [pid.trim(), '?']);
});

test('200 MB pass unchanged, also through a prefix', { skip }, async (t) => {
  const bytes = 200_000_000;
  const launched = await launch(t, {
    config:
      `${QUIET}[program:app]\ncommand=sh -c "yes 0123456789012345678 | head -c ${bytes}; echo end"\ntty=true\n` +
      'autorestart=false\nstartsecs=0\nexit_on_end=true\nstdout_logfile=%FOLDER%/log\nstdout_logfile_maxbytes=0\n',
  });
  // The clean-up removes the folder after the test.
  await launched.exit;
  const log = await readFile(join(launched.folder, 'log'));
  assert.equal(log.length, bytes + 'end\n'.length);
  for (let at = 0; at < bytes; at += 20) if (log[at] !== 0x30 || log[at + 19] !== 0x0a) assert.fail(`at ${at}`);
});

test('the last output before an exit is complete, and comes before the line about the exit', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=info\n' +
      '[program:app]\ncommand=sh -c "seq 1 1000; exit 3"\ntty=true\nstartsecs=0\nautorestart=false\nexit_on_end=true\n',
  });
  await launched.exit;
  const lines = launched.stdout.all;
  const exited = lines.findIndex((line) => line.includes('exited: app'));
  const output = lines.flatMap((line, index) => (/^app +\| \d+$/.test(line) ? [{ line, index }] : []));
  assert.equal(output.length, 1000);
  assert.ok((output.at(-1)?.index ?? Infinity) < exited);
});

test('100 restarts leave no descriptor behind', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `${QUIET}[unix_http_server]\nfile=%FOLDER%/s\n[program:app]\ntty=true\nstartsecs=0\n` +
      'command=sh -c "echo started; exec sleep 1000"\nstdout_logfile=%FOLDER%/log\n',
  });
  const starts = async (): Promise<number> =>
    (await readFile(join(launched.folder, 'log'), 'utf8').catch(() => '')).split('started').length - 1;
  const count = async (): Promise<number> =>
    Number((await launched.enter(['sh', '-c', 'ls /proc/1/fd | wc -l'])).stdout);
  await until('the first start', async () => (await starts()) === 1);
  const before = await count();
  // One client for all: the start of a hundred takes minutes on a busy machine.
  const script = 'yes "restart app" | head -n 100 | "$0" ctl';
  const { code, stdout } = await launched.enter(['sh', '-c', script, '/proc/1/exe']);
  assert.deepEqual([code, stdout.match(/app: started/g)?.length], [0, 100], stdout);
  await until('as many descriptors as before', async () => (await count()) <= before);
});

test('an orphan that keeps the terminal does not delay the exit of its leader', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=info\n[program:app]\ntty=true\nstartsecs=0\nautorestart=false\n' +
      `command=sh -c "setsid sh -c 'while sleep 0.05; do echo orphan; done' & sleep 0.3; exit 7"\n`,
  });
  await launched.waitForLine(/exited: app \(exit status 7/);
  const seen = launched.stdout.all.length;
  await until('output of the orphan', () =>
    Promise.resolve(launched.stdout.all.slice(seen).some((line) => line.endsWith('| orphan'))),
  );
});

test('without /dev/pts there is one warning, and a pipe', { skip }, async (t) => {
  const launched = await launch(t, {
    prepare: NO_DEVPTS,
    config:
      `${QUIET}[program:app]\ntty=true\nstartsecs=0\nautorestart=true\n` +
      'command=sh -c "test -t 1 || echo pipe; echo err >&2"\n',
  });
  await launched.waitForLine(/^app +\| pipe$/, { count: 3 });
  await launched.stdout.waitFor(/^app +\| err$/);
  const warnings = [...launched.stdout.all, ...launched.stderr.all].filter((line) => line.includes('/dev/ptmx'));
  assert.equal(warnings.length, 1, warnings.join('\n'));
  assert.match(
    warnings[0] ?? '',
    /WARN cannot give 'app' a terminal \(tty=true\): ENODEV from \/dev\/ptmx; mount devpts/,
  );
});

test('fg shows its output to people without a word about stderr, which it does not have', { skip }, async (t) => {
  const socket = '[unix_http_server]\nfile=%FOLDER%/s.sock\n[supervisorctl]\nserverurl=unix://%FOLDER%/s.sock\n';
  const program = '[program:app]\ncommand=sh -c "echo up; exec cat"\ntty=true\nstartsecs=0\nlog_format=raw\n';
  const config = `${socket}${QUIET}${program}`;
  const launched = await launch(t, { config });
  await launched.waitForLine(/^up$/);
  const fg = `'${EXECUTABLE}' ctl -c supervisord.conf fg app </dev/null`;
  const onTerminal = await launched.enter(['script', '--quiet', '--return', '--command', fg, '/dev/null']);
  assert.doesNotMatch(onTerminal.stdout, /Cannot read/);
  assert.match(onTerminal.stdout, /Exiting foreground/);
  // A script gets the words of Supervisor's client.
  const piped = await launched.enter(['sh', '-c', `(sleep 1; echo) | '${EXECUTABLE}' ctl -c supervisord.conf fg app`]);
  assert.match(piped.stderr, /\/logtail\/app\/stderr Cannot read, status code 404/);
});
