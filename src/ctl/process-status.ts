/**
 * The condition of a process as people see it: its colour, and in a few words what is wrong with it. Works with the
 * facts of Supervisor alone, and says more with those of `onevisor.getStatus`. Pure.
 */
import { MAX_RESTART_TIMES } from '../core/history.ts';
import { formatNamespec } from '../core/namespec.ts';
import { escapeControls } from '../core/shown-text.ts';
import { formatStartWait, readStartWait } from '../core/start-wait.ts';
import type { XmlRpcStruct } from '../rpc/xmlrpc.ts';
import { formatAgo, formatLong } from './amounts.ts';
import { booleanOf, numberOf, structOf, textOf } from './members.ts';
import type { Tone } from './screen.ts';
import type { ProcessInfo } from './supervisor-client.ts';

/** End of a run. */
export interface RunEnd {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly lastedMs: number;
  /** In two words: `exit 3`, `SIGSEGV`, `out of memory`, or the reason why it was not executed. */
  readonly how: string;
  /** False for an end that was not asked for, with an unexpected exit code. */
  readonly isPlanned: boolean;
  readonly wasExecuted: boolean;
  /** Reason of a requested end; null if the program ended by itself. */
  readonly cause: string | null;
  readonly causeKind: string | null;
  /** Cause of a signal that was sent shortly before; null for none. */
  readonly signalCause: string | null;
}

/** The facts that the views show. A server that does not send a fact has null. */
export interface ProcessStatus {
  readonly info: ProcessInfo;
  /** As in all commands: `web`, or `group:web`. */
  readonly name: string;
  readonly nowMs: number;
  readonly restarts: number | null;
  readonly failedStarts: number;
  readonly unexpectedRestarts: number;
  readonly isFlapping: boolean;
  readonly autostart: boolean | null;
  readonly lastEnd: RunEnd | null;
  readonly stopCause: string | null;
  readonly startCause: string | null;
  /** Step that the start under way waits for, as `waits for x`; null for none. */
  readonly startWait: string | null;
  readonly lastLine: string | null;
  readonly statusText: string | null;
  readonly nextRunMs: number | null;
  readonly usage: { readonly memory: number; readonly cpuPercent: number | null; readonly processes: number } | null;
}

/** Time of day 0, in any time zone, as Supervisor's descriptions have it. */
const NO_END = /^(?:Jan 01|Dec 31) \d\d:\d\d [AP]M/;

/**
 * Returns a process with a description for our own views. Supervisor shows 1970 as the end of a start that executed
 * nothing.
 */
export function forOwnView(info: ProcessInfo): ProcessInfo {
  const { statename, start, struct } = info;
  const isDown = statename === 'STOPPED' || statename === 'EXITED';
  if (!isDown || start === 0 || struct['stop'] !== 0) return info;
  return { ...info, description: info.description.replace(NO_END, 'Not started') };
}

/** Reads the facts of a process. */
export function readStatus(read: ProcessInfo): ProcessStatus {
  const info = forOwnView(read);
  const { struct } = info;
  const nextRun = numberOf(struct, 'next_run');
  return {
    info,
    // The client keeps line ends in texts, and a name must stay on its line.
    name: escapeControls(formatNamespec(info.group, info.name)),
    nowMs: (numberOf(struct, 'now') ?? 0) * 1000,
    restarts: numberOf(struct, 'restarts'),
    failedStarts: numberOf(struct, 'failed_starts') ?? 0,
    unexpectedRestarts: numberOf(struct, 'unexpected_restarts') ?? 0,
    isFlapping: booleanOf(struct, 'flapping') === true,
    autostart: booleanOf(struct, 'autostart'),
    lastEnd: readEnd(structOf(struct, 'last_end')),
    stopCause: textOf(structOf(struct, 'stop_cause'), 'text'),
    startCause: textOf(structOf(struct, 'start_cause'), 'text'),
    startWait: readStartWaitOf(info),
    lastLine: textOf(struct, 'last_line'),
    statusText: textOf(struct, 'status_text'),
    nextRunMs: nextRun === null ? null : nextRun * 1000,
    usage: readUsage(structOf(struct, 'usage')),
  };
}

/** Returns the step that a start under way waits for, as `waits for x`; null for none. */
export function readStartWaitOf({ struct }: Pick<ProcessInfo, 'struct'>): string | null {
  const wait = readStartWait(textOf(struct, 'start_waits_for'));
  return wait === null ? null : formatStartWait(wait);
}

function readUsage(struct: XmlRpcStruct | null): ProcessStatus['usage'] {
  if (struct === null) return null;
  return {
    memory: numberOf(struct, 'memory') ?? 0,
    cpuPercent: numberOf(struct, 'cpu_percent'),
    processes: numberOf(struct, 'processes') ?? 0,
  };
}

/** Reads the end of a run; null if there is none. */
export function readEnd(struct: XmlRpcStruct | null): RunEnd | null {
  if (struct === null) return null;
  const cause = structOf(struct, 'cause');
  return {
    atMs: numberOf(struct, 'at') ?? 0,
    lastedMs: numberOf(struct, 'lasted_ms') ?? 0,
    how: formatHow(struct),
    isPlanned: booleanOf(struct, 'planned') === true,
    wasExecuted: struct['outcome'] !== 'not_executed',
    cause: textOf(cause, 'text'),
    causeKind: textOf(cause, 'kind'),
    signalCause: textOf(structOf(structOf(struct, 'sent_signal'), 'cause'), 'text'),
  };
}

function formatHow(struct: XmlRpcStruct): string {
  switch (struct['outcome']) {
    case 'exited':
      return `exit ${numberOf(struct, 'exit_code') ?? '?'}`;
    case 'signaled':
      return (
        (textOf(struct, 'exit_signal') ?? 'a signal') + (booleanOf(struct, 'core') === true ? ' (core dumped)' : '')
      );
    case 'out_of_memory':
      return 'out of memory';
    default:
      return textOf(struct, 'reason') ?? textOf(struct, 'how') ?? 'ended';
  }
}

/** True if the latest run has ended in an unwanted way. */
export function hasFailed({ info, lastEnd }: ProcessStatus): boolean {
  return lastEnd === null ? info.exitstatus !== 0 : !lastEnd.isPlanned;
}

/** Counts unexpected restarts. The supervisor remembers the times of the latest ones only. */
export function countRestarts(unexpectedRestarts: number): string {
  const more = unexpectedRestarts >= MAX_RESTART_TIMES ? ' or more' : '';
  return `${unexpectedRestarts}${more} unexpected restarts`;
}

/** Returns the colour of a process. */
export function toneOf(status: ProcessStatus): Exclude<Tone, 'head'> {
  const { info, isFlapping } = status;
  if (info.hold === 'connection') return 'idle';
  if (info.hold !== null) return info.hold === 'stuck' ? 'bad' : 'busy';
  switch (info.statename) {
    case 'RUNNING':
      if (info.health === 'unhealthy') return 'bad';
      return isFlapping || info.health === 'starting' || info.isReady === false ? 'busy' : 'good';
    case 'STARTING':
    case 'STOPPING':
    case 'BACKOFF':
      return 'busy';
    case 'STOPPED':
      return 'idle';
    case 'EXITED':
      if (info.isStartDue) return 'busy';
      return hasFailed(status) ? 'bad' : 'idle';
    default:
      return 'bad';
  }
}

/** Returns the readiness in one word; empty if the program has neither a health check nor reports its readiness. */
export function readinessOf({ info }: ProcessStatus): string {
  if (info.health !== null) return info.health;
  if (info.isReady === null) return '';
  return info.isReady ? 'ready' : 'not ready';
}

/** Returns in one line what is wrong, or what else a person should know; empty for nothing. */
export function reasonOf(status: ProcessStatus): string {
  const { info, statusText, nextRunMs, nowMs } = status;
  const nextRun = nextRunMs === null ? '' : `next run in ${formatLong(Math.max(0, nextRunMs - nowMs))}`;
  const parts = [...(info.hold === null ? stateReasons(status) : [info.description]), statusText ?? '', nextRun];
  return escapeControls(parts.filter((part) => part !== '').join('; '));
}

function stateReasons(status: ProcessStatus): string[] {
  const { info, isFlapping, unexpectedRestarts, lastEnd, failedStarts } = status;
  const flapping = isFlapping ? `flapping: ${countRestarts(unexpectedRestarts)}` : '';
  const health = info.health === 'healthy' ? '' : (info.healthReason ?? '');
  const end = describeEnd(status);
  switch (info.statename) {
    case 'RUNNING':
      return [flapping, health, lastEnd?.isPlanned === false ? `last ${end}` : '', describeScale(status)];
    case 'STARTING':
      return [flapping, status.startWait ?? '', failedStarts === 0 ? '' : `try ${failedStarts + 1}, after ${end}`];
    case 'BACKOFF':
      return [flapping, `try ${failedStarts + 1} follows, after ${end}`];
    case 'STOPPING':
      return [status.stopCause ?? '', info.isStartDue ? 'to be started again' : ''];
    case 'STOPPED':
      return [describeStop(status)];
    default:
      return [flapping, end];
  }
}

function describeScale({ info }: ProcessStatus): string {
  const numprocs = numberOf(info.struct, 'scaled_from');
  return numprocs === null ? '' : `scaled from numprocs=${numprocs}`;
}

function describeStop({ info, lastEnd, nowMs, stopCause, autostart }: ProcessStatus): string {
  if (info.start === 0 && info.purpose === 'scheduled') return '';
  if (info.start === 0) return autostart === false ? 'not started: autostart=false' : 'not started';
  const when = lastEnd === null ? info.description : `stopped ${formatAgo(nowMs - lastEnd.atMs)}`;
  return stopCause === null ? when : `${when}: ${stopCause}`;
}

/** Describes the latest end: `exit 3, 12 s ago: last line of its output`. */
function describeEnd({ info, lastEnd, lastLine, nowMs }: ProcessStatus): string {
  if (lastEnd === null) return info.description;
  const { how, atMs, wasExecuted, cause, signalCause } = lastEnd;
  const asked = cause ?? signalCause;
  const when = `${how}, ${formatAgo(nowMs - atMs)}`;
  if (!wasExecuted) return when;
  return [when, asked === null ? '' : ` (${asked})`, lastLine === null ? '' : `: ${lastLine}`].join('');
}
