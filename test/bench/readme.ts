/**
 * Writes the figures of a full run into a marked part of README.md: the main cases, the date and the machine, and every
 * case in which a peer is better or a goal is missed.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { ratioOf, verdictOf } from './figures.ts';
import type { Row, Sample, Unit } from './figures.ts';
import { formatFigure, formatNumber } from './table.ts';

export const BEGIN = '<!-- bench: generated -->';
export const END = '<!-- /bench -->';

/** Columns of a line of text. */
const MOST_COLUMNS = 120;

/** Units of which more is better. */
const MORE_IS_BETTER: ReadonlySet<string> = new Set(['MB/s', 'a second']);

/** Names of the main cases. */
const MAIN = [
  /^exec →/,
  /^kill -9/,
  /^\d+ programs (up|down)/,
  /^private memory at rest, (3|500) /,
  /^resident memory/,
  /^one program, (prefix|JSON|rotating file)/,
  /^\d+ orphans/,
  /^idle for .* 500 /,
  /^status of \d+$/,
  /^getAllProcessInfo/,
  /^one health probe/,
];

/** Replaces the part in a document. */
export async function writeFigures(path: string, rows: readonly Row[], machine: string): Promise<void> {
  const before = await readFile(path, 'utf8');
  const [from, to] = [before.indexOf(BEGIN), before.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`cannot update ${path}: it has no ${BEGIN} … ${END}`);
  const part = formatPart(rows, machine, new Date());
  await writeFile(path, `${before.slice(0, from + BEGIN.length)}\n${part}\n${before.slice(to)}`);
}

/** Formats the part. Of the main cases, it has the rows with a goal. */
export function formatPart(rows: readonly Row[], machine: string, date: Date): string {
  const main = rows.filter(
    ({ what, peer, goal }) => MAIN.some((pattern) => pattern.test(what)) && peer !== null && goal !== null,
  );
  const lines = main.map((row, index) => {
    const isSame = main[index - 1]?.what === row.what;
    const own = formatMedian(row.ours, row.unit);
    const cells = isSame ? ['', ''] : [row.what, own];
    const all = [...cells, `${formatMedian(row.peer, row.unit)}, ${row.peerName}`, formatAdvantage(row)];
    return `|${all.map((cell) => (cell === '' ? ' ' : ` ${cell.replaceAll('|', '\\|')} `)).join('|')}|`;
  });
  const sizes = rows.filter(({ what }) => /^size|^ {2}with (gzip|zstd)/.test(what));
  const size = sizes.map((row) => `${row.what.trim()} ${formatMedian(row.ours, row.unit)}`).join(', ');
  const missed = rows.filter((row) => verdictOf(row) === 'missed').map(describeMissed);
  // The rows above, and the processor time of a case beside its speed, would say the same twice.
  const others = rows.filter((row) => verdictOf(row) !== 'missed' && !main.includes(row) && row.unit !== 'ms/GB');
  const worse = others.filter(isWorse).map(describeRatio);
  const day = date.toISOString().slice(0, 10);
  return [
    wrap(`Medians of ${day}, on ${machine}:`),
    '',
    '| | onevisor | peer | |',
    '| --- | --- | --- | --- |',
    ...lines,
    ...(size === '' ? [] : ['', wrap(`The ${size}: a whole Node is in it.`)]),
    ...(missed.length === 0 ? [] : ['', wrap(`Goals that are missed: ${listCases(missed)}.`)]),
    ...(worse.length === 0 ? [] : ['', wrap(`A peer is better: ${listCases(worse)}.`)]),
  ].join('\n');
}

/** A case, and what came of it. */
interface Loss {
  readonly what: string;
  readonly text: string;
}

/** Lists cases, each with all that came of it. */
function listCases(losses: readonly Loss[]): string {
  return [...Map.groupBy(losses, ({ what }) => what)]
    .map(([what, same]) => `${what}: ${same.map(({ text }) => text).join(', ')}`)
    .join('; ');
}

/** Breaks a paragraph into lines. */
function wrap(text: string): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + 1 + word.length <= MOST_COLUMNS) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines.join('\n');
}

function formatMedian(sample: Sample | null, unit: Unit): string {
  return sample === null ? '-' : formatFigure(sample.median, unit);
}

/** Returns how many times better ours is; null if a figure is missing. */
function advantageOf(row: Row): number | null {
  const ratio = ratioOf(row);
  if (ratio === null || ratio === 0) return null;
  return MORE_IS_BETTER.has(row.unit) ? ratio : 1 / ratio;
}

function formatAdvantage(row: Row): string {
  const advantage = advantageOf(row);
  if (advantage === null) return '';
  return advantage >= 1 ? `${formatNumber(advantage)} × better` : `${formatNumber(1 / advantage)} × worse`;
}

/** True if a peer's figure is better, beyond the noise of a run. */
function isWorse(row: Row): boolean {
  const advantage = advantageOf(row);
  return advantage !== null && advantage < 0.95;
}

/** Our figure divided by the peer's; without a peer our figure. */
function describeRatio(row: Row): Loss {
  const ratio = ratioOf(row);
  const own = formatMedian(row.ours, row.unit);
  return { what: row.what.trim(), text: ratio === null ? own : `${formatNumber(ratio)} × ${row.peerName}` };
}

function describeMissed(row: Row): Loss {
  const { goal, unit, ours } = row;
  const { what, text } = describeRatio(row);
  if (goal === null) return { what, text };
  const sign = goal.is === '<=' ? '≤' : '≥';
  if (goal.of === 'ratio') return { what, text: `${text} (${sign} ${formatNumber(goal.value)})` };
  return { what, text: `${formatMedian(ours, unit)} (${sign} ${formatFigure(goal.value, unit)})` };
}
