/**
 * /healthz, /readyz and /metrics of the built executable: the probes while programs start and stop, and the metrics
 * checked by Prometheus' own tool.
 */
import assert from 'node:assert/strict';
import { spawn, execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { order } from './connections.ts';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const skip = (await pid1SkipReason()) ?? false;
/** The tool of Prometheus, in PATH or as $PROMTOOL. */
const PROMTOOL = process.env['PROMTOOL'] ?? 'promtool';
const skipPromtool =
  skip ||
  (await run(PROMTOOL, ['--version']).then(
    () => false,
    () => 'promtool is not installed',
  ));

const AUTHORIZATION = `Basic ${Buffer.from('user:hidden').toString('base64')}`;

async function ask(
  port: number,
  path: string,
  isKnown = true,
): Promise<{ status: number; type: string | null; text: string }> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    headers: isKnown ? { Authorization: AUTHORIZATION } : {},
  });
  return { status: response.status, type: response.headers.get('content-type'), text: await response.text() };
}

/** A program that is up, one that has ended, one that is not started automatically, and one that fails. */
const PROGRAMS =
  '[program:web]\ncommand=sleep 1000\nenvironment=SECRET="hidden"\n' +
  '[program:job]\ncommand=sh -c "exit 0 hidden"\nstartsecs=0\nautorestart=false\n' +
  '[program:later]\ncommand=sh -c "exit 3"\nstartsecs=0\nstartretries=0\nautorestart=false\nautostart=false\n' +
  '[group:g]\nprograms=job,later\n';

async function start(t: Parameters<typeof launch>[0], port: number, options = ''): Promise<Launched> {
  const launched = await launch(t, {
    config:
      `[inet_http_server]\nport=127.0.0.1:${port}\nusername=user\npassword=hidden\n${options}\n` +
      `[supervisord]\n${PROGRAMS}`,
  });
  await launched.waitForLine(/success: web entered RUNNING/);
  return launched;
}

test('the probes follow the programs, with the texts of `onevisor health`', { skip, timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const launched = await start(t, port);
  for (const path of ['/healthz', '/readyz']) {
    assert.equal((await ask(port, path, false)).status, 401);
    assert.deepEqual(await ask(port, path), { status: 200, type: 'text/plain;charset=utf-8', text: 'ok\n' });
  }
  assert.deepEqual(await launched.ctl('health'), { code: 0, stdout: '', stderr: '' });
  await order(launched, 'supervisor.startProcess', 'g:later');
  await launched.waitForLine(/exited: later \(exit status 3; not expected\)/);
  const problem = 'g:later: EXITED exit status 3\n';
  for (const path of ['/healthz', '/readyz'])
    assert.deepEqual(await ask(port, path), { status: 503, type: 'text/plain;charset=utf-8', text: problem });
  assert.deepEqual(await launched.ctl('health'), { code: 1, stdout: problem, stderr: '' });
});

test('a supervisor is ready when its oneshots are done and no start waits', { skip, timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const waiting =
    '[program:migrate]\ncommand=sh -c "until [ -e %(here)s/go ]; do sleep 0.05; done"\noneshot=true\n' +
    '[program:web]\ncommand=sleep 1000\ndepends_on=migrate:completed\nstartsecs=0\n';
  const launched = await launch(t, {
    config: `[inet_http_server]\nport=127.0.0.1:${port}\n[supervisord]\n${waiting}`,
  });
  await launched.waitForLine(/success: migrate entered RUNNING/);
  assert.equal((await ask(port, '/healthz')).text, 'ok\n');
  const { status, text } = await ask(port, '/readyz');
  assert.equal(status, 503);
  assert.match(text, /^(?=[^]*^migrate: RUNNING not done$)(?=[^]*^web: STOPPED [^\n]*migrate)/m);
  // The client comes to the same result from the facts that it gets.
  assert.deepEqual(await launched.ctl('health'), { code: 1, stdout: text, stderr: '' });
  await launched.enter(['touch', 'go']);
  await launched.waitForLine(/success: web entered RUNNING/);
  assert.equal((await ask(port, '/readyz')).text, 'ok\n');
  assert.equal((await launched.ctl('health')).code, 0);
});

test('a program without its first passed check is alive and not ready', { skip, timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config:
      `[inet_http_server]\nport=127.0.0.1:${port}\n[supervisord]\n` +
      `[program:web]\ncommand=sleep 1000\nhealthcheck=test -e %(here)s/go\nhealthcheck_interval=0.2s\n` +
      `healthcheck_retries=1000\n`,
  });
  await launched.waitForLine(/success: web entered RUNNING/);
  assert.equal((await ask(port, '/healthz')).text, 'ok\n');
  assert.deepEqual(await ask(port, '/readyz'), {
    status: 503,
    type: 'text/plain;charset=utf-8',
    text: 'web: RUNNING starting, exit status 1\n',
  });
  assert.deepEqual(await launched.ctl('health'), {
    code: 1,
    stdout: 'web: RUNNING starting, exit status 1\n',
    stderr: '',
  });
  await launched.enter(['touch', 'go']);
  await launched.waitForLine(/web.*healthy/);
  assert.equal((await ask(port, '/readyz')).text, 'ok\n');
  assert.match(
    (await ask(port, '/metrics')).text,
    /^onevisor_process_health\{group="web",name="web",health="healthy"\} 1$/m,
  );
});

test(
  'the metrics: of all programs, without secrets, without a password only if configured',
  { skip, timeout: 60_000 },
  async (t) => {
    const port = await freePort();
    await start(t, port, 'metrics_auth=false');
    assert.equal((await ask(port, '/healthz', false)).status, 401);
    const { status, type, text } = await ask(port, '/metrics', false);
    assert.equal(status, 200);
    assert.equal(type, 'text/plain; version=0.0.4; charset=utf-8');
    for (const line of [
      /^onevisor_build_info\{version="\d+\.\d+\.\d+"\} 1$/m,
      /^process_resident_memory_bytes [1-9]\d{6,8}$/m,
      /^onevisor_process_state\{group="web",name="web",state="RUNNING"\} 1$/m,
      /^onevisor_process_up\{group="web",name="web"\} 1$/m,
      /^onevisor_process_exit_status\{group="g",name="job"\} 0$/m,
      /^onevisor_process_restarts_total\{group="g",name="later"\} 0$/m,
      /^node_supervisord_state\{group="g",name="job"\} 100$/m,
      /^node_supervisord_up\{group="g",name="later"\} 0$/m,
    ])
      assert.match(text, line);
    const started = Number(/^node_supervisord_start_time_seconds\{group="web",name="web"\} (\d+)$/m.exec(text)?.[1]);
    assert.ok(Math.abs(started - Date.now() / 1000) < 60, String(started));
    assert.doesNotMatch(text, /hidden|sleep/);
  },
);

test('otherwise the metrics need the password of the server', { skip, timeout: 60_000 }, async (t) => {
  const port = await freePort();
  await start(t, port);
  assert.equal((await ask(port, '/metrics', false)).status, 401);
  assert.equal((await ask(port, '/metrics')).status, 200);
});

test('promtool accepts the metrics', { skip: skipPromtool, timeout: 60_000 }, async (t) => {
  const port = await freePort();
  await start(t, port);
  const { text } = await ask(port, '/metrics');
  const tool = spawn(PROMTOOL, ['check', 'metrics'], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [tool.stdout, tool.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => (said += part));
  tool.stdin.end(text);
  const code = await new Promise((resolve, reject) => tool.on('close', resolve).on('error', reject));
  assert.deepEqual([code, said], [0, '']);
});
