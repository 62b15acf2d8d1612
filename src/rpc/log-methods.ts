/**
 * The methods that read and clear logs. A log may contain any bytes. The codec replaces bytes that are not UTF-8, and
 * characters that XML cannot contain, by U+FFFD.
 */
import { RpcFault } from '../core/faults.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { forEachProcess } from './each-process.ts';
import { findOneProcess } from './lookup.ts';
import {
  type CallContext,
  type ValueDescription,
  type Method,
  type Parameter,
  readInteger,
  readText,
} from './method.ts';
import type { Log } from './log-api.ts';
import { Utf8Text, type XmlRpcValue } from './xmlrpc.ts';

/** Reads part of a log as the answer of a method; null is a log that is not kept. Throws {@link RpcFault}. */
type LogReader = (
  context: CallContext,
  log: Log | null,
  offset: XmlRpcValue | undefined,
  length: XmlRpcValue | undefined,
) => Promise<XmlRpcValue>;

const read: LogReader = async ({ reserve }, log, offset, length) => {
  const range = [readInteger(offset), readInteger(length), reserve] as const;
  if (log === null) throw RpcFault.of('NO_FILE');
  const reading = await log.read(...range);
  switch (reading.kind) {
    case 'bytes':
      return new Utf8Text(reading.bytes);
    case 'badArguments':
      throw RpcFault.of('BAD_ARGUMENTS');
    case 'noFile':
      throw RpcFault.of('NO_FILE', reading.path ?? '');
    case 'failed':
      throw RpcFault.of('FAILED', reading.reason);
  }
};

const tail: LogReader = async ({ reserve }, log, offset, length) => {
  const range = [readInteger(offset), readInteger(length), reserve] as const;
  if (log === null) return ['', 0, false];
  const end = await log.tail(...range);
  return [new Utf8Text(end.bytes), end.offset, end.overflow];
};

function findLog({ api }: CallContext, proc: XmlRpcValue | undefined, stream: StreamName): Log | null {
  return api.processLog(findOneProcess(api, readText(proc)).id, stream);
}

/** Clears both logs of a process. compat: a missing log counts as cleared. */
async function clearLogs({ api }: CallContext, { id }: ProcessView, name: string): Promise<true> {
  for (const stream of STREAM_NAMES) {
    const outcome = await api.processLog(id, stream)?.clear();
    if (outcome?.kind === 'failed') throw RpcFault.of('FAILED', `${name}: ${outcome.reason}`);
  }
  return true;
}

const processName: Parameter = { type: 'string', name: 'name', help: 'Process name, or group:name' };
const offset: Parameter = {
  type: 'int',
  name: 'offset',
  help: 'First byte; a negative offset counts from the end',
};
const length: Parameter = { type: 'int', name: 'length', help: 'Number of bytes; 0 for all up to the end' };
const tailOffset: Parameter = {
  type: 'int',
  name: 'offset',
  help: 'First byte, as returned by the previous call',
};
const tailLength: Parameter = { type: 'int', name: 'length', help: 'Maximum number of bytes' };
const text: ValueDescription = { type: 'string', name: 'result', help: 'The bytes of the log, as text' };
const textOffsetOverflow: ValueDescription = {
  type: 'array',
  name: 'result',
  help: 'The bytes as text, the size of the log, and true if more than length bytes were added since offset',
};
const done: ValueDescription = { type: 'boolean', name: 'result', help: 'Always true; a failure is a fault' };

/** The methods of one kind for a stream of a process. */
interface StreamReading {
  readonly help: string;
  readonly range: readonly Parameter[];
  readonly returns: ValueDescription;
  readonly reader: LogReader;
}

const READ: StreamReading = { help: 'Read from', range: [offset, length], returns: text, reader: read };
const TAIL: StreamReading = {
  help: 'Read the end of',
  range: [tailOffset, tailLength],
  returns: textOffsetOverflow,
  reader: tail,
};

function streamMethod(name: string, stream: StreamName, { help, range, returns, reader }: StreamReading): Method {
  return {
    name,
    help: `${help} the ${stream} log of a process`,
    parameters: [processName, ...range],
    returns,
    call: (context, [proc, from, count]) => reader(context, findLog(context, proc, stream), from, count),
  };
}

function readLogMethod(name: string): Method {
  return {
    name,
    help: 'Read from the log of the supervisor',
    parameters: [offset, length],
    returns: text,
    call: (context, [from, count]) => read(context, context.api.mainLog(), from, count),
  };
}

/** Makes a method that reopens or rotates the log files of one process. */
function tendMethod(name: string, action: 'reopen' | 'rotate', help: string): Method {
  return {
    name,
    help,
    parameters: [processName],
    returns: done,
    isChange: true,
    call: async ({ api }, [value]) => {
      const proc = readText(value);
      const failure = await api.tendLogs(findOneProcess(api, proc).id, action);
      if (failure !== null) throw RpcFault.of('FAILED', `cannot ${action} the logs of ${proc}: ${failure}`);
      return true;
    },
  };
}

function clearMethod(name: string): Method {
  return {
    name,
    help: 'Empty both logs of a process',
    parameters: [processName],
    returns: done,
    isChange: true,
    call: (context, [value]) => {
      const proc = readText(value);
      return clearLogs(context, findOneProcess(context.api, proc), proc);
    },
  };
}

/** The methods about logs. compat: readMainLog, readProcessLog, tailProcessLog and clearProcessLog are old names. */
export const logMethods: readonly Method[] = [
  readLogMethod('supervisor.readLog'),
  readLogMethod('supervisor.readMainLog'),
  streamMethod('supervisor.readProcessStdoutLog', 'stdout', READ),
  streamMethod('supervisor.readProcessLog', 'stdout', READ),
  streamMethod('supervisor.readProcessStderrLog', 'stderr', READ),
  streamMethod('supervisor.tailProcessStdoutLog', 'stdout', TAIL),
  streamMethod('supervisor.tailProcessLog', 'stdout', TAIL),
  streamMethod('supervisor.tailProcessStderrLog', 'stderr', TAIL),
  clearMethod('supervisor.clearProcessLogs'),
  clearMethod('supervisor.clearProcessLog'),
  {
    name: 'supervisor.clearLog',
    help: 'Empty the log of the supervisor',
    parameters: [],
    returns: done,
    isChange: true,
    call: async ({ api }) => {
      const outcome = await api.mainLog()?.clear();
      if (outcome === undefined || outcome.kind === 'noFile') throw RpcFault.of('NO_FILE');
      if (outcome.kind === 'failed') throw RpcFault.of('FAILED', outcome.reason);
      return true;
    },
  },
  {
    name: 'supervisor.clearAllProcessLogs',
    help: 'Empty the logs of all processes',
    parameters: [],
    returns: {
      type: 'array',
      name: 'result',
      help: 'A struct of name, group, status and description for each process',
    },
    isChange: true,
    call: (context) => {
      const selection = { processes: context.api.processes(), isSelected: () => true, isImmediate: true };
      return forEachProcess(context, selection, (proc, name) => clearLogs(context, proc, name));
    },
  },
];

/** The methods about log files that Supervisor does not have. */
export const logFileMethods: readonly Method[] = [
  tendMethod('onevisor.reopenProcessLogs', 'reopen', 'Reopen the log files of a process, after they were renamed'),
  tendMethod('onevisor.rotateProcessLogs', 'rotate', 'Rotate the log files of a process now'),
];
