/** The struct of `getProcessInfo`, and the description that `supervisorctl status` prints. Pure. */
import { formatDaytime, formatUptime } from './durations.ts';
import { type ExitStatus, supervisorExitStatus } from '../core/exit-status.ts';
import type { Hold, ProcessRecord, RunFailure } from '../core/process-record.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import { formatFailure } from '../core/run-failure.ts';
import { formatHold } from '../core/start-hold.ts';
import { ProcessState } from '../core/states.ts';
import { purposeOf, tellsReadiness } from '../engine/policy.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { CallContext } from './method.ts';
import type { Times } from './process-times.ts';
import { formatRemark, remarkMembers } from './remarks.ts';
import type { XmlRpcStruct, XmlRpcValue } from './xmlrpc.ts';

export { tellsReadiness };

/** Facts that are not in the record. */
export interface ProcessDetails {
  readonly times: Times;
  readonly nowMs: number;
  readonly wallMs: number;
  readonly remarks: readonly ProcessRemark[];
  /** Paths of the logs, empty for none. */
  readonly stdoutPath: string;
  readonly stderrPath: string;
  /** Number of times that the kernel has killed the process because memory ran out. */
  readonly oomKills: number;
  /** compat: Supervisor shows 1970 as the end of a start that never executed the program. Our own views do not. */
  readonly isOwnView: boolean;
}

/** Facts for the description of a process. */
type DescriptionDetails = Pick<ProcessDetails, 'times' | 'nowMs' | 'wallMs' | 'remarks' | 'isOwnView'>;

/**
 * Describes a process for `status`, in addition to its state. compat: the text begins as Supervisor's, which other
 * tools parse. Our additions follow: health, the reason of a wait, the next scheduled run.
 */
export function describeProcess(name: string, record: ProcessRecord, surroundings: DescriptionDetails): string {
  if (record.hold !== null) return formatHold(record.hold);
  const state = describeState(name, record, surroundings);
  if (record.health === null && surroundings.remarks.length === 0) return state;
  const remarks = surroundings.remarks.map((remark) => formatRemark(remark, surroundings.wallMs));
  const known = [state, record.health ?? '', ...remarks];
  return known.filter((part) => part !== '').join(', ');
}

function describeState(
  name: string,
  record: ProcessRecord,
  { times, nowMs, isOwnView }: Pick<DescriptionDetails, 'times' | 'nowMs' | 'isOwnView'>,
): string {
  switch (record.state) {
    case 'RUNNING':
      return `pid ${record.pid ?? 0}, uptime ${formatUptime(nowMs - (record.startedMs ?? nowMs))}`;
    case 'BACKOFF':
    case 'FATAL':
      return record.failure === null ? `unknown error (try "tail ${name}")` : formatFailure(record.failure);
    case 'STOPPED':
    case 'EXITED':
      return times.start === 0 || (isOwnView && times.stop === 0) ? 'Not started' : formatDaytime(times.stop);
    case 'STARTING':
    case 'STOPPING':
    case 'UNKNOWN':
      return '';
  }
}

/**
 * Returns the `exitstatus` of the latest run. compat: 0 during a run, and 0 after an exit within startsecs, which
 * Supervisor treats as a failed start.
 */
function exitStatus(record: ProcessRecord): number {
  const isExit = record.state === 'EXITED' || (record.state === 'STOPPED' && record.failure === null);
  return isExit && record.exit !== null ? supervisorExitStatus(record.exit) : 0;
}

/**
 * Returns the exit of the latest run that has ended, also during the next run. (`exitstatus` is valid in EXITED only.)
 * A command that could not be executed has the exit code of a container (127 or 126).
 */
export function lastExitOf({ exit, lastExit, spawnExitCode }: ProcessRecord): ExitStatus | null {
  if (exit === null && spawnExitCode !== null) return { kind: 'exited', code: spawnExitCode };
  return exit ?? lastExit;
}

function formatExitMember(exit: ExitStatus | null): XmlRpcStruct {
  if (exit === null) return {};
  return exit.kind === 'exited' ? { exit_code: exit.code } : { exit_signal: exit.signal };
}

/** Kinds of failures on the wire. */
const FAILURES: Readonly<Record<RunFailure['kind'], string>> = {
  notExecuted: 'not_executed',
  exitedTooQuickly: 'exited_too_quickly',
  badExit: 'bad_exit',
  notReady: 'not_ready',
  restartedTooOften: 'restarted_too_often',
};

/** Returns the dependencies that a start waits for, or that block it, as members of the struct. */
function formatHoldMembers(hold: Hold): XmlRpcStruct {
  if (hold.kind === 'connection') return { hold: 'connection', listens_at: hold.addresses };
  if (hold.kind === 'waiting')
    return { hold: 'waiting', waits_for: hold.dependencies.map(({ name, conditions }) => ({ name, conditions })) };
  const roots = hold.roots.map(({ name, conditions, state, isUnhealthy, exit, blocks }) => ({
    name,
    conditions,
    blocks,
    ...(state === null ? {} : { state }),
    ...(isUnhealthy ? { health: 'unhealthy' } : {}),
    ...formatExitMember(exit),
  }));
  return { hold: 'stuck', blocked_by: roots };
}

/**
 * Adds the members that Supervisor does not have. A member without a value is left out. They are added one by one: with
 * spreads of empty objects, a table of 500 processes takes twice as long.
 */
function addOwnMembers(
  info: Record<string, XmlRpcValue>,
  { config, record }: ProcessView,
  { oomKills, remarks }: ProcessDetails,
): void {
  const purpose = purposeOf(config.options);
  if (record.health !== null) info['health'] = record.health;
  if (tellsReadiness(config.options)) info['ready'] = record.isReady;
  if (record.hold !== null) Object.assign(info, formatHoldMembers(record.hold));
  if (record.failure !== null) info['failure'] = FAILURES[record.failure.kind];
  if (purpose !== 'service') info['purpose'] = purpose;
  if (record.isStartPending || record.hasStartFailed) info['restarting'] = true;
  const lastExit = lastExitOf(record);
  if (lastExit !== null) Object.assign(info, formatExitMember(lastExit));
  if (oomKills !== 0) info['oom_kills'] = oomKills;
  for (const remark of remarks) Object.assign(info, remarkMembers(remark));
}

/** Makes the struct of `getProcessInfo`, with the members in Supervisor's order. */
export function formatProcessInfo(view: ProcessView, surroundings: ProcessDetails): XmlRpcStruct {
  const { config, record } = view;
  const { times, wallMs, stdoutPath, stderrPath } = surroundings;
  const info: Record<string, XmlRpcValue> = {
    name: config.name,
    group: config.group,
    start: times.start,
    stop: times.stop,
    now: Math.floor(wallMs / 1000),
    state: ProcessState[record.state],
    statename: record.state,
    spawnerr: record.failure === null ? '' : formatFailure(record.failure),
    exitstatus: exitStatus(record),
    logfile: stdoutPath,
    stdout_logfile: stdoutPath,
    stderr_logfile: stderrPath,
    pid: record.pid ?? 0,
    description: describeProcess(config.name, record, surroundings),
  };
  addOwnMembers(info, view, surroundings);
  return info;
}

/** Makes the struct of `getProcessInfo` in a call. `isOwnView`: for a method that Supervisor does not have. */
export function processInfo(
  { api, times }: Pick<CallContext, 'api' | 'times'>,
  proc: ProcessView,
  isOwnView = false,
): XmlRpcStruct {
  return formatProcessInfo(proc, {
    times: times.of(proc),
    nowMs: api.nowMs(),
    wallMs: api.wallMs(),
    remarks: api.remarks(proc.id),
    stdoutPath: api.logPath(proc.config, 'stdout') ?? '',
    stderrPath: api.logPath(proc.config, 'stderr') ?? '',
    oomKills: api.oomKills(proc.id),
    isOwnView,
  });
}
