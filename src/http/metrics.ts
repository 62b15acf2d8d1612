/**
 * The metrics of a supervisor and its processes. They contain names, numbers and states only: no command line,
 * variable, path or output of a program. The names node_supervisord_* are those of node_exporter and of the Supervisor
 * in Go, so that dashboards for these keep working.
 */
import { shellExitCode, supervisorExitStatus } from '../core/exit-status.ts';
import {
  ProcessState,
  processStateNames,
  SIGNALLABLE_STATES,
  SupervisorState,
  type SupervisorStateName,
} from '../core/states.ts';
import { type EndReason, endReasons } from '../core/run-end.ts';
import type { StartCounts } from '../core/history.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { ChannelCounts } from '../logs/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { lastExitOf, tellsReadiness } from '../rpc/process-info.ts';
import type { TreeMeasures } from '../rpc/measures.ts';
import { type Family, formatLabels, type Sample } from './exposition.ts';

/** One process, with values that its record does not have. */
export interface MeasuredProcess {
  readonly view: ProcessView;
  /** Time of the latest start in seconds since 1970; 0 for never. */
  readonly start: number;
  /** Number of times that the kernel has killed the process because memory ran out. */
  readonly oomKills: number;
  /** Number of ends of runs, by reason. */
  readonly ends: ReadonlyMap<EndReason, number>;
  readonly isFlapping: boolean;
  readonly starts: StartCounts;
  /** Null if programs cannot be measured. `tree` is null for a process that is not up. */
  readonly usage: { readonly cpuSeconds: number; readonly tree: TreeMeasures | null } | null;
  /** The streams that are logs. */
  readonly outputs: ReadonlyArray<{ readonly stream: StreamName; readonly counts: ChannelCounts }>;
}

/** A process as the table of the metrics reads it. */
export interface LabelledProcess extends Omit<MeasuredProcess, 'view'>, ProcessView {
  readonly lastExit: ReturnType<typeof lastExitOf>;
  readonly labels: string;
  readonly isUp: boolean;
}

/** Input of the metrics. */
export interface MetricsInput {
  readonly version: string;
  readonly state: SupervisorStateName;
  readonly processes: readonly LabelledProcess[];
  /** Resident memory of the supervisor itself; null if it is unknown. */
  readonly residentBytes: number | null;
}

/** The options that limit the memory of a program. */
type MemoryOptions = Pick<ProcessView['config']['options'], 'max_memory' | 'memory_max'>;

const HEALTHS = ['starting', 'healthy', 'unhealthy'] as const;

/** Makes a sample for each name, with the value 1 for the current one and 0 for the others. */
function formatChoice(labels: string, label: string, names: readonly string[], current: string): Sample[] {
  const before = labels === '' ? '' : `${labels},`;
  return names.map((name) => ({ labels: `${before}${label}="${name}"`, value: name === current ? 1 : 0 }));
}

/** Returns the memory limit of a program in bytes; null for none. */
export function memoryLimitOf({ max_memory, memory_max }: MemoryOptions): number | null {
  const limits = [max_memory, memory_max].filter((limit) => limit !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** Labels a process for the metrics. The facts are those of this moment. */
export function labelProcess({ view, ...measured }: MeasuredProcess): LabelledProcess {
  return {
    ...view,
    ...measured,
    lastExit: lastExitOf(view.record),
    labels: formatLabels({ group: view.config.group, name: view.config.name }),
    isUp: SIGNALLABLE_STATES.has(view.record.state),
  };
}

/** Makes all metrics; their samples are made when they are read. A long function, because it is a table. */
export function describeMetrics({ version, state, processes, residentBytes }: MetricsInput): Family[] {
  /** Makes the samples of each process. */
  const ofAll = (samplesOf: (proc: LabelledProcess) => readonly Sample[]): Iterable<Sample> => ({
    *[Symbol.iterator]() {
      for (const proc of processes) yield* samplesOf(proc);
    },
  });
  /** Makes a sample for each process that has a value. */
  const each = (valueOf: (proc: LabelledProcess) => number | null): Iterable<Sample> =>
    ofAll((proc) => {
      const value = valueOf(proc);
      return value === null ? [] : [{ labels: proc.labels, value }];
    });
  /** Makes a sample for each output. */
  const eachOutput = (valueOf: (counts: ChannelCounts) => number): Iterable<Sample> =>
    ofAll(({ labels, outputs }) =>
      outputs.map(({ stream, counts }) => ({ labels: `${labels},stream="${stream}"`, value: valueOf(counts) })),
    );
  const up = each(({ isUp }) => (isUp ? 1 : 0));
  const startTimes = each(({ isUp, start }) => (isUp && start > 0 ? start : null));
  return [
    {
      name: 'onevisor_build_info',
      type: 'gauge',
      help: 'Version of the supervisor; always 1',
      samples: [{ labels: formatLabels({ version }), value: 1 }],
    },
    {
      name: 'onevisor_supervisor_state',
      type: 'gauge',
      help: 'State of the supervisor: 1 for the one it is in',
      samples: formatChoice('', 'state', Object.keys(SupervisorState), state),
    },
    {
      name: 'process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of the supervisor itself',
      samples: residentBytes === null ? [] : [{ labels: '', value: residentBytes }],
    },
    {
      name: 'onevisor_process_state',
      type: 'gauge',
      help: '1 for the current state of a process',
      samples: ofAll(({ labels, record }) => formatChoice(labels, 'state', processStateNames, record.state)),
    },
    {
      name: 'onevisor_process_up',
      type: 'gauge',
      help: '1 if a process is up: STARTING, RUNNING or STOPPING',
      samples: up,
    },
    {
      name: 'onevisor_process_start_time_seconds',
      type: 'gauge',
      help: 'Start time of a process that is up, in seconds since 1970',
      samples: startTimes,
    },
    {
      name: 'onevisor_process_restarts_total',
      type: 'counter',
      help: 'Starts of a process after it was RUNNING for the first time',
      samples: each(({ record }) => record.restarts),
    },
    {
      name: 'onevisor_process_starts_total',
      type: 'counter',
      help: 'Starts by kind; unplanned: automatic, after an end that was neither requested nor expected',
      samples: ofAll(({ labels, starts }) => [
        { labels: `${labels},kind="planned"`, value: starts.planned },
        { labels: `${labels},kind="unplanned"`, value: starts.unplanned },
      ]),
    },
    {
      name: 'onevisor_process_exits_total',
      type: 'counter',
      help: 'Ends of runs by reason; a stop that was asked for is "stopped", a code in exitcodes is "expected"',
      samples: ofAll(({ labels, ends }) =>
        endReasons.map((reason) => ({ labels: `${labels},reason="${reason}"`, value: ends.get(reason) ?? 0 })),
      ),
    },
    {
      name: 'onevisor_process_flapping',
      type: 'gauge',
      help: '1 if a process had flapping_restarts unexpected restarts within flapping_window',
      samples: each(({ isFlapping }) => (isFlapping ? 1 : 0)),
    },
    {
      name: 'onevisor_process_exit_status',
      type: 'gauge',
      help: 'Exit code of a process that is not up, or 128 and the number of the signal',
      samples: each(({ record }) => (record.exit === null ? null : shellExitCode(record.exit))),
    },
    {
      name: 'onevisor_process_last_exit_code',
      type: 'gauge',
      help:
        'Exit code of the latest run that has ended, where no signal ended it; ' +
        '127 or 126 where it could not be executed',
      samples: each(({ lastExit }) => (lastExit?.kind === 'exited' ? lastExit.code : null)),
    },
    {
      name: 'onevisor_process_last_exit_signal',
      type: 'gauge',
      help: 'Signal that ended the latest finished run',
      samples: each(({ lastExit }) => (lastExit?.kind === 'signaled' ? lastExit.signal : null)),
    },
    {
      name: 'onevisor_process_oom_kills_total',
      type: 'counter',
      help: 'Number of times that the kernel has killed a process because memory ran out',
      samples: each(({ oomKills }) => oomKills),
    },
    {
      name: 'onevisor_process_health',
      type: 'gauge',
      help: '1 for the current health of a process with a check',
      samples: ofAll(({ labels, record }) =>
        record.health === null ? [] : formatChoice(labels, 'health', HEALTHS, record.health),
      ),
    },
    {
      name: 'onevisor_process_ready',
      type: 'gauge',
      help: '1 if a process has reported that it is ready; only for programs that report readiness',
      samples: each((proc) => (tellsReadiness(proc.config.options) ? Number(proc.record.isReady) : null)),
    },
    {
      name: 'onevisor_process_cpu_seconds_total',
      type: 'counter',
      help: 'Processor time of a process and its descendants, over all its runs',
      samples: each(({ usage }) => usage?.cpuSeconds ?? null),
    },
    {
      name: 'onevisor_process_resident_memory_bytes',
      type: 'gauge',
      help: 'Resident memory of a process that is up and its descendants; shared pages count for each of them',
      samples: each(({ usage }) => usage?.tree?.residentBytes ?? null),
    },
    {
      name: 'onevisor_process_memory_limit_bytes',
      type: 'gauge',
      help: 'Smallest of the limits max_memory and memory_max',
      samples: each(({ config }) => memoryLimitOf(config.options)),
    },
    {
      name: 'onevisor_process_processes',
      type: 'gauge',
      help: 'Number of processes of a program that is up, descendants included',
      samples: each(({ usage }) => usage?.tree?.processes ?? null),
    },
    {
      name: 'onevisor_process_open_fds',
      type: 'gauge',
      help: 'Number of open descriptors of a process that is up and its descendants',
      samples: each(({ usage }) => usage?.tree?.openFiles ?? null),
    },
    {
      name: 'onevisor_process_log_lines_total',
      type: 'counter',
      help: 'Lines of output',
      samples: eachOutput(({ lines }) => lines),
    },
    {
      name: 'onevisor_process_log_bytes_total',
      type: 'counter',
      help: 'Bytes of output',
      samples: eachOutput(({ bytes }) => bytes),
    },
    {
      name: 'onevisor_process_log_dropped_total',
      type: 'counter',
      help: 'Lines of output that a destination has dropped; a shared destination counts for each of its programs',
      samples: eachOutput(({ droppedLines }) => droppedLines),
    },
    { name: 'node_supervisord_up', type: 'gauge', help: 'Process Up', samples: up },
    {
      name: 'node_supervisord_state',
      type: 'gauge',
      help: 'Process State',
      samples: each(({ record }) => ProcessState[record.state]),
    },
    {
      name: 'node_supervisord_exit_status',
      type: 'gauge',
      help: 'Process Exit Status',
      samples: each(({ record }) => (record.exit === null ? 0 : supervisorExitStatus(record.exit))),
    },
    // node_exporter calls this a counter, but the value falls when the clock is set back.
    { name: 'node_supervisord_start_time_seconds', type: 'gauge', help: 'Process start time', samples: startTimes },
  ];
}
