/** The text of /metrics: its format, every metric, names with any character in them, and what it costs. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { initialRecord, type ProcessRecord } from '../../../src/core/process-record.ts';
import { endReasons } from '../../../src/core/run-end.ts';
import { formatFamilies, formatLabels } from '../../../src/http/exposition.ts';
import { describeMetrics, type MetricsInput } from '../../../src/http/metrics.ts';
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
      notify: null,
      ...options,
    },
  };
  return {
    id: `${group}:${name}`,
    config: config as unknown as ProcessView['config'],
    record: { ...initialRecord, ...record },
  };
}

function textOf(processes: ReadonlyArray<readonly [ProcessView, number]>, more: Partial<MetricsInput> = {}): string {
  return formatFamilies(
    describeMetrics({
      version: '1.2.3',
      state: 'RUNNING',
      residentBytes: 4096,
      processes: processes.map(([proc, start]) => ({
        view: proc,
        start,
        oomKills: proc.config.name === 'job' ? 2 : 0,
        ends: new Map([['exit', 2]]),
        isFlapping: proc.config.name === 'web',
      })),
      ...more,
    }),
  );
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
  { notify: 'sd' },
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
