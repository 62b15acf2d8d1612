/**
 * The methods of `supervisor.*` that the client uses, with the types of their answers.
 * An answer of another form than Supervisor documents is an error here, so that no command has to ask.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { fitMessage } from '../core/shown-text.ts';
import { isStruct, type XmlRpcStruct, type XmlRpcValue } from '../rpc/xmlrpc.ts';
import { CtlError } from './errors.ts';

/** A process, of `getProcessInfo`. `struct` has all that the server said. */
export interface ProcessInfo {
  readonly name: string;
  readonly group: string;
  readonly state: number;
  readonly statename: string;
  readonly description: string;
  readonly pid: number;
  /** Times in seconds; start is 0 when it was never started. */
  readonly start: number;
  readonly exitstatus: number;
  /** `starting`, `healthy` or `unhealthy`, where the server checks it; Supervisor does not. */
  readonly health: string | null;
  /** Reason why the latest health check failed; null for none. */
  readonly healthReason: string | null;
  readonly struct: XmlRpcStruct;
}

/** What happened to one of several processes; `status` is a fault's number. */
export interface ProcessResult {
  readonly name: string;
  readonly group: string;
  readonly status: number;
  readonly description: string;
  /** Reason of a failure, for people; null if the server gives none. Supervisor does not. */
  readonly reason: string | null;
}

/** Returns the result of an action on one process: success, or a fault. */
export function resultOf(
  { group, name }: { readonly group: string; readonly name: string },
  fault: RpcFault | null,
): ProcessResult {
  if (fault === null) return { group, name, status: faults.SUCCESS, description: '', reason: null };
  return { group, name, status: fault.code, description: fault.faultString, reason: fault.reason };
}

/** A configured process, of `getAllConfigInfo`. */
export interface ConfigInfo {
  readonly name: string;
  readonly group: string;
  readonly inuse: boolean;
  readonly autostart: boolean;
  readonly groupPriority: number;
  readonly processPriority: number;
  readonly exitcodes: readonly number[];
}

/** Names of groups whose configuration differs from what is active. */
export interface ConfigChanges {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly removed: readonly string[];
}

/** What an update of a group would do, as names of its processes; `whole`: all of them are stopped, and started. */
export type GroupPlan =
  | 'whole'
  | {
      readonly stopped: readonly string[];
      readonly restarted: readonly string[];
      readonly started: readonly string[];
      /** They are configured differently, and go on as they are. */
      readonly changed: readonly string[];
    };

/** Calls a method by its full name. */
export type Call = (method: string, ...params: XmlRpcValue[]) => Promise<XmlRpcValue>;

/** Which log of a process. */
export type StreamName = 'stdout' | 'stderr';

/** The methods themselves. Each throws what the connection throws. */
export class SupervisorClient {
  readonly #call: Call;

  constructor(call: Call) {
    this.#call = call;
  }

  getVersion = async (): Promise<string> => toText(await this.#call('supervisor.getVersion'));
  getSupervisorVersion = async (): Promise<string> => toText(await this.#call('supervisor.getSupervisorVersion'));
  getPid = async (): Promise<number> => toNumber(await this.#call('supervisor.getPID'));
  getProcessInfo = async (name: string): Promise<ProcessInfo> =>
    toProcessInfo(await this.#call('supervisor.getProcessInfo', name));
  getAllProcessInfo = async (): Promise<ProcessInfo[]> =>
    toList(await this.#call('supervisor.getAllProcessInfo'), toProcessInfo);
  getAllConfigInfo = async (): Promise<ConfigInfo[]> =>
    toList(await this.#call('supervisor.getAllConfigInfo'), toConfigInfo);
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
  sendProcessStdin = async (name: string, text: string): Promise<void> =>
    void (await this.#call('supervisor.sendProcessStdin', name, text));
  addProcessGroup = async (name: string): Promise<void> => void (await this.#call('supervisor.addProcessGroup', name));
  removeProcessGroup = async (name: string): Promise<void> =>
    void (await this.#call('supervisor.removeProcessGroup', name));
  reloadConfig = async (): Promise<ConfigChanges> => toConfigChanges(await this.#call('supervisor.reloadConfig'));
  /** What `updateGroup`, or what is done where it cannot, would do; null where the server has no such method. */
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
  /**
   * Updates a group with as few restarts as possible: the names of what had to be stopped, or null where the server has
   * no such method, or cannot for this group.
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
  restart = async (): Promise<void> => void (await this.#call('supervisor.restart'));
  shutdown = async (): Promise<void> => void (await this.#call('supervisor.shutdown'));
  /** Asks a server that is shutting down to kill what is left. False where it does not, or has no such method. */
  shutdownAgain = async (): Promise<boolean> => {
    try {
      return toBoolean(await this.#call('onevisor.shutdownAgain'));
    } catch (error) {
      if (error instanceof RpcFault && error.code === faults.UNKNOWN_METHOD) return false;
      throw error;
    }
  };
}

function unexpected(what: string): CtlError {
  return new CtlError('xmlrpc.client.ResponseError', `the server answered with something else than ${what}`);
}

function toRawText(value: XmlRpcValue | undefined): string {
  if (value instanceof Uint8Array) return new TextDecoder().decode(value);
  if (typeof value !== 'string') throw unexpected('a text');
  return value;
}

/** A text that is shown on the user's terminal, whatever the server is. */
function toText(value: XmlRpcValue | undefined): string {
  return fitMessage(toRawText(value));
}

/** A text of ours, which Supervisor does not send. */
function toTextOrNull(value: XmlRpcValue | undefined): string | null {
  return typeof value === 'string' ? fitMessage(value) : null;
}

function toNumber(value: XmlRpcValue | undefined): number {
  if (typeof value !== 'number') throw unexpected('a number');
  return value;
}

function toBoolean(value: XmlRpcValue | undefined): boolean {
  return value === true || (typeof value === 'number' && value !== 0);
}

function toStruct(value: XmlRpcValue): XmlRpcStruct {
  if (!isStruct(value)) throw unexpected('a struct');
  return value;
}

function toList<T>(value: XmlRpcValue | undefined, convert: (element: XmlRpcValue) => T): T[] {
  if (!Array.isArray(value)) throw unexpected('an array');
  return (value as readonly XmlRpcValue[]).map(convert);
}

function toProcessInfo(value: XmlRpcValue): ProcessInfo {
  const struct = toStruct(value);
  const health = struct['health'];
  return {
    name: toText(struct['name']),
    group: toText(struct['group']),
    state: toNumber(struct['state']),
    statename: toText(struct['statename']),
    description: toText(struct['description']),
    pid: toNumber(struct['pid']),
    start: toNumber(struct['start']),
    exitstatus: toNumber(struct['exitstatus']),
    health: typeof health === 'string' && health !== '' ? health : null,
    healthReason: toTextOrNull(struct['health_reason']),
    struct,
  };
}

function toProcessResult(value: XmlRpcValue): ProcessResult {
  const struct = toStruct(value);
  return {
    name: toText(struct['name']),
    group: toText(struct['group']),
    status: toNumber(struct['status']),
    description: toText(struct['description']),
    reason: toTextOrNull(struct['reason']),
  };
}

function toConfigInfo(value: XmlRpcValue): ConfigInfo {
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

function toGroupPlan(value: XmlRpcValue): GroupPlan {
  const { stopped, restarted, started, changed } = toStruct(value);
  return {
    stopped: toList(stopped, toText),
    restarted: toList(restarted, toText),
    started: toList(started, toText),
    changed: toList(changed, toText),
  };
}

/** `[[added, changed, removed]]`, as reloadConfig answers. */
function toConfigChanges(value: XmlRpcValue): ConfigChanges {
  const [lists] = toList(value, (element) => toList(element, (names) => toList(names, toText)));
  const [added, changed, removed] = lists ?? [];
  if (added === undefined || changed === undefined || removed === undefined) throw unexpected('three lists of groups');
  return { added, changed, removed };
}
