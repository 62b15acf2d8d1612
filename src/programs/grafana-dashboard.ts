/**
 * The dashboard of Grafana for a configuration, as the JSON that Grafana imports. Pure. Every query has the variables
 * of the dashboard, so one dashboard shows one program or all containers.
 */
import type { Config } from '../config/model.ts';
import { unplannedReasons } from '../core/run-end.ts';
import { ProcessState } from '../core/states.ts';
import { featuresOf, type MetricsFeatures } from './metrics-features.ts';

/** A value of JSON. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** One panel without its place. Widths are in columns of 24. */
interface Panel {
  readonly title: string;
  readonly type: 'stat' | 'state-timeline' | 'timeseries' | 'table';
  readonly width: number;
  readonly height: number;
  readonly description?: string;
  /** Unit of Grafana: https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/#unit */
  readonly unit: string;
  readonly queries: readonly Query[];
  /** Further members of `fieldConfig.defaults`. */
  readonly defaults?: { readonly [name: string]: Json };
  readonly options?: { readonly [name: string]: Json };
  readonly transformations?: Json;
}

/** One query of a panel. */
interface Query {
  readonly expr: string;
  readonly legend: string;
  /** True for the latest value alone. */
  readonly isInstant?: true;
}

const DATASOURCE = { type: 'prometheus', uid: '${datasource}' };

/** Matchers of the variables, for each query. */
const CHOSEN = 'job=~"$job",instance=~"$instance",group=~"$group",name=~"$program"';
const UNPLANNED_EXITS = `onevisor_process_exits_total{${CHOSEN},reason=~"${unplannedReasons.join('|')}"}`;
const UNPLANNED_STARTS = `onevisor_process_starts_total{${CHOSEN},kind="unplanned"}`;
const PROCESS_LEGEND = '{{group}}:{{name}}';

/** Colours and words of the numbers of Supervisor's states. */
const STATE_COLORS: Readonly<Record<keyof typeof ProcessState, string>> = {
  STOPPED: 'text',
  STARTING: 'yellow',
  RUNNING: 'green',
  BACKOFF: 'orange',
  STOPPING: 'yellow',
  EXITED: 'blue',
  FATAL: 'red',
  UNKNOWN: 'purple',
};

/** Makes the dashboard. */
export function makeDashboard(config: Config): Json {
  const { identifier } = config.supervisord;
  return {
    id: null,
    uid: null,
    title: identifier === 'supervisor' ? 'onevisor' : `onevisor: ${identifier}`,
    description: 'Made by `onevisor grafana` for one configuration.',
    tags: ['onevisor'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: variables() },
    panels: place(panelsFor(featuresOf(config))),
  };
}

/** Makes the variables at the top of the dashboard. Each limits the values of those after it. */
function variables(): Json[] {
  const query = (name: string, label: string, text: string): Json => ({
    name,
    label,
    type: 'query',
    datasource: DATASOURCE,
    query: { query: text, refId: name },
    refresh: 2,
    includeAll: true,
    multi: true,
    allValue: '.*',
    current: { text: 'All', value: '$__all' },
    sort: 1,
  });
  const up = (label: string, matchers: string): string => `label_values(onevisor_process_up{${matchers}}, ${label})`;
  return [
    { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
    query('job', 'Job', 'label_values(onevisor_build_info, job)'),
    query('instance', 'Instance', 'label_values(onevisor_build_info{job=~"$job"}, instance)'),
    query('group', 'Group', up('group', 'job=~"$job",instance=~"$instance"')),
    query('program', 'Program', up('name', 'job=~"$job",instance=~"$instance",group=~"$group"')),
  ];
}

/** Returns the query for the programs that are not as wanted, with the problem as a label. */
function problemQuery({ hasReadiness, hasHealth }: MetricsFeatures): string {
  const name = (expr: string, problem: string): string => `label_replace(${expr}, "problem", "${problem}", "", "")`;
  const isUp = `and on (job, instance, group, name) onevisor_process_up{${CHOSEN}} == 1`;
  return [
    `label_replace(onevisor_process_state{${CHOSEN},state=~"BACKOFF|FATAL|UNKNOWN"} == 1, ` +
      '"problem", "$1", "state", "(.+)")',
    name(
      `onevisor_process_exit_status{${CHOSEN}} != 0 and on (job, instance, group, name) ` +
        `onevisor_process_state{${CHOSEN},state="EXITED"} == 1`,
      'exited with a failure',
    ),
    name(`onevisor_process_flapping{${CHOSEN}} == 1`, 'flapping'),
    ...(hasReadiness ? [name(`onevisor_process_ready{${CHOSEN}} == 0 ${isUp}`, 'not ready')] : []),
    ...(hasHealth ? [name(`onevisor_process_health{${CHOSEN},health="healthy"} == 0 ${isUp}`, 'not healthy')] : []),
  ].join(' or ');
}

/** Returns the panels in their order. A long function, because it is a table. */
function panelsFor(features: MetricsFeatures): readonly Panel[] {
  const problems = problemQuery(features);
  const graph = { type: 'timeseries', width: 12, height: 8 } as const;
  return [
    {
      title: 'Programs up',
      type: 'stat',
      width: 4,
      height: 4,
      unit: 'none',
      queries: [{ expr: `sum(onevisor_process_up{${CHOSEN}})`, legend: 'up', isInstant: true }],
    },
    {
      title: 'Not as wanted',
      type: 'stat',
      width: 4,
      height: 4,
      unit: 'none',
      queries: [
        {
          expr: `count(count by (job, instance, group, name) (${problems})) or vector(0)`,
          legend: 'programs',
          isInstant: true,
        },
      ],
      defaults: {
        thresholds: {
          mode: 'absolute',
          steps: [
            { color: 'green', value: null },
            { color: 'red', value: 1 },
          ],
        },
      },
    },
    {
      title: 'Not as wanted: the programs',
      type: 'table',
      width: 16,
      height: 8,
      unit: 'none',
      queries: [{ expr: problems, legend: '', isInstant: true }],
      transformations: [
        {
          id: 'organize',
          options: {
            excludeByName: { Time: true, Value: true, __name__: true, job: true, state: true, health: true },
            indexByName: { problem: 0, group: 1, name: 2, instance: 3 },
          },
        },
      ],
    },
    {
      title: 'States',
      type: 'state-timeline',
      width: 24,
      height: 10,
      unit: 'none',
      queries: [{ expr: `node_supervisord_state{${CHOSEN}}`, legend: PROCESS_LEGEND }],
      defaults: { mappings: stateMappings(), custom: { fillOpacity: 80, lineWidth: 0 } },
      options: { mergeValues: true, showValue: 'auto', rowHeight: 0.8 },
    },
    {
      ...graph,
      title: 'Unplanned exits by reason',
      description: 'Exits that were neither requested nor expected.',
      unit: 'none',
      queries: [
        {
          expr: `sum by (reason) (increase(${UNPLANNED_EXITS}[$__rate_interval]))`,
          legend: '{{reason}}',
        },
      ],
      defaults: { custom: { drawStyle: 'bars', fillOpacity: 60, stacking: { mode: 'normal' } } },
    },
    {
      ...graph,
      title: 'Uptime',
      unit: 's',
      queries: [{ expr: `time() - onevisor_process_start_time_seconds{${CHOSEN}}`, legend: PROCESS_LEGEND }],
    },
    {
      ...graph,
      title: 'Processor time',
      description: 'Of the whole process tree. 100 % is one processor.',
      unit: 'percentunit',
      queries: [
        { expr: `rate(onevisor_process_cpu_seconds_total{${CHOSEN}}[$__rate_interval])`, legend: PROCESS_LEGEND },
      ],
      defaults: { min: 0 },
    },
    {
      ...graph,
      title: features.hasMemoryLimit ? 'Memory and its limit' : 'Memory',
      description: 'Resident memory of the whole process tree.',
      unit: 'bytes',
      queries: [
        { expr: `onevisor_process_resident_memory_bytes{${CHOSEN}}`, legend: PROCESS_LEGEND },
        ...(features.hasMemoryLimit
          ? [{ expr: `onevisor_process_memory_limit_bytes{${CHOSEN}}`, legend: `limit of ${PROCESS_LEGEND}` }]
          : []),
      ],
      defaults: { min: 0 },
    },
    {
      ...graph,
      title: 'Log lines',
      unit: 'suffix: lines/s',
      queries: [
        {
          expr: `sum by (group, name, stream) (rate(onevisor_process_log_lines_total{${CHOSEN}}[$__rate_interval]))`,
          legend: `${PROCESS_LEGEND} {{stream}}`,
        },
      ],
      defaults: { min: 0 },
    },
    {
      ...graph,
      title: 'Log bytes',
      unit: 'Bps',
      queries: [
        {
          expr: `sum by (group, name) (rate(onevisor_process_log_bytes_total{${CHOSEN}}[$__rate_interval]))`,
          legend: PROCESS_LEGEND,
        },
      ],
      defaults: { min: 0 },
    },
    {
      ...graph,
      title: 'Dropped log lines',
      description: 'Lines that a destination of the log could not take.',
      unit: 'none',
      queries: [
        {
          expr: `sum by (group, name) (increase(onevisor_process_log_dropped_total{${CHOSEN}}[$__rate_interval]))`,
          legend: PROCESS_LEGEND,
        },
      ],
      defaults: { min: 0 },
    },
    {
      ...graph,
      title: 'Unplanned starts',
      description: 'Automatic starts after an end that was neither requested nor expected.',
      unit: 'none',
      queries: [
        {
          expr: `sum by (group, name) (increase(${UNPLANNED_STARTS}[$__rate_interval]))`,
          legend: PROCESS_LEGEND,
        },
      ],
      defaults: { custom: { drawStyle: 'bars', fillOpacity: 60 } },
    },
    {
      ...graph,
      title: 'Processes',
      description: 'Number of processes in the tree of each program.',
      unit: 'none',
      queries: [{ expr: `onevisor_process_processes{${CHOSEN}}`, legend: PROCESS_LEGEND }],
      defaults: { min: 0, decimals: 0 },
    },
    {
      ...graph,
      title: 'Open descriptors',
      unit: 'none',
      queries: [{ expr: `onevisor_process_open_fds{${CHOSEN}}`, legend: PROCESS_LEGEND }],
      defaults: { min: 0, decimals: 0 },
    },
  ];
}

/** Maps the numbers of states to their words and colours. */
function stateMappings(): Json {
  const entries = Object.entries(ProcessState).map(([word, number]): [string, Json] => [
    String(number),
    { text: word, color: STATE_COLORS[word as keyof typeof ProcessState], index: number },
  ]);
  return [{ type: 'value', options: Object.fromEntries(entries) }];
}

/** Puts panels side by side as far as they fit into 24 columns. */
function place(panels: readonly Panel[]): Json[] {
  const COLUMNS = 24;
  let [x, y, rowHeight] = [0, 0, 0];
  return panels.map((panel, index) => {
    if (x + panel.width > COLUMNS) [x, y, rowHeight] = [0, y + rowHeight, 0];
    const gridPos = { x, y, w: panel.width, h: panel.height };
    x += panel.width;
    rowHeight = Math.max(rowHeight, panel.height);
    return formatPanel(panel, index + 1, gridPos);
  });
}

function formatPanel(panel: Panel, id: number, gridPos: Json): Json {
  const { title, type, description = '', unit, queries, defaults = {}, options = {}, transformations = [] } = panel;
  return {
    id,
    title,
    type,
    description,
    gridPos,
    datasource: DATASOURCE,
    fieldConfig: { defaults: { unit, ...defaults }, overrides: [] },
    options,
    transformations,
    targets: queries.map(({ expr, legend, isInstant = false }, index) => ({
      refId: String.fromCharCode('A'.charCodeAt(0) + index),
      datasource: DATASOURCE,
      expr,
      legendFormat: legend,
      instant: isInstant,
      range: !isInstant,
      format: type === 'table' ? 'table' : 'time_series',
    })),
  };
}
