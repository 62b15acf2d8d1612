/** The outputs whose lines a client selects, by names, patterns and streams, and lines as answers. */
import type { ProcessConfig } from '../config/model.ts';
import { createNameFilter, isPattern } from '../core/name-pattern.ts';
import { parseNamespec } from '../core/namespec.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { LineReading, StampedLine } from '../logs/line-reader.ts';
import type { Hub, LogChannel } from '../logs/ports.ts';
import type { LineSelection, LineStream, LogLine, LogLines } from '../rpc/lines.ts';
import type { ActiveGroups } from './active-groups.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Name and stream of the supervisor's own log among the lines. */
const OWN_NAME = 'supervisor';

/** An output with a name. */
export interface NamedOutput {
  readonly name: string;
  readonly stream: LineStream;
  readonly memory: Hub['mainLog']['memory'];
  /** Missing for an output that is closed. */
  readonly fileQueues?: LogChannel['fileQueues'];
}

/** The parts that have the outputs. */
export interface OutputParts {
  readonly groups: GroupLookup;
  readonly streams: Pick<ProgramStreams, 'channel' | 'logs'>;
  readonly mainLog: Hub['mainLog'];
}

/** The active groups. */
export type GroupLookup = Pick<ActiveGroups, 'list' | 'get'>;

/** Returns the first name that selects no process; null if there is none. */
export function findUnknownName(names: readonly string[], groups: GroupLookup): string | null {
  return names.find((name) => selectProcesses(name, groups).length === 0) ?? null;
}

/** Makes a test for namespecs `group:name` of processes that the names mean, active or not. */
export function filterIds(names: readonly string[]): (id: string) => boolean {
  const isSelected = createNameFilter(names);
  return (id) => {
    const { group, process: name } = parseNamespec(id);
    return isSelected({ group, name: name ?? '' });
  };
}

/**
 * Returns the selected outputs. Without names: all programs. Without streams: all streams of the programs, and the
 * supervisor's own log if no names are given. The standard output of an event listener is a protocol, so it must be
 * selected by name.
 */
export function selectOutputs({ names, streams }: LineSelection, parts: OutputParts): NamedOutput[] {
  const { groups, mainLog } = parts;
  const isWanted = (stream: LineStream): boolean => streams.length === 0 || streams.includes(stream);
  const selected =
    names.length === 0
      ? groups.list.flatMap(({ processes }) => processes)
      : new Set(names.flatMap((name) => selectProcesses(name, groups)));
  const outputs: NamedOutput[] = [];
  for (const proc of selected) {
    const id = namespecOf(proc);
    for (const stream of STREAM_NAMES) {
      const isProtocol = stream === 'stdout' && proc.type === 'eventlistener' && names.length === 0;
      const channel = isWanted(stream) && !isProtocol ? parts.streams.channel(id, stream) : null;
      if (channel !== null) outputs.push(outputOf(channel, id, stream));
    }
  }
  outputs.push(...leavingOutputs(names, parts).filter(({ stream }) => isWanted(stream)));
  if (streams.includes(OWN_NAME) || (streams.length === 0 && names.length === 0))
    outputs.push(outputOf(mainLog, OWN_NAME, OWN_NAME));
  return outputs;
}

/** Returns the outputs of processes that an update removes from their group, and that are still being stopped. */
function leavingOutputs(names: readonly string[], { groups, streams }: OutputParts): NamedOutput[] {
  const active = new Set(groups.list.flatMap(({ processes }) => processes.map(namespecOf)));
  const isNamed = names.length === 0 ? (): boolean => true : filterIds(names);
  return [...streams.logs()]
    .filter(({ id }) => !active.has(id) && isNamed(id))
    .map(({ id, stream, channel }) => outputOf(channel, id, stream));
}

/** The memory of a log is another object after its size has changed. */
function outputOf(log: Pick<LogChannel, 'memory' | 'fileQueues'>, name: string, stream: LineStream): NamedOutput {
  return {
    name,
    stream,
    get memory() {
      return log.memory;
    },
    get fileQueues() {
      return log.fileQueues;
    },
  };
}

function selectProcesses(name: string, groups: GroupLookup): readonly ProcessConfig[] {
  if (isPattern(name)) return groups.list.flatMap(({ processes }) => processes.filter(createNameFilter([name])));
  const { group, process: wanted } = parseNamespec(name);
  const { processes } = groups.get(group) ?? { processes: [] };
  return wanted === null ? processes : processes.filter((proc) => proc.name === wanted);
}

/** Makes the answer of a reading. */
export function toLogLines({ lines, missed, next, hasMore }: LineReading<NamedOutput>): LogLines {
  return {
    next,
    hasMore,
    lines: lines.map(toLogLine),
    missed: missed.map(({ source: { name, stream }, bytes }) => ({ name, stream, bytes })),
  };
}

/** Makes the answer of a line. */
function toLogLine({ source, seq, wallMs, pid, text, isPartial, isRest }: StampedLine<NamedOutput>): LogLine {
  const line = { seq, at: wallMs, name: source.name, stream: source.stream, pid, text };
  if (!isPartial && !isRest) return line;
  return { ...line, ...(isPartial ? { partial: true } : {}), ...(isRest ? { rest: true } : {}) };
}
