/**
 * Log servers of the executable: programs and the supervisor itself, several targets at once, and a server that hangs
 * while a program floods.
 */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { Authority, DatagramServer, StreamServer } from '../process/log-servers.ts';
import { statusOf } from './connections.ts';
import { launch, pid1SkipReason } from './launch.ts';
import { compile, residentBytes, until, untilFile } from './observe.ts';

const skip = (await pid1SkipReason()) ?? false;
const MEMORY_LIMIT = 64 * 1024 * 1024;

test(
  'over UDP and TCP: programs, both streams, the supervisor itself, beside files and the console',
  { skip },
  async (t) => {
    const [udp, tcp] = [await DatagramServer.listen(t), await StreamServer.listen(t)];
    const launched = await launch(t, {
      config: `
[supervisord]
logfile=%FOLDER%/own.log, syslog://127.0.0.1:${udp.port}, syslog+tcp://127.0.0.1:${tcp.port}
[program:web]
command=sh -c "echo hello; echo problem >&2; exec sleep 1000"
stdout_logfile=%FOLDER%/web.log, syslog+udp://127.0.0.1:${udp.port}
stderr_logfile=syslog+tcp://127.0.0.1:${tcp.port}
`,
    });
    const hello = await udp.until(({ name, text }) => name === 'web' && text === 'hello');
    const problem = await tcp.until(({ name, text }) => name === 'web' && text === 'problem');
    assert.deepEqual([hello.priority, problem.priority], [14, 11]);
    assert.equal(hello.pid, problem.pid);
    for (const server of [udp, tcp]) {
      const started = await server.until(
        ({ name, text }) => name === 'onevisor' && text.startsWith('success: web entered RUNNING state'),
      );
      assert.deepEqual([started.priority, started.pid], [14, 1]);
    }
    await untilFile(join(launched.folder, 'web.log'), /^hello\n$/);
    await untilFile(join(launched.folder, 'own.log'), /success: web entered RUNNING/);
    await launched.stdout.waitFor(/success: web entered RUNNING/);
    assert.match((await launched.ctl('tail', 'web')).stdout, /^hello\n/);
    assert.match((await launched.ctl('maintail')).stdout, /success: web entered RUNNING/);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    // The last messages are sent before the exit.
    for (const server of [udp, tcp])
      await server.until(({ name, text }) => name === 'onevisor' && text.startsWith('stopped: web'));
  },
);

test(
  'TCP: a server that hangs while a program floods slows nothing, takes no memory, and delays a stop by its ' +
    'budget at most',
  { skip, timeout: 120_000 },
  async (t) => {
    const floods = await compile(t, 'floods');
    const server = await StreamServer.listen(t, 0, true);
    const launched = await launch(t, {
      config: `
[supervisord]
logfile=%FOLDER%/own.log
stop_budget=2s
[program:flood]
command=%FOLDER%/flood.sh
stdout_logfile=syslog+tcp://127.0.0.1:${server.port}
[program:lively]
command=sh -c "while read line; do echo $line; done; exec sleep 1000"
`,
      files: { 'records/.keep': '', 'flood.sh': `#!/bin/sh\nmkfifo gate 2>&-\nexec ${floods} gate records\n` },
    });
    await launched.waitForLine(/success: flood entered RUNNING/);
    await writeFile(join(launched.folder, 'gate'), '');
    await launched.waitForLine(
      /ERRO cannot write syslog\+tcp:\/\/127\.0\.0\.1:\d+: it accepts no messages; up to 1 MiB is kept/,
    );
    const record = join(launched.folder, 'records', String((await statusOf(launched, 'flood')).pid));
    const written = async (): Promise<number> => Number((await readFile(record)).readBigInt64LE());
    const before = await written();
    const sinceMs = performance.now();
    // Many times more than all buffers on the way hold.
    await until('the program to go on', async () => (await written()) - before > 1_000_000, 60_000);
    const rate = 1e9 / (performance.now() - sinceMs);
    const began = performance.now();
    assert.equal((await statusOf(launched, 'flood')).statename, 'RUNNING');
    assert.ok(performance.now() - began < 3000, 'control works');
    const resident = await residentBytes(launched.pid);
    t.diagnostic(`${Math.round(rate)} lines a second, ${Math.round(resident / 1024 / 1024)} MiB resident`);
    const base = 90 * 1024 * 1024;
    assert.ok(resident < base + MEMORY_LIMIT, `${resident} bytes resident`);
    const asked = performance.now();
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });
    const tookMs = performance.now() - asked;
    t.diagnostic(`stopped in ${Math.round(tookMs)} ms`);
    // Without a limit for the server, the stop would take the 9.5 s of a container.
    assert.ok(tookMs < 7000, `${tookMs} ms`);
    // The supervisor's own log has reported it once.
    assert.equal(launched.stdout.text.match(/cannot write syslog/g)?.length, 1);
  },
);

test('a server that starts late gets the queue; an unknown name is reported once', { skip }, async (t) => {
  const early = await StreamServer.listen(t);
  const { port } = early;
  early.close();
  const launched = await launch(t, {
    config:
      `[supervisord]\n[program:web]\ncommand=sh -c "echo early; exec sleep 1000"\n` +
      `stdout_logfile=syslog+tcp://127.0.0.1:${port}, syslog://no-such-host.invalid\n`,
  });
  await launched.waitForLine(/ERRO cannot write syslog\+tcp:\/\/127\.0\.0\.1:\d+: connection refused \(ECONNREFUSED\)/);
  await launched.waitForLine(/ERRO cannot write syslog:\/\/no-such-host\.invalid:514: .*\((ENOTFOUND|EAI_AGAIN)\)/);
  const late = await StreamServer.listen(t, port);
  await late.until(({ name, text }) => name === 'web' && text === 'early');
  await until('the program to run on', async () => (await statusOf(launched, 'web')).statename === 'RUNNING');
  assert.equal(launched.stdout.text.match(/cannot write/g)?.length, 2);
});

test(
  'over TLS, with the form that the URL asks for; wrong options are errors with their place',
  { skip },
  async (t) => {
    const authority = new Authority(t);
    const pair = await readFile(authority.issue('loghost'));
    const server = await StreamServer.listenTls(t, { cert: pair, key: pair });
    const url = `syslog+tls://127.0.0.1:${server.port}?name=loghost&ca=${authority.path}`;
    const launched = await launch(t, {
      config:
        `[supervisord]\nlogfile=${url}&facility=daemon\n[program:web]\ncommand=sh -c "echo hello; exec sleep 1000"\n` +
        `stdout_logfile=/dev/stdout, ${url}&facility=local3&tag=%(program_name)s-1&sd=[app@32473 env="a, b"]\n`,
    });
    const hello = await server.until(({ text }) => text === 'hello');
    assert.deepEqual([hello.priority, hello.name, hello.data], [19 * 8 + 6, 'web-1', '[app@32473 env="a, b"]']);
    const own = await server.until(({ name, text }) => name === 'onevisor' && text.startsWith('spawned'));
    assert.equal(own.priority, 3 * 8 + 6);
    assert.equal(server.connections.size, 1, 'both have the same files, so they share a connection');
    const shown = (await launched.ctl('describe', 'web')).stdout;
    const options = `facility=local3&tag=web-1&sd=[app@32473 env="a%2C b"]&name=loghost&ca=${authority.path}`;
    assert.ok(shown.includes(options), shown);
    launched.signal('SIGTERM');
    assert.deepEqual(await launched.exit, { code: 0, signal: null });

    const wrong = await launch(t, {
      config:
        '[supervisord]\nlogfile=syslog://h?facility=local8\n[program:web]\ncommand=cat\n' +
        'stdout_logfile=syslog+tls://h?ca=/none.pem\nstderr_logfile=syslog+tcp://h?verify=false\n',
    });
    assert.deepEqual(await wrong.exit, { code: 2, signal: null });
    for (const text of [
      /conf:2: \[supervisord\] logfile: facility=local8 is not facility= and one of user, mail, /,
      /conf:5: \[program:web\] stdout_logfile: ca=\/none\.pem is not ca= and a file that exists/,
      /conf:6: \[program:web\] stderr_logfile: verify= is for syslog\+tls:\/\/ only/,
    ])
      assert.match(wrong.stderr.text, text);
  },
);
