/**
 * Results of a case, as rows of a table: our figure, the peer's, the ratio, and the comparison with the target.
 * Measures nothing.
 */

/** One line of the result. */
export interface Row {
  readonly what: string;
  readonly unit: 'ms' | 'MB/s' | 'wakeups' | 'kB' | 'µs';
  readonly ours: Sample | null;
  readonly peer: Sample | null;
  /** Name of the peer; for a missing figure, the reason. */
  readonly peerName: string;
  /** Null for a row without a target. */
  readonly target: Target | null;
}

/** Figures of one contender. The median counts. */
export interface Sample {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** `ratio`: ours must be better than the peer's by this factor. `limit`: upper limit for ours. */
export type Target =
  { readonly kind: 'ratio'; readonly atLeast: number } | { readonly kind: 'limit'; readonly atMost: number };

/** Result of the comparison; `unknown`: a figure is missing. */
export type Verdict = 'met' | 'MISSED' | 'unknown' | null;

/** Summarizes the figures of one contender; null if there are none. */
export function sampleOf(figures: readonly number[]): Sample | null {
  const sorted = [...figures].sort((a, b) => a - b);
  const least = sorted[0];
  const most = sorted.at(-1);
  if (least === undefined || most === undefined) return null;
  const middle = sorted.length / 2;
  const median = ((sorted[Math.floor(middle)] ?? least) + (sorted[Math.ceil(middle) - 1] ?? least)) / 2;
  return { median, least, most, count: sorted.length };
}

/** Returns the factor by which ours is better; null if a figure is missing or zero. */
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

/** Formats the table. */
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
