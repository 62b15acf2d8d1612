/**
 * Logs of programs: formats, files, rotation, AUTO, NONE, redirect_stderr, strip_ansi, USR2.
 */
import assert from 'node:assert/strict';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { programFile, until, untilFile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;

const WAIT = 'exec sleep 1000';

test('raw, prefix, json and logfmt write to the right stream', { skip }, async (t) => {
  const program = (name: string, format: string): string =>
    `[program:${name}]\ncommand=sh -c "echo 'say \\"%(program_name)s\\"'; echo 'a problem' >&2; ${WAIT}"\n${format}\n`;
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=error\n' +
      program('plain', 'log_format=raw') +
      program('named', '') +
      program('object', 'log_format=json') +
      program('pairs', 'log_format=logfmt') +
      program('explicit', 'stdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\nstderr_logfile=/dev/stderr'),
  });
  await launched.stdout.waitFor(/^say "plain"$/);
  await launched.stdout.waitFor(/^named +\| say "named"$/);
  await launched.stdout.waitFor(/^say "explicit"$/);
  const [json = ''] = await launched.stdout.waitFor(/^\{.*\}$/);
  const { time, pid, ...rest } = JSON.parse(json) as Record<string, unknown>;
  assert.deepEqual(rest, {
    program: 'object',
    group: 'object',
    process: 'object',
    stream: 'stdout',
    message: 'say "object"',
  });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.ok(Number(pid) > 1);
  await launched.stdout.waitFor(
    /^time=\S+Z program=pairs group=pairs process=pairs pid=\d+ stream=stdout message="say \\"pairs\\""$/,
  );
  await launched.stderr.waitFor(/^a problem$/, { count: 2 });
  await launched.stderr.waitFor(/^named +\| a problem$/);
  await launched.stderr.waitFor(/"stream":"stderr","message":"a problem"/);
  await launched.stderr.waitFor(/stream=stderr message="a problem"$/);
});

test("json: the supervisor's own lines are objects too, with a level", { skip }, async (t) => {
  const launched = await launch(t, { env: { ONEVISOR_LOG_FORMAT: 'json', ONEVISOR_PROGRAM_A: 'sleep 1000' } });
  await launched.stdout.waitFor(/spawned/);
  launched.signal('SIGTERM');
  await launched.exit;
  for (const line of launched.stdout.all)
    assert.equal(typeof (JSON.parse(line) as Record<string, unknown>)['level'], 'string', line);
});

test('log_prefix_width limits the column of the names', { skip }, async (t) => {
  const name = 'an-unusually-long-name-of-a-program';
  const launched = await launch(t, {
    config:
      `[supervisord]\nloglevel=error\nlog_prefix_width=12\n[program:${name}]\ncommand=sh -c "echo cut; ${WAIT}"\n` +
      `[program:web]\ncommand=sh -c "echo whole; ${WAIT}"\n`,
  });
  await launched.stdout.waitFor(/^an-un…rogram \| cut$/);
  await launched.stdout.waitFor(/^web {10}\| whole$/);
});

test("json and logfmt: the supervisor's own lines have fields with the facts", { skip }, async (t) => {
  const config = (format: string): string =>
    `[supervisord]\nlog_format=${format}\n[program:web]\ncommand=sh -c "exit 3"\nstartsecs=0\nautorestart=false\n` +
    `[program:stay]\ncommand=sleep 1000\nstartsecs=0\nlog_format=raw\n`;
  const launched = await launch(t, { config: config('json') });
  await launched.stdout.waitFor(/"exited"/);
  await launched.stdout.waitFor(/"running".*"stay"/);
  assert.equal((await launched.ctl('stop', 'stay')).code, 0);
  launched.signal('SIGTERM');
  await launched.exit;
  const lines = launched.stdout.all.map((line) => JSON.parse(line) as Record<string, unknown>);
  const find = (event: string, process: string): Record<string, unknown> => {
    const { time, level, pid, ...rest } = lines.find((line) => line.event === event && line.process === process) ?? {};
    assert.ok(typeof time === 'string' && typeof level === 'string' && typeof pid === 'number' && pid > 1, event);
    return rest;
  };
  const ofWeb = { program: 'onevisor', group: 'web', process: 'web' };
  assert.deepEqual(find('exited', 'web'), {
    ...ofWeb,
    event: 'exited',
    state: 'EXITED',
    exit_code: 3,
    expected: false,
    message: 'exited: web (exit status 3; not expected)',
  });
  const { message, ...stopped } = find('stopped', 'stay');
  assert.match(String(stopped.cause), /^supervisor\.stopProcess of a client \(/);
  assert.deepEqual(
    [stopped.signal, stopped.state, message],
    ['SIGTERM', 'STOPPED', 'stopped: stay (terminated by SIGTERM)'],
  );
  assert.deepEqual(
    lines.flatMap(({ event, signal, pid }) => (event === 'signal_received' ? [[signal, pid]] : [])),
    [['SIGTERM', 1]],
  );

  const second = await launch(t, { config: config('logfmt') });
  await second.stdout.waitFor(
    /program=onevisor event=exited group=web process=web pid=\d+ state=EXITED exit_code=3 expected=false message=/,
  );
});

for (const [format, pattern] of [
  ['prefix', /^json +\| (\{.*\})$/],
  ['json', /"data":(\{.*?\})/],
  ['logfmt', /process=json .*message=(".*")$/],
  ['raw', /^(\{.*\})$/],
] as const) {
  test(
    `${format}: a program that writes through a buffer has whole lines, with another program on the stream`,
    { skip },
    async (t) => {
      const count = 400;
      const launched = await launch(t, {
        config:
          `[supervisord]\nloglevel=error\nlog_format=${format}\n[program:json]\n` +
          `command=python3 ${programFile('writes-json.py')} ${count}\nexit_on_end=true\nautorestart=false\n` +
          'startsecs=0\n[program:tick]\ncommand=sh -c "while sleep 0.02; do echo tick; done"\n',
      });
      await launched.exit;
      const lines = launched.stdout.all.filter((line) => !line.includes('tick'));
      const numbers = lines.map((line) => {
        const text = pattern.exec(line)?.[1] ?? `no record: ${line}`;
        const record = JSON.parse(format === 'logfmt' ? (JSON.parse(text) as string) : text) as {
          number: number;
          text: string;
        };
        assert.equal(record.text, 'é'.repeat(60));
        return record.number;
      });
      assert.deepEqual(
        numbers,
        Array.from({ length: count }, (_, number) => number),
      );
    },
  );
}

test('a line without an end is written after log_partial_after, and soon on a terminal', { skip }, async (t) => {
  const asks = (name: string, extra: string): string =>
    `[program:${name}]\ncommand=sh -c "printf 'name:\\\\303'; read x"\n${extra}`;
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=error\nlog_partial_after=1000\n' +
      asks('late', '') +
      asks('soon', 'log_partial_after=200ms\nlog_format=json\n') +
      asks('now', 'log_partial_after=0\n'),
  });
  await until('the prompt at once', () => launched.stdout.text.includes('now  | name:'));
  await launched.stdout.waitFor(/"process":"soon".*"message":"name:","partial":true\}$/);
  assert.doesNotMatch(launched.stdout.text, /late/);
  const atTerminal = await launch(t, {
    as: 'plain',
    executable: 'python3',
    args: [programFile('terminal.py'), EXECUTABLE, '-n', '-c', 'terminal.conf'],
    files: {
      'terminal.conf':
        '[supervisord]\nloglevel=error\nlog_format=prefix\npidfile=%FOLDER%/pid\nlog_partial_after=1000\n' +
        asks('term', 'stdout_logfile=/dev/stdout\n'),
    },
  });
  await until('the prompt on the terminal', () => /term \S*\| \S*name:/.test(atTerminal.stdout.text));
});

test('a line without an end is written after a time, and at the end of the program', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=error\nlog_partial_after=100ms\n[program:prompt]\n' +
      'command=sh -c "printf name:; read x"\n[program:last]\ncommand=sh -c "printf final"\n' +
      'autorestart=false\nstartsecs=0\n',
  });
  await until('the prompt', () => launched.stdout.text.includes('prompt | name:'));
  await launched.stdout.waitFor(/^last {3}\| final$/);
});

test('loglevel=debug: output of a program is once in the log, and once on the streams', { skip }, async (t) => {
  for (const logfile of ['', 'logfile=%FOLDER%/own.log\n']) {
    const launched = await launch(t, {
      config:
        `[supervisord]\nloglevel=debug\n${logfile}[unix_http_server]\nfile=%FOLDER%/s\n[supervisorctl]\n` +
        'serverurl=unix://%FOLDER%/s\n[program:says]\n' +
        `command=sh -c "echo 'said out'; echo 'said err' >&2; ${WAIT}"\n`,
    });
    await launched.stdout.waitFor(/^says \| said out$/);
    await launched.stderr.waitFor(/^says \| said err$/);
    const readLog = async (): Promise<string> =>
      logfile === ''
        ? (await launched.ctl('-c', join(launched.folder, 'supervisord.conf'), 'maintail', '-100000')).stdout
        : readFile(join(launched.folder, 'own.log'), 'latin1');
    // A file is written by another thread.
    const log = await until('both copies', async () => {
      const text = await readLog();
      return text.includes('\nsaid out\n') && text.includes('\nsaid err\n') && text;
    });
    for (const stream of ['out', 'err'])
      assert.equal(log.split(`DEBG 'says' std${stream} output:\nsaid ${stream}\n`).length, 2, log);
    launched.signal('SIGTERM');
    await launched.exit;
    const lines = [...launched.stdout.all, ...launched.stderr.all].filter((line) => line.includes('said'));
    assert.deepEqual(lines.toSorted(), ['says | said err', 'says | said out']);
  }
});

for (const stream of ['stdout', 'stderr'] as const) {
  test(`logfile=/dev/${stream} in the foreground: the log is there, and nowhere else`, { skip }, async (t) => {
    const launched = await launch(t, {
      config: `[supervisord]\nlogfile=/dev/${stream}\nlogfile_maxbytes=0\n[program:a]\ncommand=sleep 1000\n`,
    });
    await launched[stream].waitFor(/success: a entered RUNNING/);
    launched.signal('SIGTERM');
    await launched.exit;
    assert.equal(launched[stream].all.filter((line) => line.includes('spawned')).length, 1);
    assert.equal(launched[stream === 'stdout' ? 'stderr' : 'stdout'].text, '');
  });
}

test('the last output of a stopped program comes before the line about its end', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:talks]\ncommand=sh -c "trap 'seq 1 3000; printf end; exit 3' TERM; echo ` +
      'ready; while :; do sleep 0.1; done"\nstopwaitsecs=20\n',
  });
  await launched.stdout.waitFor(/\| ready$/);
  await launched.ctl('stop', 'talks');
  await launched.stdout.waitFor(/stopped: talks/);
  const lines = launched.stdout.all;
  assert.equal(lines[lines.findIndex((line) => line.includes('stopped: talks')) - 1], 'talks | end');
});

test('output goes to files, stderr too with redirect_stderr, and nowhere with NONE', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
loglevel=error
[program:both]
command=sh -c "echo out; echo err >&2; echo end; ${WAIT}"
redirect_stderr=true
stdout_logfile=%FOLDER%/both.log
[program:apart]
command=sh -c "echo out; echo err >&2; ${WAIT}"
stdout_logfile=%FOLDER%/apart.out
stderr_logfile=%FOLDER%/apart.err
[program:silent]
command=sh -c "echo out; echo err >&2; echo done >%FOLDER%/silent.done; ${WAIT}"
stdout_logfile=NONE
stderr_logfile=none
[program:tee]
command=sh -c "echo twice; ${WAIT}"
stdout_logfile=%FOLDER%/tee.log, /dev/stdout
`,
  });
  await untilFile(join(launched.folder, 'both.log'), /^out\nerr\nend\n$/);
  await untilFile(join(launched.folder, 'apart.out'), /^out\n$/);
  await untilFile(join(launched.folder, 'apart.err'), /^err\n$/);
  await untilFile(join(launched.folder, 'tee.log'), /^twice\n$/);
  await launched.stdout.waitFor(/^twice$/);
  await untilFile(join(launched.folder, 'silent.done'), /done/);
  launched.signal('SIGTERM');
  await launched.exit;
  assert.deepEqual([...launched.stdout.all, ...launched.stderr.all], ['twice']);
});

test('rotation by maxbytes: whole lines, and no more backups than configured', { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
loglevel=error
[program:count]
command=sh -c "for i in $(seq 1 400); do echo line $i of the log; done; echo done >%FOLDER%/done; ${WAIT}"
stdout_logfile=%FOLDER%/count.log
stdout_logfile_maxbytes=1KB
stdout_logfile_backups=3
`,
  });
  await untilFile(join(launched.folder, 'done'), /done/);
  const names = ['count.log.3', 'count.log.2', 'count.log.1', 'count.log'];
  const read = (): Promise<string[]> =>
    Promise.all(names.map((name) => readFile(join(launched.folder, name), 'utf8').catch(() => '')));
  await until('the last line', async () => (await read()).join('').includes('line 400 of the log\n'));
  // Only now: while lines are written, files are renamed between two readings.
  const text = await read();
  assert.deepEqual(
    (await readdir(launched.folder)).filter((name) => name.startsWith('count.log')).toSorted(),
    names.toSorted(),
  );
  const lines = text.join('').trimEnd().split('\n');
  const first = 401 - lines.length;
  assert.deepEqual(
    lines,
    Array.from(lines, (_line, index) => `line ${first + index} of the log`),
  );
  for (const part of text.slice(0, 3))
    assert.ok(part.length >= 1024 && part.length < 1100, `a rotated file has ${part.length} bytes`);
});

test(
  'AUTO: a file for each stream in childlogdir; old files are removed, unless nocleanup is set',
  { skip },
  async (t) => {
    const config = (extra: string): string => `
[supervisord]
childlogdir=%FOLDER%/logs
identifier=mine
${extra}
[program:web]
command=sh -c "echo out; echo err >&2; ${WAIT}"
stdout_logfile=AUTO
stderr_logfile=AUTO
`;
    const files = {
      'logs/web-stdout---mine-0123abcd.log': 'old\n',
      'logs/web-stdout---other-0123abcd.log': 'not ours\n',
    };
    const launched = await launch(t, { config: config(''), files });
    const logs = join(launched.folder, 'logs');
    const made = await until('the logs', async () => {
      const found = (await readdir(logs))
        .filter((name) => /^web-std(out|err)---mine-\w{8}\.log$/.test(name))
        .toSorted();
      return found.length === 2 && found;
    });
    await untilFile(join(logs, made[0] ?? ''), /^err\n$/);
    await untilFile(join(logs, made[1] ?? ''), /^out\n$/);
    assert.ok((await readdir(logs)).includes('web-stdout---other-0123abcd.log'));
    const keeping = await launch(t, { config: config('nocleanup=true'), files });
    await keeping.waitForLine(/entered RUNNING/);
    assert.ok((await readdir(join(keeping.folder, 'logs'))).includes('web-stdout---mine-0123abcd.log'));
  },
);

test('strip_ansi removes escape sequences, and nothing else', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nstrip_ansi=true\n[program:gay]\n' +
      `command=sh -c "printf 'a \\\\033[1;31mred\\\\033[0m word\\\\n'; ${WAIT}"\n`,
  });
  await launched.stdout.waitFor(/^gay \| a red word$/);
});

test('bytes that are not UTF-8 stay unchanged', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=error\n[program:bytes]\n' +
      `command=sh -c "printf '\\\\377\\\\000\\\\200 end\\\\n'; ${WAIT}"\n` +
      'stdout_logfile=%FOLDER%/bytes.log\n',
  });
  const path = join(launched.folder, 'bytes.log');
  await untilFile(path, /end\n/);
  assert.deepEqual([...(await readFile(path))], [0xff, 0x00, 0x80, ...Buffer.from(' end\n')]);
});

test("USR2 opens renamed logs anew, also the supervisor's own", { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
logfile=%FOLDER%/supervisord.log
[program:web]
command=sh -c "echo first; until [ -e go ]; do sleep 0.05; done; echo second; ${WAIT}"
stdout_logfile=%FOLDER%/web.log
`,
  });
  const path = (name: string): string => join(launched.folder, name);
  await untilFile(path('web.log'), /^first\n$/);
  await untilFile(path('supervisord.log'), /spawned: 'web'/);
  await rename(path('web.log'), path('web.log.old'));
  await rename(path('supervisord.log'), path('supervisord.log.old'));
  launched.signal('SIGUSR2');
  await untilFile(path('supervisord.log'), /supervisord logreopen/);
  await until('a new log', async () => (await stat(path('web.log')).catch(() => null)) !== null);
  await writeFile(path('go'), '');
  await untilFile(path('web.log'), /^second\n$/);
  assert.match(await readFile(path('supervisord.log.old'), 'utf8'), /received SIGUSR2 indicating log reopen request/);
  assert.equal(await readFile(path('web.log.old'), 'utf8'), 'first\n');
});

test("the supervisor's own log rotates by its own maxbytes and backups", { skip }, async (t) => {
  const launched = await launch(t, {
    config: `
[supervisord]
logfile=%FOLDER%/own.log
logfile_maxbytes=1KB
logfile_backups=2
[program:crash]
command=sh -c "exit 1"
numprocs=8
process_name=crash%(process_num)d
startretries=1
`,
  });
  await launched.stdout.waitFor(/gave up/, { count: 8 });
  launched.signal('SIGTERM');
  await launched.exit;
  const names = (await readdir(launched.folder)).filter((name) => name.startsWith('own.log')).toSorted();
  assert.deepEqual(names, ['own.log', 'own.log.1', 'own.log.2']);
});

test('a line longer than a mebibyte is cut and marked, and delays no other line', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nloglevel=error\n[program:long]\n' +
      `command=sh -c "head -c 1500000 /dev/zero | tr '\\\\000' x; echo; echo after; ${WAIT}"\n`,
  });
  await launched.stdout.waitFor(/^long \| after$/);
  const before = launched.stdout.all.slice(
    0,
    launched.stdout.all.findIndex((line) => line === 'long | after'),
  );
  assert.ok(before.length > 1, 'the line is cut');
  assert.equal(before.join('').replaceAll(/[^x]/g, '').length, 1_500_000);
});

test('tail and tail -f show the end of the file, also after a restart, a rename and USR2', { skip }, async (t) => {
  const launched = await launch(t, {
    config:
      '[supervisord]\nlogfile=%FOLDER%/own.log\n[unix_http_server]\nfile=%FOLDER%/s\n[supervisorctl]\n' +
      'serverurl=unix://%FOLDER%/s\n[program:says]\n' +
      'command=sh -c "until [ -e %FOLDER%/more ]; do sleep 0.05; done; echo more; ' +
      `until [ -e %FOLDER%/last ]; do sleep 0.05; done; echo last; ${WAIT}"\n` +
      'stdout_logfile=%FOLDER%/says.log\n',
    files: { 'says.log': `${'-'.repeat(2000)}\nearlier\n`, 'own.log': 'an earlier start\n' },
  });
  const path = join(launched.folder, 'says.log');
  const follow = async (url: string, pattern: RegExp): Promise<void> => {
    let text = '';
    const asked = request({ socketPath: join(launched.folder, 's'), path: url }, (response) =>
      response.on('data', (bytes: Buffer) => {
        text += bytes.toString();
      }),
    );
    asked.on('error', () => undefined).end();
    await until(`${String(pattern)} at ${url}`, () => pattern.test(text)).finally(() => asked.destroy());
  };
  await launched.waitForLine(/success: says/);
  await follow('/mainlogtail', /an earlier start\n/);
  await follow('/logtail/says', /^-{1015}\nearlier\n/);
  await writeFile(join(launched.folder, 'more'), '');
  await untilFile(path, /more/);
  await rename(path, `${path}.1`);
  assert.match(
    (await launched.ctl('-c', join(launched.folder, 'supervisord.conf'), 'tail', 'says')).stdout,
    /earlier\nmore\n\n$/,
  );
  launched.signal('SIGUSR2');
  await launched.waitForLine(/logreopen/);
  await until('the new file', async () => (await stat(path).catch(() => null)) !== null);
  await writeFile(join(launched.folder, 'last'), '');
  await untilFile(path, /^last\n$/);
  await follow('/logtail/says', /^last\n/);
});

test('in JSON, warnings of the configuration and about listeners carry fields', { skip }, async (t) => {
  const config =
    '[supervisord]\nlog_format=json\nnosuch=1\n[program:web]\ncommand=sleep 1000\nstartsec=1\n' +
    '[eventlistener:l]\ncommand=sh -c "echo garbage; exec sleep 1000"\nevents=TICK_5\n';
  const launched = await launch(t, { config });
  await launched.stdout.waitFor(/it is killed/);
  const lines = launched.stdout.text.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  const own = lines.filter(({ program }) => program === 'onevisor');
  assert.ok(
    own.every(({ event }) => typeof event === 'string'),
    'every line has an event',
  );
  const places = own.filter(({ event }) => event === 'configuration');
  assert.deepEqual(
    places.map(({ line, section, option }) => [line, section, option]),
    [
      [3, 'supervisord', 'nosuch'],
      [6, 'program:web', 'startsec'],
    ],
  );
  const killed = own.find(({ message }) => String(message).endsWith('it is killed'));
  assert.deepEqual([killed?.['event'], killed?.['process'], typeof killed?.['pid']], ['listener', 'l', 'number']);
});
