/** The numbers of programs that only the metrics show. Types only. */
import type { StreamName } from '../core/stream-name.ts';
import type { ChannelCounts } from '../logs/ports.ts';

/** Resources that the processes of a program use together. */
export interface TreeMeasures {
  /** Resident bytes. Shared pages count for each process. */
  readonly residentBytes: number;
  /** Number of processes. */
  readonly processes: number;
  /** Number of open descriptors; null if we may not look at those of a process. */
  readonly openFiles: number | null;
}

/** Reader of the numbers. Names are namespecs `group:name`. */
export interface MeasuresReader {
  /**
   * Measures the process trees of all programs that are up, by namespec. Callers within a second share a measurement.
   * Null if /proc cannot be read.
   */
  readTrees(): Promise<ReadonlyMap<string, TreeMeasures> | null>;
  /**
   * Measures some programs, without a look at the processes of others. Orphans that have left the tree of their program
   * do not count, unless the program has a control group. Null if that is not possible.
   */
  readTreesOf(ids: readonly string[]): Promise<ReadonlyMap<string, TreeMeasures> | null>;
  /** Returns the processor time of a process over all its runs in seconds, as of its last measurement. */
  cpuSecondsOf(id: string): number;
  /** Returns the counts of a stream; null if the process has no such log, or its stream is a protocol. */
  outputOf(id: string, stream: StreamName): ChannelCounts | null;
}
