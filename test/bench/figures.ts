/**
 * Results of a case, as rows of a table: our figure, the peer's, how many times better ours is, and whether that is
 * enough. Measures nothing.
 */

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'MB/s' | 'wakeups' | 'kB' | 'µs';
  readonly ours: Sample | null;
  readonly peer: Sample | null;
  /** Who the peer is; with a missing figure, why it is missing. */
  readonly peerName: string;
  /** Null: for information. */
  readonly target: Target | null;
}

/** Figures of one contender; what counts is the median. */
export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** `ratio`: ours is at least so many times better than the peer's. `limit`: ours is at most so much. */
export type Target =
  { readonly kind: 'ratio'; readonly atLeast: number } | { readonly kind: 'limit'; readonly atMost: number };

/** Whether a row meets its target; `unknown`: a figure is missing. */
export type Verdict = 'met' | 'MISSED' | 'unknown' | null;

/** Sums up the figures of one contender; null when there is none. */
export function sampleOf(figures: readonly number[]): Sample | null {
  const sorted = [...figures].sort((a, b) => a - b);
  const least = sorted[0];
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return null;
  const middle = sorted.length / 2;
  const median = ((sorted[Math.floor(middle)] ?? least) + (sorted[Math.ceil(middle) - 1] ?? least)) / 2;
  return { median, least, most, count: sorted.length };
}

/** How many times better ours is; null when a figure is missing or nothing can be divided. */
export function ratioOf({ ours, peer, unit }: Row): number | null {
  if (ours === null || peer === null) return null;
  const [better, worse] = unit === 'MB/s' ? [ours.median, peer.median] : [peer.median, ours.median];
  return worse === 0 ? null : better / worse;
}

export function verdictOf(row: Row): Verdict {
  if (row.target === null) return null;
  if (row.target.kind === 'limit') {
    if (row.ours === null) return 'unknown';
    return row.ours.median <= row.target.atMost ? 'met' : 'MISSED';
  }
  const ratio = ratioOf(row);
  if (ratio === null) return 'unknown';
  return ratio >= row.target.atLeast ? 'met' : 'MISSED';
}

/** The table as text. */
export function formatTable(rows: readonly Row[]): string {
  const cells = rows.map((row) => {
    const ratio = ratioOf(row);
    return [
      row.what,
      formatSample(row.ours, row.unit),
      formatSample(row.peer, row.unit),
      row.peerName,
      ratio === null ? '' : `${formatNumber(ratio)} ×`,
      formatTarget(row),
      verdictOf(row) ?? '',
    ];
  });
  const all = [['', 'ours', 'peer', '', 'better by', 'target', ''], ...cells];
  const widths = (all[0] ?? []).map((_, column) => Math.max(...all.map((line) => [...(line[column] ?? '')].length)));
  return all
    .map((line) =>
      line
        .map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function formatSample(sample: Sample | null, unit: Row['unit']): string {
  if (sample === null) return '-';
  const spread = sample.count > 1 ? ` (${formatNumber(sample.least)}..${formatNumber(sample.most)})` : '';
  return `${formatNumber(sample.median)} ${unit}${spread}`;
}

function formatTarget({ target, unit }: Row): string {
  if (target === null) return '';
  return target.kind === 'ratio' ? `>= ${target.atLeast} ×` : `<= ${target.atMost} ${unit}`;
}

function formatNumber(value: number): string {
  if (value >= 100 || Number.isInteger(value)) return value.toFixed(0);
  return value.toFixed(value >= 10 ? 1 : 2);
}
