/** The outputs whose lines a client selects, by names, patterns and streams. Knows no numbers and no lines. */
import type { ProcessConfig } from '../config/model.ts';
import { createNameFilter, isPattern } from '../core/name-pattern.ts';
import { parseNamespec } from '../core/namespec.ts';
import { STREAM_NAMES } from '../core/stream-name.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { Hub, LogChannel } from '../logs/ports.ts';
import type { LineSelection, LineStream } from '../rpc/supervisor-api.ts';
import type { ActiveGroups } from './active-groups.ts';
import type { ProgramStreams } from './program-streams.ts';

/** Name and stream of the supervisor's own log among the lines. */
const OWN_NAME = 'supervisor';

/** An output with a name. */
export interface NamedOutput {
  readonly name: string;
  readonly stream: LineStream;
  readonly memory: Hub['mainLog']['memory'];
}

/** The parts that have the outputs. */
export interface OutputParts {
  readonly groups: GroupLookup;
  readonly streams: Pick<ProgramStreams, 'channel'>;
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
  if (streams.includes(OWN_NAME) || (streams.length === 0 && names.length === 0))
    outputs.push(outputOf(mainLog, OWN_NAME, OWN_NAME));
  return outputs;
}

/** The memory of a log is another object after its size has changed. */
function outputOf(log: Pick<LogChannel, 'memory'>, name: string, stream: LineStream): NamedOutput {
  return {
    name,
    stream,
    get memory() {
      return log.memory;
    },
  };
}

function selectProcesses(name: string, groups: GroupLookup): readonly ProcessConfig[] {
  if (isPattern(name)) return groups.list.flatMap(({ processes }) => processes.filter(createNameFilter([name])));
  const { group, process: wanted } = parseNamespec(name);
  const { processes } = groups.get(group) ?? { processes: [] };
  return wanted === null ? processes : processes.filter((proc) => proc.name === wanted);
}
