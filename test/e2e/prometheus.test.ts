/**
 * The built executable under Prometheus of Debian: it reads both formats, each query of `onevisor grafana` finds data,
 * and an alert of `onevisor alerts` fires. The alerts are tested with promtool over series, without waiting.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { EXECUTABLE, launch, pid1SkipReason } from './launch.ts';
import { until } from './observe.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);
const skip =
  (await pid1SkipReason()) ??
  (await run('sh', ['-c', 'command -v prometheus && command -v promtool']).then(
    () => false,
    () => 'prometheus is not installed',
  ));

/** A configuration with all features that have metrics. */
const PROGRAMS =
  // Two lines and a burst of processor time for each run; two runs in all.
  '[program:web]\ncommand=sh -c "echo one; echo two; i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done; ' +
  'mkdir first && exit 3; sleep 1000 & echo three; wait"\nstartsecs=0\nautorestart=true\nmax_memory=1GB\n' +
  'healthcheck=true\nhealthcheck_interval=1s\n' +
  '[program:bad]\ncommand=/nonexistent\nstartretries=0\n' +
  '[program:late]\ncommand=sleep 1000\nready_log=ready\nstartsecs=0\n' +
  '[program:job]\ncommand=true\noneshot=true\nstartsecs=0\n' +
  '[program:full]\ncommand=sh -c "echo lost; echo lost; exec sleep 1000"\nstdout_logfile=/dev/full\nstartsecs=0\n';

/** A series of the API. */
interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: readonly [at: number, value: string];
}

/** A running Prometheus. */
interface Prometheus {
  ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown>;
  /** Runs a query; its series. */
  query(expr: string): Promise<readonly Series[]>;
}

async function startPrometheus(t: TestContext, config: string, files: Record<string, string>): Promise<Prometheus> {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-prometheus-'));
  for (const [name, text] of Object.entries({ ...files, 'prometheus.yml': config }))
    await writeFile(join(folder, name), text);
  const port = await freePort();
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: ['ignore', 'inherit', 'inherit'], cwd: folder },
  );
  const ended = new Promise((resolve) => child.once('exit', resolve));
  t.after(async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  });
  const ask: Prometheus['ask'] = async (path, parameters) => {
    const response = await fetch(
      `http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(parameters).toString()}`,
    );
    const answer = (await response.json()) as { status: string; error?: string; data: unknown };
    assert.equal(answer.status, 'success', `${path} ${JSON.stringify(parameters)}: ${answer.error}`);
    return answer.data;
  };
  await until('Prometheus is ready', async () =>
    fetch(`http://127.0.0.1:${port}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  return {
    ask,
    query: async (expr) => ((await ask('query', { query: expr })) as { result: readonly Series[] }).result,
  };
}

/** Passes /metrics on as plain text: this Prometheus always prefers OpenMetrics. */
async function passOnAsText(t: TestContext, target: number): Promise<number> {
  const types = new Set<string | null>();
  const server = createServer((_request, response) => {
    const pass = async (): Promise<void> => {
      const answer = await fetch(`http://127.0.0.1:${target}/metrics`, { headers: { Accept: 'text/plain' } });
      types.add(answer.headers.get('content-type'));
      response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type') ?? '' });
      response.end(await answer.text());
    };
    // The supervisor is not up yet, or has ended.
    pass().catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    server.closeAllConnections();
    server.close();
    assert.deepEqual([...types], ['text/plain; version=0.0.4; charset=utf-8']);
  });
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return address.port;
}

/** Returns all queries of a dashboard. */
function queriesOf(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const own = 'expr' in node && typeof node.expr === 'string' ? [node.expr] : [];
  return [...own, ...Object.values(node).flatMap(queriesOf)];
}

/** Fills in variables as Grafana does. */
function fillIn(text: string): string {
  return text
    .replace(/\$(job|instance|group|program)\b/g, '.*')
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '1h');
}

test('Prometheus reads both formats; dashboard and alerts fit', { skip, timeout: 180_000 }, async (t) => {
  const port = await freePort();
  const launched = await launch(t, {
    config: `[inet_http_server]\nport=127.0.0.1:${port}\n[supervisord]\n${PROGRAMS}`,
  });
  const make = async (command: string): Promise<string> => {
    const { code, stdout, stderr } = await launched.enter([EXECUTABLE, command, '-c', 'supervisord.conf']);
    assert.deepEqual([code, stderr], [0, '']);
    return stdout;
  };
  const [dashboard, rules] = [JSON.parse(await make('grafana')) as unknown, await make('alerts')];
  const textPort = await passOnAsText(t, port);
  const config =
    'global: {scrape_interval: 500ms, evaluation_interval: 500ms}\nrule_files: [rules.yml]\nscrape_configs:\n' +
    `  - {job_name: open, static_configs: [{targets: ['127.0.0.1:${port}']}]}\n` +
    `  - {job_name: text, static_configs: [{targets: ['127.0.0.1:${textPort}']}]}\n`;
  // Real rules with a shorter wait. The next test has the real waits.
  const prometheus = await startPrometheus(t, config, { 'rules.yml': rules.replaceAll('for: 1m', 'for: 1s') });
  // On a busy machine a scrape may take too long, and a series is gone until the next one.
  const valuesOf = async (selector: string): Promise<Record<string, number>> =>
    Object.fromEntries(
      (await prometheus.query(`last_over_time(${selector}[1m])`)).map(({ metric, value }) => [
        metric['job'] ?? '',
        Number(value[1]),
      ]),
    );

  await until('the lines of both runs', async () => {
    const lines = await valuesOf('onevisor_process_log_lines_total{name="web",stream="stdout"}');
    return lines['open'] === 5 && lines['text'] === 5;
  });
  const isBoth = { open: 1, text: 1 };
  assert.deepEqual(await valuesOf('onevisor_process_starts_total{name="web",kind="unplanned"}'), isBoth);
  assert.deepEqual(await valuesOf('onevisor_process_starts_total{name="web",kind="planned"}'), isBoth);
  assert.deepEqual(await valuesOf('onevisor_process_exits_total{name="web",reason="exit"}'), isBoth);
  assert.deepEqual(await valuesOf('onevisor_process_log_bytes_total{name="web",stream="stdout"}'), {
    open: 22,
    text: 22,
  });
  assert.deepEqual(await valuesOf('onevisor_process_log_dropped_total{name="full",stream="stdout"}'), {
    open: 2,
    text: 2,
  });
  assert.deepEqual(await valuesOf('onevisor_process_processes{name="web"}'), { open: 2, text: 2 });
  for (const metric of ['resident_memory_bytes', 'cpu_seconds_total', 'open_fds'])
    for (const [job, value] of Object.entries(await valuesOf(`onevisor_process_${metric}{name="web"}`)))
      assert.ok(value > 0, `${metric} of ${job}: ${value}`);
  assert.deepEqual(await prometheus.query('resets(onevisor_process_cpu_seconds_total[10m]) > 0'), []);

  const queries = queriesOf(dashboard).map(fillIn);
  assert.ok(queries.length >= 15, String(queries.length));
  for (const expr of queries)
    await until(`data for ${expr}`, async () => (await prometheus.query(expr)).length > 0, 20_000);
  const problemsOf = queries.find((expr) => expr.startsWith('label_replace')) ?? '';
  await until('bad and late as the only problems', async () => {
    const problems = (await prometheus.query(problemsOf))
      .filter(({ metric }) => metric['job'] === 'text')
      .map(({ metric }) => `${metric['name']}: ${metric['problem']}`);
    return problems.toSorted().join() === 'bad: FATAL,late: not ready';
  });
  for (const [, expr = '', label = ''] of JSON.stringify(dashboard).matchAll(/"label_values\((.+?), (\w+)\)"/g)) {
    const selector = fillIn(JSON.parse(`"${expr}"`) as string);
    const values = await prometheus.ask(`label/${label}/values`, { 'match[]': selector });
    assert.ok(Array.isArray(values) && values.length > 0, `${label} of ${selector}`);
  }

  await until('the alert about bad fires', async () => {
    const { alerts } = (await prometheus.ask('alerts', {})) as {
      alerts: ReadonlyArray<{ state: string; labels: Record<string, string>; annotations: Record<string, string> }>;
    };
    const firing = alerts.filter(({ state, labels }) => state === 'firing' && labels['name'] === 'bad');
    return firing.some(
      ({ labels, annotations }) =>
        labels['alertname'] === 'OnevisorProcessFatal' &&
        annotations['summary'] === `bad:bad on 127.0.0.1:${port} is FATAL`,
    );
  });
});

/** A process in the series of promtool. */
const WEB = 'job="a",instance="i",group="web",name="web"';
const JOB = 'job="a",instance="i",group="job",name="job"';

/** One alert over series: times at which it must be silent, and times at which it must fire. */
interface AlertCase {
  readonly alert: string;
  readonly series: Readonly<Record<string, string>>;
  readonly silent: readonly string[];
  readonly firing: readonly string[];
}

const CASES: readonly AlertCase[] = [
  {
    alert: 'OnevisorProcessFatal',
    series: { [`onevisor_process_state{${WEB},state="FATAL"}`]: '0 0 1 1 1 1 0 0' },
    silent: ['1m', '2m', '6m'],
    firing: ['3m', '5m'],
  },
  {
    // Three exits at 2, 4 and 6 minutes, and a fourth at 10.
    alert: 'OnevisorProcessFlapping',
    series: {
      [`onevisor_process_exits_total{${WEB},reason="exit"}`]: '0 0 1 1 1 1 2 2 2 2 3x40',
      [`onevisor_process_exits_total{${WEB},reason="signal"}`]: '0 0 0 0 1x46',
      [`onevisor_process_exits_total{${JOB},reason="stopped"}`]: '0+5x50',
    },
    silent: ['8m', '9m', '40m'],
    firing: ['10m', '12m'],
  },
  {
    // A run of ten minutes each, for two hours; then one run that lasts. A job starts as often.
    alert: 'OnevisorProcessAlwaysRecent',
    series: {
      [`onevisor_process_start_time_seconds{${WEB}}`]: startTimes(12, 10),
      [`onevisor_process_start_time_seconds{${JOB}}`]: startTimes(12, 10),
      [`onevisor_process_restarts_total{${WEB}}`]: '0x200',
      [`onevisor_process_restarts_total{${JOB}}`]: '0x200',
    },
    silent: ['30m', '59m', '3h'],
    firing: ['65m', '119m'],
  },
  {
    alert: 'OnevisorProcessNotReady',
    series: {
      [`onevisor_process_ready{${WEB}}`]: '1 0x10 1x5',
      [`onevisor_process_up{${WEB}}`]: '1x16',
      [`onevisor_process_ready{${JOB}}`]: '0x16',
      [`onevisor_process_up{${JOB}}`]: '0x16',
    },
    silent: ['1m', '5m', '13m'],
    firing: ['6m', '10m'],
  },
  {
    alert: 'OnevisorProcessNotHealthy',
    series: {
      [`onevisor_process_health{${WEB},health="healthy"}`]: '1 0x10 1x5',
      [`onevisor_process_up{${WEB}}`]: '1x16',
    },
    silent: ['5m', '13m'],
    firing: ['6m'],
  },
  {
    alert: 'OnevisorProcessMemory',
    series: {
      [`onevisor_process_resident_memory_bytes{${WEB}}`]: '90 91x10 90x5',
      [`onevisor_process_memory_limit_bytes{${WEB}}`]: '100x16',
      [`onevisor_process_resident_memory_bytes{${JOB}}`]: '1000x16',
    },
    silent: ['5m', '13m'],
    firing: ['6m', '10m'],
  },
  {
    alert: 'OnevisorLogLinesDropped',
    series: { [`onevisor_process_log_dropped_total{${WEB},stream="stdout"}`]: '0 0 0 5x20' },
    silent: ['2m', '15m'],
    firing: ['3m', '6m'],
  },
  {
    alert: 'OnevisorScrapeFailed',
    series: {
      'up{job="a",instance="i"}': '1 1 0x10',
      'onevisor_build_info{job="a",instance="i",version="1"}': '1 1 _x10',
      'up{job="other",instance="i"}': '0x12',
    },
    silent: ['1m', '3m'],
    firing: ['4m', '9m'],
  },
  {
    alert: 'OnevisorAbsent',
    series: { 'onevisor_build_info{job="a",instance="i",version="1"}': '1 1 stale _x20 1x5' },
    silent: ['1m', '6m', '25m'],
    firing: ['7m', '15m'],
  },
];

/** Formats start times of `runs` runs of `minutes` each, and of one run of an hour after them. */
function startTimes(runs: number, minutes: number): string {
  const lasting = Array.from({ length: runs }, (_, index) => `${index * minutes * 60}x${minutes - 1}`);
  return [...lasting, `${runs * minutes * 60}x60`].join(' ');
}

/** Formats a case for promtool. Labels of the alerts come from the series. */
function formatCase({ alert, series, silent, firing }: AlertCase, labels: Readonly<Record<string, string>>): string {
  const expected = (time: string, alerts: string): string =>
    `      - {eval_time: ${time}, alertname: ${alert}, exp_alerts: ${alerts}}`;
  return [
    '  - interval: 1m',
    '    input_series:',
    ...Object.entries(series).map(([name, values]) => `      - {series: '${name}', values: '${values}'}`),
    '    alert_rule_test:',
    ...silent.map((time) => expected(time, '[]')),
    ...firing.map((time) => expected(time, `[{exp_labels: ${JSON.stringify(labels)}, exp_annotations: {}}]`)),
  ].join('\n');
}

test('each alert fires when it should, and not before', { skip, timeout: 60_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-alerts-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 's.conf'), `[inet_http_server]\nport=127.0.0.1:1\n[supervisord]\n${PROGRAMS}`);
  const { stdout: rules } = await run(EXECUTABLE, ['alerts', '-c', join(folder, 's.conf')]);
  assert.deepEqual(
    [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name).toSorted(),
    CASES.map(({ alert }) => alert).toSorted(),
    'each rule has a case',
  );
  // promtool compares annotations; they are shown by the other test.
  const bare = rules.replace(/^ {8}annotations:\n(?: {10}.*\n)*/gm, '');
  const processLabels = { job: 'a', instance: 'i', group: 'web', name: 'web' };
  const severityOf = (alert: string): string =>
    new RegExp(`alert: ${alert}\\n[^]*?severity: (\\w+)`).exec(rules)?.[1] ?? '';
  const more: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    OnevisorProcessFatal: { ...processLabels, state: 'FATAL' },
    OnevisorProcessNotHealthy: { ...processLabels, health: 'healthy' },
    OnevisorScrapeFailed: { job: 'a', instance: 'i' },
    OnevisorAbsent: {},
  };
  const cases = CASES.map((one) =>
    formatCase(one, { ...(more[one.alert] ?? processLabels), severity: severityOf(one.alert) }),
  );
  await writeFile(join(folder, 'rules.yml'), bare);
  await writeFile(
    join(folder, 'tests.yml'),
    `rule_files: [rules.yml]\nevaluation_interval: 1m\ntests:\n${cases.join('\n')}\n`,
  );
  await run('promtool', ['check', 'rules', join(folder, 'rules.yml')]);
  const outcome = await run('promtool', ['test', 'rules', join(folder, 'tests.yml')]).then(
    ({ stdout }) => stdout,
    (error: Error & { stdout?: string; stderr?: string }) => `${error.stdout}${error.stderr}`,
  );
  assert.match(outcome, /SUCCESS/, outcome);
});

test(
  'a configuration without these features has no rules and panels for them',
  { skip, timeout: 60_000 },
  async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'onevisor-alerts-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 's.conf'), '[supervisord]\n[program:web]\ncommand=true\n');
    const make = async (command: string): Promise<{ stdout: string; stderr: string }> =>
      run(EXECUTABLE, [command, '--static', '-c', join(folder, 's.conf')]);
    const [alerts, grafana] = [await make('alerts'), await make('grafana')];
    assert.doesNotMatch(alerts.stdout, /NotReady|NotHealthy|ProcessMemory|name!~/);
    assert.doesNotMatch(grafana.stdout, /process_ready|process_health|memory_limit/);
    assert.match(alerts.stderr, /^Note: there is no \[inet_http_server\]/);
    await writeFile(join(folder, 's.conf'), '[program:web]\n');
    for (const command of ['alerts', 'grafana'])
      await assert.rejects(make(command), (error: Error & { code?: number; stdout?: string; stderr?: string }) => {
        assert.equal(error.code, 2);
        assert.equal(error.stdout, '');
        assert.match(error.stderr ?? '', /\[program:web\] command/);
        return true;
      });
  },
);
