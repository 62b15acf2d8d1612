/** `programs` of a `[notify:x]`: names and patterns of processes, programs and groups. Pure. */
import { createNameFilter, type Named } from './name-pattern.ts';
import { createNameMatcher } from './wildcard.ts';

/** The names of a process, with the program that it belongs to. */
export interface NamedOfProgram extends Named {
  readonly program: string;
}

/** Tests of one list of names. */
export interface ProgramFilter {
  readonly hasProcess: (proc: NamedOfProgram) => boolean;
  readonly hasGroup: (group: string) => boolean;
}

/**
 * Makes the tests. A word without a colon means a process, a program or a group. A word with a colon means a process as
 * `status` shows it, or `group:*`.
 */
export function createProgramFilter(words: readonly string[]): ProgramFilter {
  const isNamed = createNameFilter(words);
  const isPlain = createNameMatcher(words.filter((word) => !word.includes(':')));
  const isWhole = createNameMatcher(words.filter((word) => word.endsWith(':*')).map((word) => word.slice(0, -2)));
  return {
    hasProcess: (proc) => isPlain(proc.name) || isPlain(proc.program) || isPlain(proc.group) || isNamed(proc),
    hasGroup: (group) => isPlain(group) || isWhole(group),
  };
}
