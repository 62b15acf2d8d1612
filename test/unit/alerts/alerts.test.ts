/** From changes of the engine to alerts: which event is which, by a real engine with programs in memory. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Alerts } from '../../../src/alerts/alerts.ts';
import type { NotifyConfig } from '../../../src/config/model.ts';
import type { Job, JobOutcome } from '../../../src/engine/ports.ts';
import { alertFacts } from '../../../src/supervisor/alert-facts.ts';
import { FakeWallClock } from '../events/fakes.ts';
import { readText } from '../config/memory-source.ts';
import { FakeApi, type FakeProgram } from '../rpc/fake-api.ts';

type Json = Record<string, unknown>;

/** Alerts of programs in memory. */
class Scene {
  readonly clock = new FakeWallClock();
  readonly api: FakeApi;
  readonly alerts: Alerts;
  readonly lines: string[] = [];
  readonly jobs: Array<{ readonly job: Job; readonly done: (outcome: JobOutcome) => void; isCancelled: boolean }> = [];
  /** Outcome of the commands; null to leave them running. */
  outcome: JobOutcome | null = { kind: 'ended', status: { kind: 'exited', code: 0 }, output: '' };

  constructor(programs: readonly FakeProgram[], ...sections: readonly string[]) {
    this.api = new FakeApi(programs, this.clock);
    this.alerts = new Alerts({
      clock: this.clock,
      report: (level, text) => this.lines.push(`${level} ${text}`),
      jobs: {
        run: (_proc, job, done) => {
          const running = { job, done, isCancelled: false };
          this.jobs.push(running);
          if (this.outcome !== null) queueMicrotask(() => done(this.outcome as JobOutcome));
          return () => {
            running.isCancelled = true;
          };
        },
      },
      facts: alertFacts(() => this.api),
      host: 'box',
      identifier: () => 'sup',
    });
    this.api.subscribe((event) => this.alerts.observe(event));
    this.alerts.configure(sectionsOf(...sections));
  }

  /** Moves the clock. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await settle();
  }

  start(name: string): void {
    this.api.start(`${name}:${name}`, { kind: 'request', method: 'x', client: { door: 'unix', user: null, peer: '' } });
  }

  get alertsSent(): Json[] {
    return this.jobs.map(({ job }) => JSON.parse(job.input ?? '') as Json);
  }

  get messages(): string[] {
    return this.alertsSent.map(({ event, message }) => `${String(event)}: ${String(message)}`);
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}

function sectionsOf(...sections: readonly string[]): readonly NotifyConfig[] {
  const text = sections.map((options, index) => `[notify:n${index}]\ncommand=tell\n${options}\n`).join('');
  const { config, errors } = readText(`[supervisord]\n[program:web]\ncommand=web\n${text}`);
  assert.deepEqual(errors, []);
  return config?.notifications ?? [];
}

const crash: FakeProgram = { name: 'web', exitAfterMs: 2000, exitCode: 3, stdout: 'one\n' };

test('an unexpected exit and FATAL', async () => {
  const scene = new Scene(
    [{ ...crash, exitAfterMs: 10, options: { startretries: 0 } }],
    'events=fatal, exited-unexpectedly, gave-up',
  );
  scene.api.lastLines.set('web:web', { stream: 'stderr', text: 'last words' });
  scene.start('web');
  await scene.pass(10);
  await scene.pass(2000);
  assert.deepEqual(scene.messages, [
    'exited-unexpectedly: web has ended unexpectedly: exit status 3',
    'fatal: web is FATAL: Exited too quickly (process log may have details); last exit: exit status 3',
  ]);
  const [exit] = scene.alertsSent;
  assert.deepEqual(
    { ...exit, time: null },
    {
      event: 'exited-unexpectedly',
      message: 'web has ended unexpectedly: exit status 3',
      reason: 'exit status 3',
      name: 'web',
      process_name: 'web',
      group_name: 'web',
      program_name: 'web',
      state: 'BACKOFF',
      from_state: 'STARTING',
      pid: 1000,
      exit_code: 3,
      signal: null,
      last_line: 'last words',
      left_out: 0,
      time: null,
      host: 'box',
      identifier: 'sup',
      notify: 'n0',
    },
  );
});

test('stops and expected exits are no unexpected exits, and a command that is not found is FATAL only', async () => {
  const scene = new Scene(
    [
      { name: 'web' },
      { name: 'job', exitAfterMs: 2000, options: { autorestart: 'false' } },
      { name: 'none', spawnError: "can't find command 'none'", options: { startretries: 0 } },
    ],
    'events=exited-unexpectedly, fatal',
  );
  for (const name of ['web', 'job', 'none']) scene.start(name);
  await scene.pass(3000);
  scene.api.stop('web:web', { kind: 'request', method: 'x', client: { door: 'unix', user: null, peer: '' } });
  await scene.pass(1000);
  assert.deepEqual(scene.messages, ["fatal: none is FATAL: can't find command 'none'"]);
});

test('flapping is told once, until it is over', async () => {
  const scene = new Scene(
    [{ ...crash, options: { autorestart: 'true', restartpause: 0 } }],
    'events=flapping\nthrottle=0',
  );
  scene.start('web');
  await scene.pass(20_000);
  assert.deepEqual(scene.messages, ['flapping: web is flapping: 3 unexpected restarts within 600 seconds']);
});

test('health, memory and names of Supervisor', async () => {
  const scene = new Scene(
    [{ name: 'web' }],
    'events=unhealthy, healthy-again',
    'events=memory-restart, PROCESS_STATE_RUNNING',
  );
  scene.start('web');
  await scene.pass(2000);
  const { engine } = scene.api;
  engine.reportHealth('web:web', 1, 'healthy');
  scene.api.remarksOf.set('web:web', [{ kind: 'healthFailure', reason: 'HTTP 500' }]);
  for (const health of ['unhealthy', 'unhealthy', 'starting', 'healthy', 'healthy'] as const)
    engine.reportHealth('web:web', 1, health);
  await settle();
  engine.restartProcess('web:web', { kind: 'memory', bytes: 400 * 1024 ** 2, limitBytes: 300 * 1024 ** 2 });
  await settle();
  assert.deepEqual(scene.messages, [
    'PROCESS_STATE_RUNNING: web is RUNNING, after STARTING',
    'unhealthy: web is unhealthy: HTTP 500',
    'healthy-again: web is healthy again',
    'memory-restart: web is restarted: it uses 400 MB, more than max_memory (300 MB)',
  ]);
});

test('groups, dependencies that cannot be met, the supervisor, and programs', async () => {
  const scene = new Scene(
    [
      { name: 'db', spawnError: 'no', options: { startretries: 0 } },
      { name: 'web', dependsOn: 'db' },
    ],
    'events=gave-up, shutdown, SUPERVISOR_STATE_CHANGE, PROCESS_GROUP\nprograms=web',
  );
  scene.alerts.started();
  scene.start('db');
  scene.start('web');
  await scene.pass(2000);
  scene.api.engine.removeGroup('db');
  scene.api.engine.removeGroup('web');
  const cause = { kind: 'signal', signal: 15, sender: 0 } as const;
  scene.api.engine.shutDown('exit', cause);
  await settle();
  assert.deepEqual(scene.messages, [
    'SUPERVISOR_STATE_CHANGE_RUNNING: the supervisor is running',
    'gave-up: web cannot start: db must be started and is FATAL',
    'PROCESS_GROUP_REMOVED: the group web was removed',
    'shutdown: the supervisor shuts down: received SIGTERM',
  ]);
});

test('throttle and retries follow the clock', async () => {
  const scene = new Scene(
    [{ ...crash, options: { autorestart: 'true', restartpause: 0 } }],
    'events=exited-unexpectedly\nretries=1',
  );
  scene.start('web');
  scene.outcome = { kind: 'failed', reason: 'cannot fork' };
  for (let step = 0; step < 65; step++) await scene.pass(1000);
  const leftOut = (): unknown[] => scene.alertsSent.map((alert) => alert['left_out']);
  assert.deepEqual(leftOut().slice(0, 2), [0, 0], 'the first one, twice');
  assert.deepEqual(scene.lines.slice(0, 1), ['warn cannot notify by notify:n0: cannot fork; it is tried again']);
  assert.ok(Number(leftOut()[2]) > 20, String(leftOut()));
  scene.outcome = { kind: 'ended', status: { kind: 'exited', code: 0 }, output: '' };
  for (let step = 0; step < 65; step++) await scene.pass(1000);
  assert.match(scene.lines.at(-1) ?? '', /^info notify:n0 works again/);
});

const limit = (clock: FakeWallClock, ms: number): { giveUpAtMs: () => number; onChange: () => () => void } => {
  const atMs = clock.nowMs() + ms;
  return { giveUpAtMs: () => atMs, onChange: () => () => undefined };
};

test('the end waits for deliveries, and gives up at its limit', async () => {
  const scene = new Scene([{ name: 'web' }], 'events=shutdown', 'events=shutdown');
  scene.outcome = null;
  scene.api.engine.shutDown('exit', { kind: 'signal', signal: 15, sender: 0 });
  let isOver = false;
  const end = scene.alerts.finish(limit(scene.clock, 5000)).then(() => (isOver = true));
  await settle();
  assert.equal(scene.jobs.length, 2);
  scene.jobs[0]?.done({ kind: 'ended', status: { kind: 'exited', code: 0 }, output: '' });
  await scene.pass(4999);
  assert.ok(!isOver);
  await scene.pass(1);
  await end;
  assert.deepEqual(
    scene.jobs.map(({ isCancelled }) => isCancelled),
    [false, true],
  );
  assert.deepEqual(scene.lines, [
    'warn cannot notify by notify:n1: no time was left before the exit; 1 notification is lost',
  ]);
  scene.alerts.started();
  assert.equal(scene.jobs.length, 2);
});

test('the end has no retries, a pause before a retry ends, and what was left out is in a summary', async () => {
  const scene = new Scene(
    [{ ...crash, options: { autorestart: 'true', restartpause: 0 } }],
    'events=exited-unexpectedly',
    'events=PROCESS_STATE_BACKOFF',
  );
  scene.outcome = { kind: 'ended', status: { kind: 'exited', code: 1 }, output: 'no route' };
  scene.start('web');
  await scene.pass(2000);
  for (let step = 0; step < 5; step++) await scene.pass(2100);
  const tried = scene.jobs.length;
  assert.ok(tried > 1);
  scene.outcome = { kind: 'ended', status: { kind: 'exited', code: 0 }, output: '' };
  await scene.alerts.finish(limit(scene.clock, 5000));
  assert.deepEqual(
    scene.alertsSent.slice(tried).map(({ event }) => event),
    ['exited-unexpectedly', 'summary'],
  );
  const failing = new Scene([{ name: 'web' }], 'events=shutdown');
  failing.outcome = { kind: 'failed', reason: 'no such command' };
  failing.api.engine.shutDown('exit', { kind: 'signal', signal: 15, sender: 0 });
  await failing.alerts.finish(limit(failing.clock, 5000));
  assert.equal(failing.jobs.length, 1);
  assert.deepEqual(failing.lines, ['warn cannot notify by notify:n0: no such command; 1 notification is lost']);
});

test('sections are added, changed and removed', async () => {
  const scene = new Scene([{ name: 'web' }], 'events=shutdown');
  const next = sectionsOf('events=PROCESS_STATE_RUNNING', 'events=PROCESS_STATE_RUNNING');
  assert.deepEqual(scene.alerts.plan(next), { added: ['n1'], removed: [], changed: ['n0'] });
  assert.deepEqual(scene.alerts.configure(next), { added: ['n1'], removed: [], changed: ['n0'] });
  scene.start('web');
  await scene.pass(2000);
  assert.deepEqual(
    scene.alertsSent.map(({ notify }) => notify),
    ['n0', 'n1'],
  );
  const proc = scene.api.process('web:web')?.config ?? assert.fail();
  assert.deepEqual(scene.alerts.namesFor(proc), ['n0', 'n1']);
  assert.deepEqual(scene.alerts.configure([]), { added: [], removed: ['n0', 'n1'], changed: [] });
  scene.api.engine.shutDown('exit', { kind: 'signal', signal: 15, sender: 0 });
  await settle();
  assert.equal(scene.jobs.length, 2);
  assert.deepEqual(scene.alerts.namesFor(proc), []);
});

test('a test is one attempt, and one at a time', async () => {
  const scene = new Scene([{ name: 'web' }], 'events=shutdown');
  scene.outcome = null;
  assert.equal(scene.alerts.test('nope'), null);
  const first = scene.alerts.test('n0');
  assert.equal(await scene.alerts.test('n0'), 'another test is under way');
  assert.deepEqual(scene.messages, ['test: this is a test of notify:n0']);
  assert.equal(scene.jobs[0]?.job.name, 'test');
  scene.jobs[0]?.done({ kind: 'ended', status: { kind: 'exited', code: 1 }, output: 'no account' });
  assert.equal(await first, 'no account');
  assert.deepEqual(scene.lines, []);
  const second = scene.alerts.test('n0');
  scene.alerts.close();
  assert.equal(scene.jobs[1]?.isCancelled, true);
  scene.jobs[1]?.done({ kind: 'cancelled' });
  assert.equal(await second, 'cancelled');
});
