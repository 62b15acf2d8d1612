/** The timeline of a process: spans between changes of its state, and points of its usage. Pure. */
import type { EventAnswer } from '../api/types.ts';
import { formatNamespec, parseNamespec } from '../core/namespec.ts';

/** A stretch of time in milliseconds since 1970. */
export interface Stretch {
  readonly since: number;
  readonly until: number;
}

/** A state that lasted for some time. */
export interface Span extends Stretch {
  readonly state: string;
  readonly tone: 'good' | 'busy' | 'bad' | 'idle';
  /** The end of the run before, or the cause. */
  readonly text: string;
}

/** Shows a full name as `status` does. */
export function shownName(name: string): string {
  const { group, process: proc } = parseNamespec(name);
  return proc === null ? name : formatNamespec(group, proc);
}

/** Bounds of a stretch that is fitted to the measurements, in milliseconds. */
const FITTED_MS = { least: 30_000, most: 3_600_000 } as const;

/**
 * Returns the stretch until now that has the measurements; without them, the one since the first event. `first`: the
 * time of the first measurement, then that of the first event.
 */
export function fitStretch(until: number, first: readonly [measured: number | undefined, event: number | undefined]) {
  const length = until - (first[0] ?? first[1] ?? until);
  return { since: until - Math.min(Math.max(length, FITTED_MS.least), FITTED_MS.most), until };
}

/** Returns the events of a process in their order, each once. */
export function eventsOf(name: string, ...lists: ReadonlyArray<readonly EventAnswer[]>): EventAnswer[] {
  const bySeq = new Map(
    lists
      .flat()
      .filter((event) => event.name !== undefined && shownName(event.name) === name)
      .map((event) => [event.seq, event]),
  );
  return [...bySeq.values()].sort((a, b) => a.seq - b.seq);
}

/** Returns the spans of a process within a stretch of time. `now` ends the latest one. */
export function spansOf(events: readonly EventAnswer[], { since, until }: Stretch): Span[] {
  const changes = events.filter(({ kind, to }) => kind === 'state' && to !== undefined);
  return changes.flatMap((change, index): Span[] => {
    const from = Math.max(since, change.at);
    const to = Math.min(until, changes[index + 1]?.at ?? until);
    if (to <= from) return [];
    const { to: state = '', end } = change;
    return [{ since: from, until: to, state, tone: toneOfChange(state, end?.planned), text: describeChange(change) }];
  });
}

function toneOfChange(state: string, wasPlanned = true): Span['tone'] {
  switch (state) {
    case 'RUNNING':
      return 'good';
    case 'STARTING':
    case 'STOPPING':
      return 'busy';
    case 'BACKOFF':
    case 'FATAL':
    case 'UNKNOWN':
      return 'bad';
    default:
      return wasPlanned ? 'idle' : 'bad';
  }
}

/** Describes an event in the words of the supervisor. */
export function describeChange({ kind, text, cause, end, from, to, reason, health }: EventAnswer): string {
  if (text !== undefined && text !== '') return text;
  const causeText = typeof cause === 'object' ? cause.text : cause;
  return end?.text ?? causeText ?? reason ?? health ?? (to === undefined ? kind : `${from} → ${to}`);
}

/** Measurements of one kind. Both arrays have the same length. */
export interface Series {
  readonly at: readonly number[];
  readonly values: readonly number[];
}

/** Returns the measurements within a stretch of time. */
export function within({ at, values }: Series, { since, until }: Stretch): Series {
  const indexes = at.flatMap((time, index) => (time >= since && time <= until ? [index] : []));
  return { at: indexes.map((index) => at[index] ?? 0), values: indexes.map((index) => values[index] ?? 0) };
}

/** Returns the highest value; 0 for none. */
export function highest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), 0);
}

/** A pause between two measurements that is this many times the usual one is a gap: nothing was measured. */
const GAP = 4;

/** Makes the path of a chart in a box of 1000 by 100. Gaps are not bridged. */
export function chartPath({ at, values }: Series, { since, until }: Stretch, top: number): string {
  const pauses = at.slice(1).map((time, index) => time - (at[index] ?? 0));
  const usual = pauses.toSorted((a, b) => a - b)[Math.floor(pauses.length / 2)] ?? Infinity;
  return at
    .map((time, index) => {
      const isGap = index === 0 || (pauses[index - 1] ?? 0) > usual * GAP;
      const x = ((time - since) / (until - since)) * 1000;
      const y = 100 - ((values[index] ?? 0) / (top || 1)) * 100;
      return `${isGap ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}

/** Returns the index of the measurement that is nearest to a time; -1 for none. */
export function nearest(at: readonly number[], time: number): number {
  let best = -1;
  for (const [index, one] of at.entries())
    if (best === -1 || Math.abs(one - time) < Math.abs((at[best] ?? 0) - time)) best = index;
  return best;
}
