/**
 * Results of a case, as rows of a table: our figure, the peer's, the ratio, and the comparison with the goal. Measures
 * nothing.
 */

export type Unit = 'ms' | 'MB/s' | 'ms/GB' | 'wakeups' | 'kB' | 'MB' | 'µs' | 'a second' | '%';

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly unit: Unit;
  readonly ours: Sample | null;
  readonly peer: Sample | null;
  /** Name of the peer; for a missing figure, the reason. */
  readonly peerName: string;
  /** Null for a row that is only reported. */
  readonly goal: Goal | null;
}

/** Figures of one contender. The median counts. */
export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** Limit for the ratio of our figure to the peer's, or for our figure. */
export interface Goal {
  readonly of: 'ratio' | 'ours';
  readonly is: '<=' | '>=';
  readonly value: number;
}

/** Result of the comparison; `not measured`: a figure is missing. */
export type Verdict = 'met' | 'missed' | 'not measured' | null;

/** Makes the goal "our figure is at most `value` times the peer's". */
export function ratioAtMost(value: number): Goal {
  return { of: 'ratio', is: '<=', value };
}

/** Makes the goal "our figure is at least `value` times the peer's". */
export function ratioAtLeast(value: number): Goal {
  return { of: 'ratio', is: '>=', value };
}

/** Makes the goal "our figure is at most `value`". */
export function atMost(value: number): Goal {
  return { of: 'ours', is: '<=', value };
}

/** Summarizes the figures of one contender; null if there are none. */
export function sampleOf(figures: readonly number[] | undefined): Sample | null {
  const sorted = [...(figures ?? [])].sort((a, b) => a - b);
  const least = sorted[0];
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return null;
  const middle = sorted.length / 2;
  const median = ((sorted[Math.floor(middle)] ?? least) + (sorted[Math.ceil(middle) - 1] ?? least)) / 2;
  return { median, least, most, count: sorted.length };
}

/** Returns our figure divided by the peer's; null if a figure is missing, or the peer's is not above zero. */
export function ratioOf({ ours, peer }: Row): number | null {
  if (ours === null || peer === null || peer.median <= 0) return null;
  return ours.median / peer.median;
}

export function verdictOf(row: Row): Verdict {
  if (row.goal === null) return row.ours === null ? 'not measured' : null;
  const figure = row.goal.of === 'ratio' ? ratioOf(row) : (row.ours?.median ?? null);
  if (figure === null) return 'not measured';
  const isMet = row.goal.is === '<=' ? figure <= row.goal.value : figure >= row.goal.value;
  return isMet ? 'met' : 'missed';
}
