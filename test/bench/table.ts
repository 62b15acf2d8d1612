/** Formats rows as a table for a terminal. Measures nothing. */
import { ratioOf, verdictOf } from './figures.ts';
import type { Row, Sample, Unit } from './figures.ts';

/** Formats the table. A case that is compared with several peers is named once. */
export function formatTable(rows: readonly Row[]): string {
  const head = ['', 'ours', 'peer', '', 'ours / peer', 'goal', ''];
  const lines = rows.map((row, index) => {
    const ratio = ratioOf(row);
    const isSame = rows[index - 1]?.what === row.what && rows[index - 1]?.unit === row.unit;
    return [
      isSame ? '' : row.what,
      isSame ? '' : formatSample(row.ours, row.unit),
      row.peer === null && row.peerName === '' ? '' : formatSample(row.peer, row.unit),
      row.peerName,
      ratio === null ? '' : formatNumber(ratio),
      formatGoal(row),
      verdictOf(row) ?? '',
    ];
  });
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map((line) => [...(line[column] ?? '')].length)));
  const pad = (cell: string, column: number): string => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length);
  return all.map((line) => line.map(pad).join('  ').trimEnd()).join('\n');
}

/** Formats a median with the least and the greatest figure. */
export function formatSample(sample: Sample | null, unit: Unit): string {
  if (sample === null) return '-';
  const spread = sample.count > 1 ? ` (${formatNumber(sample.least)}..${formatNumber(sample.most)})` : '';
  return `${formatFigure(sample.median, unit)}${spread}`;
}

/** Formats a figure with its unit. */
export function formatFigure(value: number, unit: Unit): string {
  return `${formatNumber(value)} ${unit}`;
}

function formatGoal({ goal, unit }: Row): string {
  if (goal === null) return '';
  const sign = goal.is === '<=' ? '≤' : '≥';
  return goal.of === 'ratio' ? `${sign} ${formatNumber(goal.value)}` : `${sign} ${formatFigure(goal.value, unit)}`;
}

/** Formats a number with three significant digits, and integers as they are. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return value.toFixed(0);
  if (size >= 10) return value.toFixed(1);
  if (size >= 0.1) return value.toFixed(2);
  return value.toPrecision(2);
}
