/** Reads the lines that a supervisor has in memory, at one moment. */
import type { XmlRpcStruct } from '../../rpc/xmlrpc.ts';
import type { LinesAnswer, SupervisorClient } from '../supervisor-client.ts';
import type { Entry } from './entry.ts';

/** Largest number of lines in one answer. */
export const MAX_LINES = 10_000;

/** The outputs to read. */
export interface Selection {
  /** Empty: all programs. */
  readonly names: readonly string[];
  readonly streams: readonly string[];
  /** True if events are wanted among the lines. */
  readonly hasEvents: boolean;
}

/** The lines in memory at one moment. */
export interface Snapshot {
  readonly entries: readonly Entry[];
  /** The number to continue after. */
  readonly next: number;
  readonly epoch: string;
  /** True if there are older lines in memory that were not wanted. */
  readonly hasMore: boolean;
}

/** Makes the members of a query that select outputs. Names that come later are no error. */
export function selectionMembers({ names, streams, hasEvents }: Selection): XmlRpcStruct {
  return { ...(names.length === 0 ? {} : { names }), streams, events: hasEvents, ignore_unknown: true };
}

/**
 * Reads the latest lines, `wanted` at least if there are so many; Infinity reads all. All older lines are in the log
 * files then, unless a disk does not take them.
 */
export async function readSnapshot(
  client: Pick<SupervisorClient, 'readLines'>,
  selection: Selection,
  wanted: number,
): Promise<Snapshot> {
  const members = selectionMembers(selection);
  const limit = Math.min(Math.max(wanted, 1), MAX_LINES);
  const latest = await client.readLines({ ...members, limit, written: true });
  const pages: Array<LinesAnswer['entries']> = [latest.entries];
  let { hasMore } = latest;
  for (let count = latest.entries.length; hasMore && count < wanted;) {
    const before = pages[0]?.[0]?.seq ?? 0;
    const page = await client.readLines({ ...members, limit, before });
    if (page.entries.length === 0) break;
    pages.unshift(page.entries);
    count += page.entries.length;
    ({ hasMore } = page);
  }
  return { entries: pages.flat(), next: latest.next, epoch: latest.epoch, hasMore };
}
