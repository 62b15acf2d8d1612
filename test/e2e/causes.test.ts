/** The causes of starts, stops and exits on the executable, from every door that a request or a rule can use. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { launch, type Launched, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';
import { freePort } from './ports.ts';

const skip = (await pid1SkipReason()) ?? false;

interface Run {
  readonly run: number;
  readonly start_cause: { readonly kind: string; readonly text: string };
  readonly end?: { readonly why: string; readonly text: string; readonly how: string };
}

interface Site {
  readonly launched: Launched;
  call<T>(method: string, ...params: ReadonlyArray<string | number>): Promise<T>;
  /** Waits until the latest ended run of a process has this text. */
  ended(name: string, text: RegExp): Promise<Run>;
}

/** Starts a supervisor with a TCP server for `admin`, and the programs of `config`. */
async function open(t: TestContext, config: string): Promise<Site> {
  const port = await freePort();
  const launched = await launch(t, {
    config: `[supervisord]
loglevel=debug
[inet_http_server]
port=127.0.0.1:${port}
username=admin
password=secret
[unix_http_server]
file=%FOLDER%/s.sock
[supervisorctl]
serverurl=unix://%FOLDER%/s.sock
${config}`,
  });
  const call = async <T>(method: string, ...params: ReadonlyArray<string | number>): Promise<T> => {
    const values = params.map((value) =>
      typeof value === 'number' ? `<int>${value}</int>` : `<string>${value}</string>`,
    );
    const body = `<methodCall><methodName>${method}</methodName><params>${values
      .map((value) => `<param><value>${value}</value></param>`)
      .join('')}</params></methodCall>`;
    const answer = await fetch(`http://127.0.0.1:${port}/RPC2`, {
      method: 'POST',
      body,
      headers: { Authorization: `Basic ${btoa('admin:secret')}`, Accept: 'application/json' },
    });
    const { value } = (await answer.json()) as { value: T };
    assert.notEqual(value, undefined, `${method} has no value`);
    return value;
  };
  const ended = (name: string, text: RegExp): Promise<Run> =>
    until(`the end of ${name}`, async () =>
      (await call<Run[]>('onevisor.getRuns', name)).find(({ end }) => end !== undefined && text.test(end.text)),
    );
  await launched.waitForLine(/spawned/);
  return { launched, call, ended };
}

test('clients of both servers are named, in the log, in the runs and in the events', { skip }, async (t) => {
  const { launched, call, ended } = await open(t, '[program:web]\ncommand=sleep 1000\nstartsecs=0');
  assert.equal((await launched.ctl('stop', 'web')).code, 0);
  const stopped = await ended('web', /SIGTERM/);
  assert.equal(stopped.start_cause.kind, 'boot');
  assert.match(
    stopped.end?.text ?? '',
    /^terminated by SIGTERM, stopped: supervisor\.stopProcess of a client \(uid \d+, pid \d+\)$/,
  );
  await launched.waitForLine(/supervisor\.stopProcess web: requested by a client \(uid \d+, pid \d+\)$/);
  await call('supervisor.startProcess', 'web');
  await call('supervisor.signalProcess', 'web', 'KILL');
  const killed = await ended('web', /SIGKILL/);
  assert.match(killed.start_cause.text, /^supervisor\.startProcess of a client over TCP \(user admin, 127\.0\.0\.1\)$/);
  assert.match(killed.end?.text ?? '', /after a signal: supervisor\.signalProcess of a client over TCP/);
  const { events } = await call<{ events: Array<{ seq: number; kind: string; method?: string }> }>(
    'onevisor.readEvents',
  );
  assert.deepEqual(
    events.flatMap(({ method }) => method ?? []),
    ['supervisor.stopProcess', 'supervisor.startProcess', 'supervisor.signalProcess'],
  );
  const seqs = events.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    seqs.toSorted((a, b) => a - b),
  );
});

test('rules of the program: health, retries, autorestart, a dependency', { skip }, async (t) => {
  const { launched, call, ended } = await open(
    t,
    `
[program:sick]
command=sleep 1000
startsecs=0
healthcheck=exec:false
healthcheck_interval=100ms
healthcheck_retries=1
healthcheck_action=restart
[program:loop]
command=sh -c "sleep 0.1; exit 3"
startsecs=0
autorestart=true
[program:never]
command=/nowhere/at/all
startretries=1
[program:late]
command=sleep 1000
depends_on=sick:started
startsecs=0`,
  );
  assert.match((await ended('sick', /unhealthy/)).end?.why ?? '', /^health$/);
  await until('four runs of the loop', async () => (await call<Run[]>('onevisor.getRuns', 'loop')).length > 4);
  const loops = await call<Run[]>('onevisor.getRuns', 'loop');
  assert.deepEqual([loops[1]?.start_cause.text, loops[1]?.end?.text], ['autorestart', 'exit status 3']);
  const never = await ended('never', /not started: can't find command/);
  assert.equal(never.end?.why, 'not_started');
  await until('a second try', async () =>
    (await call<Run[]>('onevisor.getRuns', 'never')).some(({ start_cause }) =>
      start_cause.text.includes('startretries'),
    ),
  );
  const [late] = await call<Run[]>('onevisor.getRuns', 'late');
  assert.match(late?.start_cause.text ?? '', /^autostart/);
  const [loop] = (
    await call<Array<{ name: string; flapping: boolean; problem?: string }>>('onevisor.getStatus')
  ).filter(({ name }) => name === 'loop');
  assert.equal(loop?.flapping, true);
  launched.signal('SIGTERM');
  assert.equal((await launched.exit).code, 0);
});
