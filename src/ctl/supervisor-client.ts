/**
 * The methods of the supervisor that the client uses, with the types of their answers. An answer that differs from
 * Supervisor's documentation is an error here, so commands need no checks.
 */
import { faults, RpcFault } from '../core/faults.ts';
import type { Health, Hold, Purpose } from '../core/process-record.ts';
import type { StreamName } from '../core/stream-name.ts';
import type { NamedChanges, PlannedGroup } from '../core/update-text.ts';
import type { XmlRpcStruct, XmlRpcValue } from '../rpc/xmlrpc.ts';
import {
  toBoolean,
  toProgramSettings,
  toConfigChanges,
  toConfigInfo,
  toGroupPlan,
  toLines,
  toLinesAnswer,
  toList,
  toNamedChanges,
  toNumber,
  toProcessInfo,
  toProcessResult,
  toRawText,
  toRunInfo,
  toScaleResult,
  toSettingsChanges,
  toStruct,
  toText,
} from './answers.ts';
import { type EventReading, type LatestLines, MAX_EVENTS, type ProgramLine } from './own-answers.ts';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import type { Entry } from './logs/entry.ts';

/** A process, from `getProcessInfo`. A supervisord sends none of the additions, which are null or have a default. */
export interface ProcessInfo {
  readonly name: string;
  readonly group: string;
  readonly state: number;
  readonly statename: string;
  readonly description: string;
  readonly pid: number;
  /** Time of the latest start in seconds since 1970; 0 if the process was never started. */
  readonly start: number;
  readonly exitstatus: number;
  /** Null without a health check. */
  readonly health: Health | null;
  /** Reason why the latest health check failed; null for none. */
  readonly healthReason: string | null;
  /** Null if the program does not report its readiness. */
  readonly isReady: boolean | null;
  /** Null if no start waits for dependencies. */
  readonly hold: Hold['kind'] | null;
  readonly purpose: Purpose;
  /** True if a start follows without a request. */
  readonly isStartDue: boolean;
  /** The whole answer of the server. */
  readonly struct: XmlRpcStruct;
}

/** The result of an operation on one process; `status` is the number of a fault, or of SUCCESS. */
export interface ProcessResult {
  readonly name: string;
  readonly group: string;
  readonly status: number;
  readonly description: string;
  /** Reason of a failure, for people; null if the server gives none. Supervisor does not. */
  readonly reason: string | null;
}

/** The result of scaling a program: the number of processes before, and names of processes. */
export interface ScaleResult {
  readonly from: number;
  readonly started: readonly string[];
  readonly stopped: readonly string[];
}

/** Returns the result of an action on one process: success, or a fault. */
export function resultOf(
  { group, name }: { readonly group: string; readonly name: string },
  fault: RpcFault | null,
): ProcessResult {
  if (fault === null) return { group, name, status: faults.SUCCESS, description: '', reason: null };
  return { group, name, status: fault.code, description: fault.faultString, reason: fault.reason };
}

/** A configured process, from `getAllConfigInfo`. */
export interface ConfigInfo {
  readonly name: string;
  readonly group: string;
  readonly inuse: boolean;
  readonly autostart: boolean;
  readonly groupPriority: number;
  readonly processPriority: number;
  readonly exitcodes: readonly number[];
}

/** Names of groups, or of sections `[notify:x]`, whose configuration differs from the active one. */
export type ConfigChanges = NamedChanges;

/** Changed options of `[supervisord]`: those that an update applies, and those, and sections, that a reload applies. */
export interface SettingsChanges {
  readonly live: readonly string[];
  readonly pending: readonly string[];
}

/** The effect of an update on the processes of a group, by name. `whole`: all are stopped and started. */
export type GroupPlan = NonNullable<PlannedGroup>;

/** Lines and events of `onevisor.readLines`. */
export interface LinesAnswer {
  readonly entries: readonly Entry[];
  /** The number to continue after. */
  readonly next: number;
  readonly hasMore: boolean;
  readonly epoch: string;
  readonly missed: ReadonlyArray<{ readonly name: string; readonly stream: string; readonly bytes: number }>;
}

/** A run of a process, from `onevisor.getRuns`. */
export interface RunInfo {
  readonly pid: number | null;
  readonly startSeq: number;
  /** Milliseconds since 1970. */
  readonly startedMs: number;
  /** Null while the run goes on. `seq`: number of the end. `exitCode`: as shells have it. */
  readonly end: { readonly seq: number; readonly atMs: number; readonly exitCode: number } | null;
}

/** Calls a method by its full name. */
export type Call = (method: string, ...params: XmlRpcValue[]) => Promise<XmlRpcValue>;

/** The methods. Each throws the errors of its call. */
export class SupervisorClient {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  /** Calls a method of our own; null if the server does not have it. */
  async #callOwn(method: string, ...params: XmlRpcValue[]): Promise<XmlRpcValue | null> {
    try {
      return await this.#call(method, ...params);
    } catch (error) {
      if (error instanceof RpcFault && error.code === faults.UNKNOWN_METHOD) return null;
      throw error;
    }
  }

  /** Asks for the state of the supervisor: `RUNNING`, `SHUTDOWN`; null if the server does not tell. */
  getStateName = async (): Promise<string | null> => {
    try {
      return toText(toStruct(await this.#call('supervisor.getState'))['statename']);
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      return null;
    }
  };
  getVersion = async (): Promise<string> => toText(await this.#call('supervisor.getVersion'));
  getSupervisorVersion = async (): Promise<string> => toText(await this.#call('supervisor.getSupervisorVersion'));
  getPid = async (): Promise<number> => toNumber(await this.#call('supervisor.getPID'));
  getProcessInfo = async (name: string): Promise<ProcessInfo> =>
    toProcessInfo(await this.#call('supervisor.getProcessInfo', name));
  getAllProcessInfo = async (): Promise<ProcessInfo[]> =>
    toList(await this.#call('supervisor.getAllProcessInfo'), toProcessInfo);
  getAllConfigInfo = async (): Promise<ConfigInfo[]> =>
    toList(await this.#call('supervisor.getAllConfigInfo'), toConfigInfo);
  /** Asks for the condition of all processes; null if the server has no such method. */
  getStatus = async (hasUsage: boolean): Promise<ProcessInfo[] | null> => {
    const answer = await this.#callOwn('onevisor.getStatus', [], hasUsage);
    return answer === null ? null : toList(answer, toProcessInfo);
  };
  /** Asks for everything about a process; null if the server has no such method. */
  describeProcess = async (name: string): Promise<ProcessInfo | null> => {
    const answer = await this.#callOwn('onevisor.describeProcess', name);
    return answer === null ? null : toProcessInfo(answer);
  };
  /**
   * Waits for events after a number, and returns them with the number to continue after. Null if the server has no such
   * method.
   */
  readEvents = async (after: number, waitMs: number): Promise<EventReading | null> => {
    const answer = await this.#callOwn('onevisor.readEvents', after, MAX_EVENTS, waitMs);
    if (answer === null) return null;
    const { events, next } = toStruct(answer);
    return { events: toList(events, toStruct), next: toNumber(next) };
  };
  /** Reads the latest lines of a stream from memory; null if the server has no such method. */
  readLatestLines = async (query: LatestLines): Promise<readonly ProgramLine[] | null> => {
    const { name, stream, limit, before } = query;
    const answer = await this.#callOwn('onevisor.readLines', {
      names: [name],
      streams: [stream],
      limit,
      ...(before === null ? {} : { before }),
    });
    return answer === null ? null : toLines(toStruct(answer)['lines']);
  };
  startProcess = async (name: string): Promise<void> => void (await this.#call('supervisor.startProcess', name));
  startProcessGroup = async (name: string): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.startProcessGroup', name), toProcessResult);
  startAllProcesses = async (): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.startAllProcesses'), toProcessResult);
  stopProcess = async (name: string): Promise<void> => void (await this.#call('supervisor.stopProcess', name));
  stopProcessGroup = async (name: string): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.stopProcessGroup', name), toProcessResult);
  stopAllProcesses = async (): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.stopAllProcesses'), toProcessResult);
  signalProcess = async (name: string, signal: string): Promise<void> =>
    void (await this.#call('supervisor.signalProcess', name, signal));
  signalProcessGroup = async (name: string, signal: string): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.signalProcessGroup', name, signal), toProcessResult);
  signalAllProcesses = async (signal: string): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.signalAllProcesses', signal), toProcessResult);
  clearProcessLogs = async (name: string): Promise<void> =>
    void (await this.#call('supervisor.clearProcessLogs', name));
  clearAllProcessLogs = async (): Promise<ProcessResult[]> =>
    toList(await this.#call('supervisor.clearAllProcessLogs'), toProcessResult);
  reopenProcessLogs = async (name: string): Promise<void> =>
    void (await this.#call('onevisor.reopenProcessLogs', name));
  rotateProcessLogs = async (name: string): Promise<void> =>
    void (await this.#call('onevisor.rotateProcessLogs', name));
  /** Asks a program to read its own configuration again. Returns the signal, or the option of the command. */
  reloadProcess = async (name: string): Promise<string> => toText(await this.#call('onevisor.reloadProcess', name));
  readLog = async (offset: number, length: number): Promise<string> =>
    toRawText(await this.#call('supervisor.readLog', offset, length));
  readProcessLog = async (name: string, channel: StreamName, offset: number, length: number): Promise<string> =>
    toRawText(
      await this.#call(
        channel === 'stdout' ? 'supervisor.readProcessStdoutLog' : 'supervisor.readProcessStderrLog',
        name,
        offset,
        length,
      ),
    );
  /** Reads the size of a log. */
  getLogSize = async (name: string, channel: StreamName): Promise<number> => {
    const method = channel === 'stdout' ? 'tailProcessStdoutLog' : 'tailProcessStderrLog';
    const [, size] = toList(await this.#call(`supervisor.${method}`, name, 0, 0), (value) => value);
    return toNumber(size);
  };
  readLines = async (query: XmlRpcStruct): Promise<LinesAnswer> =>
    toLinesAnswer(await this.#call('onevisor.readLines', query));
  getRuns = async (name: string): Promise<RunInfo[]> => toList(await this.#call('onevisor.getRuns', name), toRunInfo);
  sendProcessStdin = async (name: string, text: string): Promise<void> =>
    void (await this.#call('supervisor.sendProcessStdin', name, text));
  addProcessGroup = async (name: string): Promise<void> => void (await this.#call('supervisor.addProcessGroup', name));
  removeProcessGroup = async (name: string): Promise<void> =>
    void (await this.#call('supervisor.removeProcessGroup', name));
  reloadConfig = async (): Promise<ConfigChanges> => toConfigChanges(await this.#call('supervisor.reloadConfig'));
  /** Asks for the effect of an update of a group; null if the server has no such method. */
  planUpdate = async (name: string): Promise<GroupPlan | null> => {
    try {
      return toGroupPlan(await this.#call('onevisor.planUpdate', name));
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.code === faults.UNKNOWN_METHOD) return null;
      if (error.code === faults.BAD_NAME) return 'whole';
      throw error;
    }
  };
  /** Applies options of `[supervisord]`, or only tells which have changed; null if the server has no such method. */
  updateSettings = async (isApplied: boolean): Promise<SettingsChanges | null> => {
    const answer = await this.#callOwn('onevisor.updateSettings', isApplied);
    return answer === null ? null : toSettingsChanges(answer);
  };
  /**
   * Updates a group with as few restarts as possible. Returns the names of the processes that were stopped; null if the
   * server has no such method, or can only exchange the whole group.
   */
  updateGroup = async (name: string): Promise<string[] | null> => {
    try {
      return toList(await this.#call('onevisor.updateGroup', name), toText);
    } catch (error) {
      if (error instanceof RpcFault && (error.code === faults.UNKNOWN_METHOD || error.code === faults.BAD_NAME))
        return null;
      throw error;
    }
  };
  /** Compares the sections `[notify:x]` with the latest configuration; null if the server has no such method. */
  planNotifications = async (): Promise<ConfigChanges | null> => {
    const answer = await this.#callOwn('onevisor.planNotifications');
    return answer === null ? null : toNamedChanges(answer);
  };
  updateNotifications = async (): Promise<ConfigChanges> =>
    toNamedChanges(await this.#call('onevisor.updateNotifications'));
  /** Sends a test message. Returns the reason of a failure; empty for success. */
  testNotification = async (name: string): Promise<string> =>
    toText(await this.#call('onevisor.testNotification', name));
  getLaunchSettings = async (name: string): Promise<ProgramSettings> =>
    toProgramSettings(await this.#call('onevisor.getLaunchSettings', name));
  scaleProgram = async (program: string, count: number): Promise<ScaleResult> =>
    toScaleResult(await this.#call('onevisor.scaleProgram', program, count));
  /** Lists the processes that depend on others, in the order of their starts. */
  getDependents = async (names: readonly string[]): Promise<string[]> =>
    toList(await this.#call('onevisor.getDependents', [...names]), toText);
  /** Lists the processes that must be started before others can be, in the order of their starts. */
  getMissingDependencies = async (names: readonly string[]): Promise<string[]> =>
    toList(await this.#call('onevisor.getMissingDependencies', [...names]), toText);
  restartSupervisor = async (): Promise<void> => void (await this.#call('supervisor.restart'));
  shutdown = async (): Promise<void> => void (await this.#call('supervisor.shutdown'));
  /** Asks a server in its shutdown_delay to stop the processes now. Returns false if it has no delay. */
  endShutdownDelay = async (): Promise<boolean> => {
    try {
      return toBoolean(await this.#call('onevisor.endShutdownDelay'));
    } catch (error) {
      if (error instanceof RpcFault && error.code === faults.UNKNOWN_METHOD) return false;
      throw error;
    }
  };
  /** Asks a server that is shutting down to kill the remaining processes. Returns false if it does not. */
  shutdownAgain = async (): Promise<boolean> => {
    try {
      return toBoolean(await this.#call('onevisor.shutdownAgain'));
    } catch (error) {
      if (error instanceof RpcFault && error.code === faults.UNKNOWN_METHOD) return false;
      throw error;
    }
  };
}
