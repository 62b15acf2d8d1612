/** The table of faults: call × error × outcome, as Markdown. */
import type { Row } from './cases.ts';

/** Outcome of one fault. */
export interface Finding extends Row {
  readonly error: string;
  /** Calls that went well before the first failure. */
  readonly skip: number;
  /** Number of calls that failed; Infinity for a fault that lasts. */
  readonly count: number;
  /** Message of the exercise while calls failed; null if it worked. */
  readonly failure: string | null;
  /** A line of the log about the fault. */
  readonly line: string | null;
  /** Number of lines in the log about the fault. */
  readonly lines: number;
}

/** Kinds of outcomes. In each of them everything works when the fault is over. */
export type Outcome = 'passes' | 'passes, logged' | 'fails, logged' | 'refused' | 'cut off' | 'late';

export function outcomeOf({ failure, line }: Finding): Outcome {
  if (failure === null) return line === null ? 'passes' : 'passes, logged';
  if (line !== null) return 'fails, logged';
  // The time limit of an operation on a log.
  if (failure.endsWith('; the work goes on')) return 'late';
  if (/^[A-Z_]+: /.test(failure)) return 'refused';
  return /ECONN|EPIPE|hang up/.test(failure) ? 'cut off' : 'late';
}

/** Formats all findings. */
export function formatTable(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => {
    const { path, who, call, target, error, skip, count, failure, line } = finding;
    const which = count === Infinity ? 'all' : String(skip + 1);
    const told = (line?.replace(/^\S+ \S+ /, '') ?? failure ?? '').replaceAll('|', '\\|').replaceAll(/\/\S*\//g, '…/');
    const cells = [path, who, target === null ? call : `${call} ${target}`, error, which, outcomeOf(finding), told];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '# Faults and their outcomes',
    '',
    '`passes`: nothing is noticed. `logged`: the log names the fault. `refused`: the client is told. `cut off`: the',
    'client loses its connection. `late`: the work was done when the fault was over. After each of them, everything',
    'works again.',
    '',
    '| path | process | call | error | n-th | outcome | message |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
  ].join('\n');
}

/** Returns lines with the number of faults for each path and outcome. */
export function summarize(findings: readonly Finding[]): string[] {
  const counts = new Map<string, Map<string, number>>();
  for (const finding of findings) {
    const ofPath = counts.get(finding.path) ?? new Map<string, number>();
    const outcome = outcomeOf(finding);
    ofPath.set(outcome, (ofPath.get(outcome) ?? 0) + 1);
    counts.set(finding.path, ofPath);
  }
  const texts = [...counts].map(
    ([path, ofPath]) => `${path}: ${[...ofPath].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`,
  );
  return [`${findings.length} faults`, ...texts];
}
