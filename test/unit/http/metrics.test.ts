/** The text of /metrics: its format, every metric, names with any character in them, and what it costs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import { endReasons } from '../../../src/core/run-end.ts';
import { chooseFormat, formatLabels, OPENMETRICS, PROMETHEUS } from '../../../src/http/exposition.ts';
import { describeMetrics, labelProcess, type MetricsInput } from '../../../src/http/metrics.ts';
import type { ProcessView } from '../../../src/engine/process-table.ts';

function view(group: string, name: string, record: Partial<ProcessRecord>, options: object = {}): ProcessView {
  const config = {
    group,
    name,
    argv: ['/bin/secret'],
    options: {
      command: '/bin/secret --token=hidden',
      environment: new Map([['KEY', 'hidden']]),
      notification_fd: null,
      ready_log: null,
      notify: null,
      max_memory: null,
      memory_max: null,
      ...options,
    },
  };
  return {
    id: `${group}:${name}`,
    config: config as unknown as ProcessView['config'],
    record: { ...initialRecord, ...record },
  };
}

type Processes = ReadonlyArray<readonly [ProcessView, number]>;

function textOf(processes: Processes, more: Partial<MetricsInput> = {}): string {
  return formatted({ ...inputOf(processes), ...more });
}

function formatted(input: MetricsInput, format = PROMETHEUS): string {
  return [...format.format(describeMetrics(input))].join('');
}

/** The same without /proc. */
function blinded(processes: Processes): MetricsInput['processes'] {
  return inputOf(processes).processes.map((proc) => ({ ...proc, usage: null }));
}

function inputOf(processes: Processes): MetricsInput {
  return {
    version: '1.2.3',
    state: 'RUNNING',
    residentBytes: 4096,
    processes: processes.map(([proc, start]) =>
      labelProcess({
        view: proc,
        start,
        oomKills: proc.config.name === 'job' ? 2 : 0,
        ends: new Map([['exit', 2]]),
        isFlapping: proc.config.name === 'web',
        starts: proc.config.name === 'web' ? { planned: 1, unplanned: 2 } : { planned: 0, unplanned: 0 },
        usage: {
          cpuSeconds: proc.config.name === 'never' ? 0 : 1.25,
          tree: proc.config.name === 'web' ? { residentBytes: 8192, processes: 3, openFiles: 12 } : null,
        },
        outputs:
          proc.config.name === 'web' ? [{ stream: 'stdout', counts: { lines: 7, bytes: 70, droppedLines: 1 } }] : [],
      }),
    ),
  };
}

const web = view(
  'web',
  'web',
  {
    state: 'RUNNING',
    run: 3,
    restarts: 2,
    lastExit: { kind: 'exited', code: 4 },
    pid: 5,
    health: 'starting',
    isReady: true,
  },
  { notify: 'sd', max_memory: 300, memory_max: 200 },
);

/** Returns the lines of one metric, without its name. */
function samplesOf(text: string, name: string): string[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .map((line) => line.slice(name.length));
}

describe('metrics', () => {
  const text = textOf([
    [web, 1_795_000_000],
    [view('g', 'job', { state: 'EXITED', run: 1, exit: { kind: 'signaled', signal: 9, core: false } }), 1_795_000_001],
    [view('g', 'never', {}), 0],
  ]);
  const expected: Readonly<Record<string, readonly string[]>> = {
    onevisor_build_info: ['{version="1.2.3"} 1'],
    onevisor_supervisor_state: [
      '{state="FATAL"} 0',
      '{state="RUNNING"} 1',
      '{state="RESTARTING"} 0',
      '{state="SHUTDOWN"} 0',
    ],
    process_resident_memory_bytes: [' 4096'],
    onevisor_process_up: ['{group="web",name="web"} 1', '{group="g",name="job"} 0', '{group="g",name="never"} 0'],
    onevisor_process_start_time_seconds: ['{group="web",name="web"} 1795000000'],
    onevisor_process_restarts_total: [
      '{group="web",name="web"} 2',
      '{group="g",name="job"} 0',
      '{group="g",name="never"} 0',
    ],
    onevisor_process_flapping: ['{group="web",name="web"} 1', '{group="g",name="job"} 0', '{group="g",name="never"} 0'],
    onevisor_process_exit_status: ['{group="g",name="job"} 137'],
    onevisor_process_last_exit_code: ['{group="web",name="web"} 4'],
    onevisor_process_last_exit_signal: ['{group="g",name="job"} 9'],
    onevisor_process_oom_kills_total: [
      '{group="web",name="web"} 0',
      '{group="g",name="job"} 2',
      '{group="g",name="never"} 0',
    ],
    onevisor_process_health: [
      '{group="web",name="web",health="starting"} 1',
      '{group="web",name="web",health="healthy"} 0',
      '{group="web",name="web",health="unhealthy"} 0',
    ],
    onevisor_process_ready: ['{group="web",name="web"} 1'],
    onevisor_process_starts_total: [
      '{group="web",name="web",kind="planned"} 1',
      '{group="web",name="web",kind="unplanned"} 2',
      '{group="g",name="job",kind="planned"} 0',
      '{group="g",name="job",kind="unplanned"} 0',
      '{group="g",name="never",kind="planned"} 0',
      '{group="g",name="never",kind="unplanned"} 0',
    ],
    onevisor_process_cpu_seconds_total: [
      '{group="web",name="web"} 1.25',
      '{group="g",name="job"} 1.25',
      '{group="g",name="never"} 0',
    ],
    onevisor_process_resident_memory_bytes: ['{group="web",name="web"} 8192'],
    onevisor_process_memory_limit_bytes: ['{group="web",name="web"} 200'],
    onevisor_process_processes: ['{group="web",name="web"} 3'],
    onevisor_process_open_fds: ['{group="web",name="web"} 12'],
    onevisor_process_log_lines_total: ['{group="web",name="web",stream="stdout"} 7'],
    onevisor_process_log_bytes_total: ['{group="web",name="web",stream="stdout"} 70'],
    onevisor_process_log_dropped_total: ['{group="web",name="web",stream="stdout"} 1'],
    node_supervisord_up: ['{group="web",name="web"} 1', '{group="g",name="job"} 0', '{group="g",name="never"} 0'],
    node_supervisord_state: ['{group="web",name="web"} 20', '{group="g",name="job"} 100', '{group="g",name="never"} 0'],
    node_supervisord_exit_status: [
      '{group="web",name="web"} 0',
      '{group="g",name="job"} -1',
      '{group="g",name="never"} 0',
    ],
    node_supervisord_start_time_seconds: ['{group="web",name="web"} 1795000000'],
  };
  for (const [name, lines] of Object.entries(expected))
    test(name, () => assert.deepEqual(samplesOf(text, name), lines));

  test('exactly one state of a process is 1', () => {
    assert.deepEqual(
      samplesOf(text, 'onevisor_process_state').filter((line) => line.endsWith(' 1')),
      [
        '{group="web",name="web",state="RUNNING"} 1',
        '{group="g",name="job",state="EXITED"} 1',
        '{group="g",name="never",state="STOPPED"} 1',
      ],
    );
    assert.equal(samplesOf(text, 'onevisor_process_state').length, 3 * 8);
  });

  test('the ends of runs are counted by reason, also those that never happened', () => {
    const lines = samplesOf(text, 'onevisor_process_exits_total');
    assert.equal(lines.length, 3 * endReasons.length);
    assert.ok(lines.includes('{group="web",name="web",reason="exit"} 2'));
    assert.ok(lines.includes('{group="web",name="web",reason="oom"} 0'));
  });

  test('each metric is declared once, before its samples, with a type', () => {
    for (const name of [...Object.keys(expected), 'onevisor_process_state', 'onevisor_process_exits_total'])
      assert.match(text, new RegExp(`^# HELP ${name} [^\\n]+\\.\\n# TYPE ${name} (gauge|counter)\\n${name}[{ ]`, 'm'));
    assert.equal(text.split('# TYPE ').length, 1 + Object.keys(expected).length + 2);
    assert.ok(text.endsWith('\n'));
  });

  test('do not show commands and variables', () => assert.doesNotMatch(text, /hidden|secret/));

  test('an unknown value is omitted with its declaration', () => {
    assert.doesNotMatch(textOf([], { residentBytes: null }), /resident|onevisor_process/);
  });

  test('without /proc, programs have no processor time, memory, processes and descriptors', () => {
    const blind = textOf([[web, 0]], { processes: blinded([[web, 0]]) });
    assert.doesNotMatch(blind, /onevisor_process_(cpu|resident|processes|open_fds)/);
    assert.match(blind, /^onevisor_process_memory_limit_bytes\{/m);
  });

  test('an unknown number of descriptors is omitted alone', () => {
    const [proc] = inputOf([[web, 0]]).processes;
    assert.ok(proc !== undefined);
    const tree = { residentBytes: 1, processes: 1, openFiles: null };
    const shown = textOf([], { processes: [{ ...proc, usage: { cpuSeconds: 1, tree } }] });
    assert.doesNotMatch(shown, /open_fds/);
    assert.match(shown, /^onevisor_process_processes\{group="web",name="web"\} 1$/m);
  });

  test('OpenMetrics: counters without _total in their declaration, units, and an end', () => {
    const open = formatted(inputOf([[web, 1]]), OPENMETRICS);
    assert.ok(open.endsWith('\n# EOF\n'));
    assert.match(
      open,
      /^# TYPE (onevisor_process_cpu_seconds) counter\n# UNIT \1 seconds\n# HELP \1 [^\n]+\n\1_total\{/m,
    );
    assert.match(open, /^# TYPE process_resident_memory_bytes gauge\n# UNIT process_resident_memory_bytes bytes\n/m);
    assert.match(open, /^# HELP onevisor_process_exits [^\n]*\\"stopped\\"/m);
    assert.doesNotMatch(open, /# TYPE \S+_total/);
  });

  test('the text is made in small pieces, so that other work has its turns in between', () => {
    const many = inputOf(Array.from({ length: 1000 }, (_, index) => [view('g', `p${index}`, {}), 0] as const));
    const pieces = [...PROMETHEUS.format(describeMetrics(many))];
    assert.ok(pieces.length > 100);
    for (const piece of pieces) assert.ok(piece.split('\n').length <= 203, piece.slice(0, 200));
  });

  for (const [accepted, format] of [
    [undefined, PROMETHEUS],
    ['*/*', PROMETHEUS],
    ['text/plain;version=0.0.4', PROMETHEUS],
    ['application/openmetrics-text', OPENMETRICS],
    ['application/openmetrics-text; version=1.0.0', OPENMETRICS],
    ['application/openmetrics-text; version=0.0.1', PROMETHEUS],
    ['application/openmetrics-text; version=1.0.0; q=0', PROMETHEUS],
    ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2', OPENMETRICS],
    ['application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.3', PROMETHEUS],
    ['application/openmetrics-text;q=x', PROMETHEUS],
    [`${'x,'.repeat(5000)}application/openmetrics-text`, PROMETHEUS],
  ] as const)
    test(`Accept: ${accepted?.slice(0, 90)}`, () => assert.equal(chooseFormat(accepted), format));

  test('a label may contain any character', () => {
    assert.equal(formatLabels({ a: 'x"y\\z\nw', b: 'ü{},=' }), 'a="x\\"y\\\\z\\nw",b="ü{},="');
    const unquote = (quoted: string): string =>
      quoted.slice(1, -1).replace(/\\(.)/g, (_all, character: string) => (character === 'n' ? '\n' : character));
    fc.assert(
      fc.property(fc.string(), (value) => {
        const line = formatLabels({ a: value });
        assert.match(line, /^a="(?:[^"\\\n]|\\["\\n])*"$/);
        assert.equal(unquote(line.slice(2)), value);
      }),
    );
  });
});
