/** The features of a configuration that decide which metrics there are. Pure. */
import type { Config, ProcessConfig } from '../config/model.ts';
import { purposeOf, tellsReadiness } from '../engine/policy.ts';
import { memoryLimitOf } from '../http/metrics.ts';

/** Features of a configuration. */
export interface MetricsFeatures {
  readonly hasReadiness: boolean;
  readonly hasHealth: boolean;
  readonly hasMemoryLimit: boolean;
  /** Names of processes that run once or by a schedule. */
  readonly jobs: readonly string[];
}

/** Finds the features. */
export function featuresOf(config: Config): MetricsFeatures {
  const processes = config.groups.flatMap((group) => group.processes);
  const has = (test: (options: ProcessConfig['options']) => boolean): boolean =>
    processes.some(({ options }) => test(options));
  const jobs = processes.filter(({ options }) => purposeOf(options) !== 'service').map(({ name }) => name);
  return {
    hasReadiness: has(tellsReadiness),
    hasHealth: has(({ healthcheck }) => healthcheck !== null),
    hasMemoryLimit: has((options) => memoryLimitOf(options) !== null),
    jobs: [...new Set(jobs)].toSorted(),
  };
}

/** Makes a matcher of PromQL for all names but these; an empty text for no names. */
export function excluding(names: readonly string[]): string {
  if (names.length === 0) return '';
  const pattern = names.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('|');
  return `name!~${JSON.stringify(pattern)}`;
}
