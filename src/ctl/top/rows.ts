/** The rows of the table: processes and their groups, filtered, sorted, and folded. Pure. */
import { compareNatural } from '../natural-order.ts';
import type { ProcessFacts, ProcessTone } from './facts.ts';
import type { ColumnName, Target, TopState } from './state.ts';

/** A row of the table. */
export type Row =
  | { readonly kind: 'process'; readonly key: string; readonly facts: ProcessFacts; readonly isIndented: boolean }
  | {
      readonly kind: 'group';
      readonly key: string;
      readonly group: string;
      readonly isFolded: boolean;
      /** The processes that the filter wants. */
      readonly members: readonly ProcessFacts[];
    };

/** Rank of a tone: what is broken comes first. */
const RANKS: Readonly<Record<ProcessTone, number>> = { bad: 0, busy: 1, good: 2, idle: 3 };

/** Returns the worst tone of processes. */
export function worstTone(processes: readonly ProcessFacts[]): ProcessTone {
  return processes.map(({ tone }) => tone).toSorted((a, b) => RANKS[a] - RANKS[b])[0] ?? 'idle';
}

/** Adds up a fact of processes; null if no process has it. */
export function sumOf(processes: readonly ProcessFacts[], fact: 'restarts' | 'cpuPercent' | 'memory'): number | null {
  const values = processes.flatMap((facts) => facts[fact] ?? []);
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0);
}

type Compare = (a: ProcessFacts, b: ProcessFacts) => number;

/** Largest first; processes without the fact last. */
const descending =
  (fact: (facts: ProcessFacts) => number | null): Compare =>
  (a, b) =>
    (fact(b) ?? -1) - (fact(a) ?? -1);

/** The order of each column: what is interesting comes first. */
const ORDERS: Readonly<Record<ColumnName, Compare>> = {
  NAME: (a, b) => compareNatural(a.namespec, b.namespec),
  STATE: (a, b) => RANKS[a.tone] - RANKS[b.tone] || compareNatural(a.state, b.state),
  READY: (a, b) => compareNatural(b.readiness, a.readiness),
  RESTARTS: descending(({ restarts }) => restarts),
  // The youngest first: it has just been restarted.
  UPTIME: (a, b) => (a.uptimeMs ?? Infinity) - (b.uptimeMs ?? Infinity) || 0,
  CPU: descending(({ cpuPercent }) => cpuPercent),
  MEM: descending(({ memory }) => memory),
  PID: descending(({ pid }) => pid),
  WHY: (a, b) => Number(b.why !== '') - Number(a.why !== '') || compareNatural(a.why, b.why),
};

/** The letter that sorts by a column, as it is marked in the title. `S` and `G` have other meanings. */
export const SORT_KEYS: Readonly<Record<string, ColumnName>> = {
  N: 'NAME',
  T: 'STATE',
  Y: 'READY',
  R: 'RESTARTS',
  U: 'UPTIME',
  C: 'CPU',
  M: 'MEM',
  P: 'PID',
  W: 'WHY',
};

function compareBy({ column, isReversed }: TopState['sort']): Compare {
  const order = ORDERS[column];
  // Equal processes keep the order of their names in both directions.
  return (a, b) => (isReversed ? -1 : 1) * order(a, b) || ORDERS.NAME(a, b);
}

/** True if a process has the text in its name, its state or its reason. */
function isWanted({ namespec, state, readiness, why }: ProcessFacts, filter: string): boolean {
  return [namespec, state, readiness, why].some((text) => text.toLowerCase().includes(filter));
}

/**
 * Returns the rows in their order. Groups with more than one process have a row of their own. A group stands where its
 * first process would.
 */
export function rowsOf({ processes, filter, sort, folded }: TopState): Row[] {
  const sizes = new Map<string, number>();
  for (const { group } of processes) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const wanted = filter === '' ? processes : processes.filter((facts) => isWanted(facts, filter.toLowerCase()));
  const groups = new Map<string, ProcessFacts[]>();
  for (const facts of wanted.toSorted(compareBy(sort))) {
    const members = groups.get(facts.group);
    if (members === undefined) groups.set(facts.group, [facts]);
    else members.push(facts);
  }
  return [...groups].flatMap(([group, members]): Row[] => {
    const isGroup = (sizes.get(group) ?? 0) > 1;
    const isFolded = isGroup && folded.has(group);
    const rows = members.map((facts): Row => ({ kind: 'process', key: `p ${facts.id}`, facts, isIndented: isGroup }));
    if (!isGroup) return rows;
    return [{ kind: 'group', key: `g ${group}`, group, isFolded, members }, ...(isFolded ? [] : rows)];
  });
}

/** Returns the index of the chosen row; -1 without rows. */
export function chosenIndexOf({ chosen, chosenIndex }: TopState, rows: readonly Row[]): number {
  const index = rows.findIndex(({ key }) => key === chosen);
  return index === -1 ? Math.min(chosenIndex, rows.length - 1) : index;
}

/** Returns the processes that a row is for. A group means all its processes, also those that the filter hides. */
export function targetOf(row: Row, processes: readonly ProcessFacts[]): Target {
  if (row.kind === 'process') return { name: row.facts.namespec, request: row.facts.id, ids: [row.facts.id] };
  const ids = processes.filter(({ group }) => group === row.group).map(({ id }) => id);
  return { name: `${row.group}:*`, request: `${row.group}:*`, ids };
}
