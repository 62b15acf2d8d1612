/**
 * Shares the values of options between the processes of a configuration. A process has over a hundred options, which
 * would take 1 kB for each of thousands of programs, and nearly all of them are the same. So the options of the first
 * process of each type are the prototype of the options of the others, which have only the values that differ as their
 * own. Pure.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GroupConfig, ProcessConfig, ProcessOptions } from './model.ts';

type Values = Record<string, unknown>;

/** Returns the groups with shared values of options. */
export function shareOptions(groups: readonly GroupConfig[]): GroupConfig[] {
  const firsts = new Map<ProcessConfig['type'], ProcessOptions>();
  const share = (proc: ProcessConfig): ProcessConfig => {
    const first = firsts.get(proc.type);
    if (first !== undefined) return { ...proc, options: differenceFrom(first, proc.options) };
    firsts.set(proc.type, proc.options);
    return proc;
  };
  return groups.map((group) => ({ ...group, processes: group.processes.map(share) }));
}

/** Compares the values of all options that count, also the shared ones: isDeepStrictEqual compares own values only. */
export function haveSameOptions(
  one: ProcessOptions,
  other: ProcessOptions,
  counts: (name: string) => boolean,
): boolean {
  for (const name in one) if (!isSameValue(valuesOf(one)[name], valuesOf(other)[name]) && counts(name)) return false;
  return true;
}

/** Most values are the same numbers, texts, or objects of the table. */
function isSameValue(one: unknown, other: unknown): boolean {
  return one === other || (typeof one === 'object' && isDeepStrictEqual(one, other));
}

/** The options of one type have the same names, so none is inherited by mistake. */
function differenceFrom(first: ProcessOptions, options: ProcessOptions): ProcessOptions {
  const shared = Object.create(first) as Values;
  for (const [name, value] of Object.entries(options))
    if (!isSameValue(value, valuesOf(first)[name])) shared[name] = value;
  return shared as unknown as ProcessOptions;
}

function valuesOf(options: ProcessOptions): Values {
  return options;
}
