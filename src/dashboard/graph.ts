/** The graph of dependencies: programs in columns, each to the right of what it waits for. Pure. */
import type { DependencyAnswer } from '../api/types.ts';
import type { ProcessStatus } from '../ctl/process-status.ts';

/** A program that waits for another one, or that others wait for. */
export interface GraphNode {
  readonly name: string;
  readonly x: number;
  readonly y: number;
}

/** A program waits for another one. */
export interface GraphEdge {
  /** The program that waits. */
  readonly from: string;
  /** The program that it waits for. */
  readonly to: string;
  readonly conditions: readonly string[];
  /** True if a start waits for it now. */
  readonly isUnmet: boolean;
}

/** A graph with the places of its nodes. */
export interface Graph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly width: number;
  readonly height: number;
}

/** Size of a node, and the steps from one to the next. */
export const NODE = { width: 168, height: 34, stepX: 288, stepY: 50 } as const;

/** Reads who waits for whom. */
export function edgesOf(statuses: readonly ProcessStatus[]): GraphEdge[] {
  return statuses.flatMap(({ name, info: { struct } }) => {
    const needed = (struct['depends_on'] ?? []) as unknown as readonly DependencyAnswer[];
    const waiting = (struct['waits_for'] ?? []) as unknown as ReadonlyArray<{ readonly name: string }>;
    const blocked = (struct['blocked_by'] ?? []) as unknown as ReadonlyArray<{ readonly blocks: readonly string[] }>;
    const unmet = new Set([...waiting.map((one) => one.name), ...blocked.flatMap(({ blocks }) => blocks)]);
    return needed.map(({ name: to, conditions }) => ({ from: name, to, conditions, isUnmet: unmet.has(to) }));
  });
}

/** Returns the edges that lead to or from a program, also over others. */
export function edgesAround(name: string, edges: readonly GraphEdge[]): GraphEdge[] {
  const reach = (next: (edge: GraphEdge) => readonly [from: string, to: string]): Set<string> => {
    const found = new Set([name]);
    // The loop also visits what it adds to the set.
    for (const one of found)
      for (const edge of edges) {
        const [from, to] = next(edge);
        if (from === one) found.add(to);
      }
    return found;
  };
  const needed = reach(({ from, to }) => [from, to]);
  const dependents = reach(({ from, to }) => [to, from]);
  return edges.filter(
    ({ from, to }) => (needed.has(from) && needed.has(to)) || (dependents.has(from) && dependents.has(to)),
  );
}

/** Places the programs: the column is the longest way from a program that waits for nothing. */
export function layOut(edges: readonly GraphEdge[]): Graph {
  const names = [...new Set(edges.flatMap(({ from, to }) => [to, from]))];
  const column = new Map(names.map((name) => [name, 0]));
  // A cycle is an error of the configuration. The number of rounds is bounded all the same.
  for (let round = 0, isChanged = true; isChanged && round < names.length; round += 1) {
    isChanged = false;
    for (const { from, to } of edges) {
      const least = (column.get(to) ?? 0) + 1;
      if ((column.get(from) ?? 0) >= least) continue;
      column.set(from, least);
      isChanged = true;
    }
  }
  // In a cycle, some columns are empty.
  const columns = Array.from({ length: Math.max(0, ...column.values()) + 1 }, (): string[] => []);
  for (const name of names) columns[column.get(name) ?? 0]?.push(name);
  const row = new Map<string, number>();
  for (const members of columns) {
    const rankOf = (name: string): number => {
      const rows = edges.filter(({ from }) => from === name).map(({ to }) => row.get(to) ?? 0);
      return rows.length === 0 ? 0 : rows.reduce((sum, one) => sum + one, 0) / rows.length;
    };
    const ranked = members.map((name) => ({ name, rank: rankOf(name) })).sort((a, b) => a.rank - b.rank);
    for (const [index, { name }] of ranked.entries()) row.set(name, index);
  }
  const nodes = names.map((name) => ({
    name,
    x: (column.get(name) ?? 0) * NODE.stepX,
    y: (row.get(name) ?? 0) * NODE.stepY,
  }));
  const tallest = columns.reduce((most, members) => Math.max(most, members.length), 0);
  return {
    nodes,
    edges,
    width: Math.max(0, columns.length - 1) * NODE.stepX + NODE.width,
    height: Math.max(0, tallest - 1) * NODE.stepY + NODE.height,
  };
}
