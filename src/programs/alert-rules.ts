/** The alert rules of Prometheus for a configuration, as YAML. Pure. */
import type { Config } from '../config/model.ts';
import { unplannedReasons } from '../core/run-end.ts';
import { excluding, featuresOf } from './metrics-features.ts';

/** One alert rule. */
interface Rule {
  readonly alert: string;
  /** A query; each of its series is an alert. */
  readonly expr: string;
  /** Time for which the query must have the series. */
  readonly for?: string;
  readonly severity: 'critical' | 'warning';
  /** Texts with the labels of the series, as `{{ $labels.name }}`. */
  readonly summary: string;
  readonly description: string;
}

/** Labels of one process. */
const PROCESS = 'job, instance, group, name';
const NAME = '{{ $labels.group }}:{{ $labels.name }} on {{ $labels.instance }}';
const LOOK = '`onevisor why {{ $labels.group }}:{{ $labels.name }}` tells more.';

const REASONS = unplannedReasons.join('|');

/** Returns the rules for a configuration. A long function, because it is a table. */
function rulesOf(config: Config): readonly Rule[] {
  const { hasReadiness, hasHealth, hasMemoryLimit, jobs } = featuresOf(config);
  const services = jobs.length === 0 ? '' : `{${excluding(jobs)}}`;
  const startTime = `onevisor_process_start_time_seconds${services}`;
  const when = (isThere: boolean, ...rules: readonly Rule[]): readonly Rule[] => (isThere ? rules : []);
  return [
    {
      alert: 'OnevisorProcessFatal',
      expr: 'onevisor_process_state{state="FATAL"} == 1',
      for: '1m',
      severity: 'critical',
      summary: `${NAME} is FATAL`,
      description: `It could not be started, and is not tried again. ${LOOK}`,
    },
    {
      alert: 'OnevisorProcessFlapping',
      // increase() calculates a little more than the counter counted, so 3.05 is 3.
      expr: `sum by (${PROCESS}) (increase(onevisor_process_exits_total{reason=~"${REASONS}"}[15m])) >= 4`,
      severity: 'warning',
      summary: `${NAME} fails again and again`,
      description: `More than 3 unplanned exits in 15 minutes. ${LOOK}`,
    },
    {
      alert: 'OnevisorProcessAlwaysRecent',
      expr:
        `max_over_time((time() - ${startTime})[1h:1m]) < 900 and changes(${startTime}[1h]) >= 3 ` +
        `and on (${PROCESS}) onevisor_process_restarts_total offset 1h`,
      severity: 'warning',
      summary: `${NAME} never runs for long`,
      description: `In the last hour no run has lasted 15 minutes. ${LOOK}`,
    },
    ...when(hasReadiness, {
      alert: 'OnevisorProcessNotReady',
      expr: `onevisor_process_ready == 0 and on (${PROCESS}) onevisor_process_up == 1`,
      for: '5m',
      severity: 'warning',
      summary: `${NAME} is not ready`,
      description: `It runs, and has not reported that it is ready. ${LOOK}`,
    }),
    ...when(hasHealth, {
      alert: 'OnevisorProcessNotHealthy',
      expr: `onevisor_process_health{health="healthy"} == 0 and on (${PROCESS}) onevisor_process_up == 1`,
      for: '5m',
      severity: 'warning',
      summary: `${NAME} is not healthy`,
      description: `Its health check has not passed. ${LOOK}`,
    }),
    ...when(hasMemoryLimit, {
      alert: 'OnevisorProcessMemory',
      expr: 'onevisor_process_resident_memory_bytes / onevisor_process_memory_limit_bytes > 0.9',
      for: '5m',
      severity: 'warning',
      summary: `${NAME} is near its memory limit`,
      description: 'It uses {{ $value | humanizePercentage }} of its limit.',
    }),
    {
      alert: 'OnevisorLogLinesDropped',
      expr: `sum by (${PROCESS}) (increase(onevisor_process_log_dropped_total[5m])) > 0`,
      severity: 'warning',
      summary: `Log lines of ${NAME} are dropped`,
      description: 'A destination of its log cannot be written. The log of the supervisor names it.',
    },
    {
      alert: 'OnevisorScrapeFailed',
      expr: 'up == 0 and on (job, instance) last_over_time(onevisor_build_info[1h])',
      for: '2m',
      severity: 'critical',
      summary: '/metrics of onevisor on {{ $labels.instance }} cannot be read',
      description: 'Prometheus gets no answer. The container may be gone.',
    },
    {
      alert: 'OnevisorAbsent',
      expr: 'absent(onevisor_build_info)',
      for: '5m',
      severity: 'critical',
      summary: 'Prometheus knows no onevisor',
      description: 'No target has the metrics of onevisor.',
    },
  ];
}

/** Quotes a text for YAML: a string of JSON is one of YAML. */
function quote(text: string): string {
  return JSON.stringify(text);
}

function formatRule({ alert, expr, for: duration, severity, summary, description }: Rule): string {
  return [
    `      - alert: ${alert}`,
    `        expr: ${quote(expr)}`,
    ...(duration === undefined ? [] : [`        for: ${duration}`]),
    '        labels:',
    `          severity: ${severity}`,
    '        annotations:',
    `          summary: ${quote(summary)}`,
    `          description: ${quote(description)}`,
    '',
  ].join('\n');
}

/** Formats the rules for a configuration. */
export function formatAlertRules(config: Config): string {
  return (
    '# Alert rules for Prometheus, made by `onevisor alerts` for one configuration.\n' +
    `groups:\n  - name: onevisor\n    rules:\n${rulesOf(config).map(formatRule).join('')}`
  );
}
