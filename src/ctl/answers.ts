/**
 * Converts answers of a server to the types of the client. An answer that differs from Supervisor's documentation is an
 * error. Pure.
 */
import type { Health } from '../core/process-record.ts';
import { fitMessage } from '../core/shown-text.ts';
import { isStruct, type XmlRpcStruct, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import { CtlError } from './errors.ts';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import { parseEntries } from './logs/entry.ts';
import { exitCodeOfRun } from './logs/exit-code.ts';
import { parseLines, type ProgramLine } from './own-answers.ts';
import type {
  ConfigChanges,
  ConfigInfo,
  GroupPlan,
  LinesAnswer,
  ProcessInfo,
  ProcessResult,
  RunInfo,
  ScaleResult,
  SettingsChanges,
} from './supervisor-client.ts';

function unexpected(what: string): CtlError {
  return new CtlError('xmlrpc.client.ResponseError', `the answer of the server is not ${what}`);
}

export function toRawText(value: XmlRpcValue | undefined): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value !== 'string') throw unexpected('a text');
  return value;
}

/** Makes a text of any server safe to show on the user's terminal. */
export function toText(value: XmlRpcValue | undefined): string {
  return fitMessage(toRawText(value));
}

/** An additional text, which Supervisor does not send. */
function toTextOrNull(value: XmlRpcValue | undefined): string | null {
  return typeof value === 'string' ? fitMessage(value) : null;
}

export function toNumber(value: XmlRpcValue | undefined): number {
  if (typeof value !== 'number') throw unexpected('a number');
  return value;
}

export function toBoolean(value: XmlRpcValue | undefined): boolean {
  return value === true || (typeof value === 'number' && value !== 0);
}

export function toStruct(value: XmlRpcValue): XmlRpcStruct {
  if (!isStruct(value)) throw unexpected('a struct');
  return value;
}

export function toList<T>(value: XmlRpcValue | undefined, convert: (element: XmlRpcValue) => T): T[] {
  if (!Array.isArray(value)) throw unexpected('an array');
  return (value as readonly XmlRpcValue[]).map(convert);
}

/** Reads a health. A health that this client does not know counts as unhealthy. */
function toHealth(value: XmlRpcValue | undefined): Health | null {
  if (typeof value !== 'string' || value === '') return null;
  return value === 'healthy' || value === 'starting' ? value : 'unhealthy';
}

export function toProcessInfo(value: XmlRpcValue): ProcessInfo {
  const struct = toStruct(value);
  const { ready, hold, purpose } = struct;
  return {
    name: toText(struct['name']),
    group: toText(struct['group']),
    state: toNumber(struct['state']),
    statename: toText(struct['statename']),
    description: toText(struct['description']),
    pid: toNumber(struct['pid']),
    start: toNumber(struct['start']),
    exitstatus: toNumber(struct['exitstatus']),
    health: toHealth(struct['health']),
    healthReason: toTextOrNull(struct['health_reason']),
    isReady: typeof ready === 'boolean' ? ready : null,
    hold: hold === 'waiting' || hold === 'stuck' || hold === 'connection' ? hold : null,
    purpose: purpose === 'oneshot' || purpose === 'scheduled' ? purpose : 'service',
    isStartDue: struct['restarting'] === true,
    struct,
  };
}

export function toLines(value: XmlRpcValue | undefined): readonly ProgramLine[] {
  const lines = parseLines(toRawText(value));
  if (lines === null) throw unexpected('a list of lines');
  return lines;
}

export function toProcessResult(value: XmlRpcValue): ProcessResult {
  const struct = toStruct(value);
  return {
    name: toText(struct['name']),
    group: toText(struct['group']),
    status: toNumber(struct['status']),
    description: toText(struct['description']),
    reason: toTextOrNull(struct['reason']),
  };
}

export function toConfigInfo(value: XmlRpcValue): ConfigInfo {
  const struct = toStruct(value);
  return {
    name: toText(struct['name']),
    group: toText(struct['group']),
    inuse: toBoolean(struct['inuse']),
    autostart: toBoolean(struct['autostart']),
    groupPriority: toNumber(struct['group_prio']),
    processPriority: toNumber(struct['process_prio']),
    exitcodes: struct['exitcodes'] === undefined ? [0] : toList(struct['exitcodes'], toNumber),
  };
}

export function toProgramSettings(value: XmlRpcValue): ProgramSettings {
  const struct = toStruct(value);
  const { env, directory, nice, oom_score_adj: oomScoreAdj } = struct;
  const limits = toList(struct['limits'], (limit) => {
    const { resource, soft, hard } = toStruct(limit);
    return { resource: toText(resource), soft: toLimit(soft), hard: toLimit(hard) };
  });
  return {
    env: toList(JSON.parse(toRawText(env)) as XmlRpcValue, toRawText),
    directory: toRawText(JSON.parse(toRawText(directory)) as XmlRpcValue),
    umask: toNumber(struct['umask']),
    uid: toNumber(struct['uid']),
    gid: toNumber(struct['gid']),
    groups: toList(struct['groups'], toNumber),
    limits,
    nice: nice === undefined ? null : toNumber(nice),
    oomScoreAdj: oomScoreAdj === undefined ? null : toNumber(oomScoreAdj),
    capabilities: struct['capabilities'] === undefined ? null : toCapabilities(toStruct(struct['capabilities'])),
    noNewPrivileges: struct['no_new_privs'] === true,
    mountNamespace: toRawText(struct['mount_namespace']),
  };
}

function toCapabilities(sets: XmlRpcStruct): ProgramSettings['capabilities'] {
  const setOf = (name: string): number[] => toList(sets[name], toNumber);
  return { dropped: setOf('dropped'), kept: setOf('kept'), ambient: setOf('ambient') };
}

/** Reads a limit; -1 is none. */
function toLimit(value: XmlRpcValue | undefined): number {
  const number = toNumber(value);
  return number === -1 ? Infinity : number;
}

export function toScaleResult(value: XmlRpcValue): ScaleResult {
  const { from, started, stopped } = toStruct(value);
  return { from: toNumber(from), started: toList(started, toText), stopped: toList(stopped, toText) };
}

export function toLinesAnswer(value: XmlRpcValue): LinesAnswer {
  const { lines, next, more, epoch, missed } = toStruct(value);
  return {
    entries: parseEntries(toRawText(lines)),
    next: toNumber(next),
    hasMore: toBoolean(more),
    epoch: toText(epoch),
    missed: toList(missed, (output) => {
      const { name, stream, bytes } = toStruct(output);
      return { name: toText(name), stream: toText(stream), bytes: toNumber(bytes) };
    }),
  };
}

function toRunEnd(struct: XmlRpcStruct): RunInfo['end'] {
  const { seq, at } = struct;
  return { seq: toNumber(seq), atMs: toNumber(at), exitCode: exitCodeOfRun(struct) };
}

export function toRunInfo(value: XmlRpcValue): RunInfo {
  const { pid, start_seq: startSeq, started, end } = toStruct(value);
  return {
    pid: typeof pid === 'number' ? pid : null,
    startSeq: toNumber(startSeq),
    startedMs: toNumber(started),
    end: end === undefined ? null : toRunEnd(toStruct(end)),
  };
}

export function toGroupPlan(value: XmlRpcValue): GroupPlan {
  const { stopped, restarted, started, changed } = toStruct(value);
  return {
    stopped: toList(stopped, toText),
    restarted: toList(restarted, toText),
    started: toList(started, toText),
    changed: toList(changed, toText),
  };
}

export function toSettingsChanges(value: XmlRpcValue): SettingsChanges {
  const { live, pending } = toStruct(value);
  return { live: toList(live, toText), pending: toList(pending, toText) };
}

/** Reads lists of names as members. */
export function toNamedChanges(value: XmlRpcValue): ConfigChanges {
  const { added, changed, removed } = toStruct(value);
  return { added: toList(added, toText), changed: toList(changed, toText), removed: toList(removed, toText) };
}

/** Reads the answer of reloadConfig, `[[added, changed, removed]]`. */
export function toConfigChanges(value: XmlRpcValue): ConfigChanges {
  const [lists] = toList(value, (element) => toList(element, (names) => toList(names, toText)));
  const [added, changed, removed] = lists ?? [];
  if (added === undefined || changed === undefined || removed === undefined) throw unexpected('three lists of groups');
  return { added, changed, removed };
}
