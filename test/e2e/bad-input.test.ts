/**
 * Each mistake is reported once, with its place, and with exit code 2 if the configuration is invalid; never with a
 * stack trace.
 */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, readdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import type { AddressInfo } from 'node:net';
import type { Launched } from './launch.ts';

const skip = (await pid1SkipReason()) ?? false;
/** Real configurations with Supervisor's results. They are next to the checkout, if there are any. */
const CONFORMANCE =
  process.env['CONFORMANCE_DIR'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'conformance', 'config');
const noConformance = existsSync(CONFORMANCE) ? false : `there is no ${CONFORMANCE}`;

function assertNoTrace({ stdout, stderr }: Launched): void {
  assert.doesNotMatch(`${stdout.text}\n${stderr.text}`, /^\s+at .*[:(]\d+|node:internal|TypeError/m);
}

interface Case {
  readonly what: string;
  readonly config: string;
  /** Expected lines on stderr, in order. `FILE` is the path of the file. */
  readonly errors: readonly string[];
}

const CASES: readonly Case[] = [
  {
    what: 'an unknown user',
    config: '[supervisord]\n[program:a]\ncommand=true\nuser=nosuch\n',
    errors: ['FILE:4: [program:a] user: "nosuch" is not a user'],
  },
  {
    what: 'an unknown user of the supervisor',
    config: '[supervisord]\nuser=nosuch\n',
    errors: ['FILE:2: [supervisord] user: "nosuch" is not a user'],
  },
  {
    what: 'a log directory that is not there',
    config:
      '[supervisord]\nlogfile=/does/not/exist/a.log\n[program:a]\ncommand=true\nstdout_logfile=/does/not/exist/b.log\n',
    errors: ['FILE:2: [supervisord] logfile: ', 'FILE:5: [program:a] stdout_logfile: '],
  },
  {
    what: 'a childlogdir that is not there',
    config: '[supervisord]\nchildlogdir=/does/not/exist\n',
    errors: ['FILE:2: [supervisord] childlogdir: '],
  },
  {
    what: 'a program without a command',
    config: '[supervisord]\n\n[program:a]\nautostart=true\n',
    errors: ['FILE:3: [program:a] command: '],
  },
  {
    what: 'all wrong values at once',
    config:
      '[supervisord]\nloglevel=loud\n[program:a]\ncommand=true\nautorestart=perhaps\nstopsignal=NOTHING\n' +
      'numprocs=many\n',
    errors: [
      'FILE:2: [supervisord] loglevel: ',
      'FILE:5: [program:a] autorestart: ',
      'FILE:6: [program:a] stopsignal: ',
      'FILE:7: [program:a] numprocs: ',
    ],
  },
  {
    what: 'an unset variable',
    config: '[supervisord]\n[program:a]\ncommand=true\nenvironment=A="%(ENV_NO_SUCH_VARIABLE)s"\n',
    errors: ['FILE:4: [program:a] environment: '],
  },
  {
    what: 'a group of an unknown program',
    config: '[supervisord]\n[group:g]\nprograms=nobody\n',
    errors: ['FILE:3: [group:g] programs: '],
  },
  { what: 'a line that is no INI', config: '[supervisord]\nthis is nothing\n', errors: ['FILE:2: '] },
];

for (const { what, config, errors } of CASES) {
  test(
    'the log has the cause of a command that cannot be executed, and /bin/sh runs text without #!',
    { skip },
    async (t) => {
      const programs = ['%FOLDER%/plain 7', '%FOLDER%/windows', 'FOO=bar cmd', '$HOME/x', 'ulimit -n 5'].map(
        (command, index) => `[program:p${index}]\ncommand=${command}\nstartretries=0\nstartsecs=0\nautorestart=false\n`,
      );
      const launched = await launch(t, {
        config: `[supervisord]\n${programs.join('')}`,
        files: { plain: 'echo "ran with $1"\n', windows: '#!/bin/sh\r\n' },
      });
      await chmod(join(launched.folder, 'plain'), 0o755);
      for (const expected of [
        /windows: ENOENT; its first line ends with a carriage return/,
        /can't find command 'FOO=bar'; only a shell takes FOO=… for a variable/,
        /can't find command '\$HOME\/x'; only a shell expands \$HOME/,
        /can't find command 'ulimit'; ulimit is a command of shells/,
      ])
        await launched.waitForLine(expected);
      assert.match((await launched.ctl('start', 'p0')).stdout, /^p0: (started|ERROR \(already started\))$/m);
      await launched.waitForLine(/^p0 +\| ran with 7$/);
      assert.match(launched.stdout.text, /WARN 'p0' is run by \/bin\/sh: .*plain does not begin with #!/);
    },
  );

  test(`${what}: file, line, section, option and reason, and exit code 2`, { skip, timeout: 60_000 }, async (t) => {
    const launched = await launch(t, { config });
    assert.deepEqual(await launched.exit, { code: 2, signal: null });
    assert.equal(launched.stdout.text, '');
    const lines = launched.stderr.all;
    assert.equal(lines.length, errors.length, launched.stderr.text);
    for (const [index, error] of errors.entries()) {
      const wanted = error.replace('FILE', join(launched.folder, 'supervisord.conf'));
      assert.ok(lines[index]?.startsWith(wanted), `${lines[index]} does not begin with ${wanted}`);
    }
    assertNoTrace(launched);
  });
}

test('the error of an unknown variable names it and the nearest known one', { skip }, async (t) => {
  const launched = await launch(t, { env: { ONEVISOR_PROGRAM_A: 'true', ONEVISOR_PROGRAM_A__AUTORESTRAT: 'true' } });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.match(launched.stderr.text, /ONEVISOR_PROGRAM_A__AUTORESTRAT.*autorestart/i);
});

for (const [option, limit] of [
  ['minfds', 'open'],
  ['minprocs', 'open'],
] as const) {
  test(`${option} that is not available: one error, exit code 2`, { skip }, async (t) => {
    const launched = await launch(t, { config: `[supervisord]\n${option}=99999999\n` });
    assert.deepEqual(await launched.exit, { code: 2, signal: null });
    assert.equal(launched.stderr.all.length, 1);
    assert.match(
      launched.stderr.text,
      new RegExp(`^Error: .* 99999999 as per the "${option}" .* only allow you to ${limit} \\d+`),
    );
    assertNoTrace(launched);
  });
}

test('a port in use: one error, exit code 2', { skip }, async (t) => {
  const server = createServer();
  t.after(() => new Promise((resolve) => server.close(resolve)));
  const port = await new Promise<number>((resolve) =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)),
  );
  const launched = await launch(t, {
    config: `[supervisord]\n[inet_http_server]\nport=127.0.0.1:${port}\n[program:a]\ncommand=sleep 1000\n`,
  });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.deepEqual(launched.stderr.all, [
    `Error: cannot listen on 127.0.0.1:${port}: another program listens there already`,
  ]);
  assert.doesNotMatch(launched.stdout.text, /spawned/);
});

test('a control socket in a missing directory: one error, exit code 2', { skip }, async (t) => {
  const launched = await launch(t, { config: '[supervisord]\n[unix_http_server]\nfile=/does/not/exist/x.sock\n' });
  assert.deepEqual(await launched.exit, { code: 2, signal: null });
  assert.equal(launched.stderr.all.length, 1);
  assert.match(launched.stderr.text, /\/does\/not\/exist/);
  assertNoTrace(launched);
});

test('log files in a read-only directory: one error for each, and the programs run', { skip }, async (t) => {
  const launched = await launch(t, {
    executable: '/bin/sh',
    args: ['-c', 'mkdir logs && mount -t tmpfs -o ro tmpfs logs && exec "$0" "$@"', EXECUTABLE, '-c', 'read-only.conf'],
    files: {
      'read-only.conf': `
[supervisord]
logfile=%FOLDER%/logs/own.log
childlogdir=%FOLDER%/logs
pidfile=%FOLDER%/logs/pid
[program:auto]
command=sh -c "echo lost; exec sleep 1000"
stdout_logfile=AUTO
[program:file]
command=sh -c "while echo lost; do sleep 0.05; done"
stdout_logfile=%FOLDER%/logs/file.log
`,
    },
  });
  await launched.waitForLine(/success: auto entered RUNNING/);
  await launched.waitForLine(/success: file entered RUNNING/);
  for (const pattern of [
    /ERRO cannot make the stdout log of auto in \S+\/logs: EROFS/,
    /ERRO cannot write \S+\/own\.log: .*EROFS/,
    /CRIT could not write pidfile \S+\/pid: EROFS/,
    /ERRO cannot write \S+\/file\.log: .*EROFS/,
  ]) {
    assert.equal(
      launched.stdout.all.filter((line) => pattern.test(line)).length,
      1,
      `${String(pattern)} in\n${launched.stdout.text}`,
    );
  }
  launched.signal('SIGTERM');
  assert.deepEqual(await launched.exit, { code: 0, signal: null });
  assertNoTrace(launched);
});

test('programs that cannot be started: FATAL with the reason', { skip }, async (t) => {
  const program = (name: string, options: string): string => `[program:${name}]\nstartretries=0\n${options}\n`;
  const launched = await launch(t, {
    config: [
      '[supervisord]\n',
      program('missing', 'command=/does/not/exist'),
      program('folder', 'command=/tmp'),
      program('text', 'command=/etc/passwd'),
      program('where', 'command=true\ndirectory=/does/not/exist'),
      program('script', 'command=%FOLDER%/script'),
    ].join(''),
    files: { script: '#!/does/not/exist\n' },
  });
  for (const name of ['missing', 'folder', 'text', 'where', 'script'])
    await launched.waitForLine(new RegExp(`gave up: ${name} entered FATAL state`));
  await launched.waitForLine(/spawnerr: can't find command '\/does\/not\/exist'$/);
  await launched.waitForLine(/spawnerr: command at '\/tmp' is a directory$/);
  await launched.waitForLine(/spawnerr: command at '\/etc\/passwd' is not executable$/);
  await launched.waitForLine(/spawnerr: couldn't chdir to \/does\/not\/exist: ENOENT$/);
  await launched.waitForLine(/spawnerr: couldn't exec .*script: (ENOENT|ENOEXEC)/);
  assertNoTrace(launched);
});

test(
  'every real configuration that Supervisor refuses: a message with file and line number, and exit code 2',
  { skip: noConformance },
  async (t) => {
    const names = (await readdir(CONFORMANCE)).filter((name) => name.endsWith('.json'));
    let refused = 0;
    for (const name of names) {
      const expected = JSON.parse(await readFile(join(CONFORMANCE, name), 'utf8')) as {
        ok: boolean;
        env?: Record<string, string>;
      };
      if (expected.ok) continue;
      refused += 1;
      await t.test(name, async (inner) => {
        const file = join(CONFORMANCE, name.replace(/json$/, 'conf'));
        const launched = await launch(inner, {
          as: 'plain',
          args: ['check', '--static', '-c', file],
          env: { HOSTNAME: 'host', USER: 'app', ...expected.env },
        });
        assert.deepEqual(await launched.exit, { code: 2, signal: null });
        assert.ok(
          launched.stderr.all.some(
            (line) => line.startsWith(`${file}:`) && /^:[1-9]\d*: /.test(line.slice(file.length)),
          ),
          launched.stderr.text,
        );
        assertNoTrace(launched);
      });
    }
    assert.ok(refused > 0, 'some are refused');
  },
);
