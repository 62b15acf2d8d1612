/** The rows of the overview: groups, filters and counts. Pure. */
import { type ProcessStatus, readinessOf, reasonOf, toneOf } from '../ctl/process-status.ts';
import type { ProcessEntry } from './store.ts';

/** The processes of a group, in the order of the supervisor. */
export interface Group {
  readonly name: string;
  readonly entries: readonly ProcessEntry[];
  /** True for a group that is shown with a row of its own: one program alone needs none. */
  readonly hasHead: boolean;
}

/** A choice of processes. */
export type Choice = 'all' | 'problems' | 'running' | 'down';

/** True if a person should look at the process. A first start in progress is no problem. */
export function isProblem(status: ProcessStatus): boolean {
  const { isFlapping, failedStarts, info } = status;
  return isFlapping || toneOf(status) === 'bad' || info.statename === 'BACKOFF' || (isUp(status) && failedStarts > 0);
}

/** True if the process has a pid. */
export function isUp({ info }: ProcessStatus): boolean {
  return info.pid !== 0;
}

/** True if a request to stop has something to stop: a process, a start that waits, or another try. */
export function canStop({ info }: ProcessStatus): boolean {
  return info.pid !== 0 || info.hold !== null || info.statename === 'BACKOFF' || info.isStartDue;
}

/** Groups processes in their order. */
export function groupsOf(entries: readonly ProcessEntry[]): Group[] {
  const byGroup = new Map<string, ProcessEntry[]>();
  for (const entry of entries) {
    const group = byGroup.get(entry.group);
    if (group === undefined) byGroup.set(entry.group, [entry]);
    else group.push(entry);
  }
  return [...byGroup].map(([name, members]) => ({
    name,
    entries: members,
    hasHead: members.length > 1 || members[0]?.name !== name,
  }));
}

/** True if a process is chosen. */
export function isChosen(status: ProcessStatus, choice: Choice): boolean {
  switch (choice) {
    case 'all':
      return true;
    case 'problems':
      return isProblem(status);
    case 'running':
      return status.info.statename === 'RUNNING';
    case 'down':
      return !isUp(status);
  }
}

/** True if each word of a filter is part of the name, the state, the readiness or the reason. */
export function isFound(status: ProcessStatus, filter: string): boolean {
  const words = filter.toLowerCase().split(/\s+/);
  const text = `${status.name} ${status.info.statename} ${readinessOf(status)} ${reasonOf(status)}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Counts the processes of each choice. */
export function countChoices(statuses: readonly ProcessStatus[]): Readonly<Record<Choice, number>> {
  const count = (choice: Choice): number => statuses.filter((status) => isChosen(status, choice)).length;
  return { all: statuses.length, problems: count('problems'), running: count('running'), down: count('down') };
}

/** Points of a sparkline as the data of an SVG path. The newest value is at the right end. */
export function sparkPath(
  values: readonly number[],
  slots: number,
  { width = 60, height = 16, least = 0 } = {},
): string {
  const top = values.reduce((most, value) => Math.max(most, value), least) || 1;
  const step = width / (slots - 1);
  const first = slots - values.length;
  return values
    .map((value, index) => {
      const x = round((first + index) * step);
      const y = round(height - 1 - (Math.max(0, value) / top) * (height - 2));
      return `${index === 0 ? 'M' : 'L'}${x} ${y}`;
    })
    .join('');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
