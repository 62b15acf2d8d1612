/**
 * Shared parts of the findings of `check --strict`. Each finding judges a configuration that is valid: it names the
 * place of an option, the reason, and a way out. The table of all findings is in programs/strict.ts. Pure.
 */
import type { Config, Problem, ProcessConfig } from './model.ts';
import { sortByPlace } from './problems.ts';
import type { FindOption } from './read.ts';
import { sectionNameOf } from './section-names.ts';

/** A valid configuration, and its options as they are written. */
export interface Judged {
  readonly config: Config;
  readonly findOption: FindOption;
}

/** Returns all processes that can run, in the order of the file: of two that conflict, the later one is reported. */
export function processesOf({ groups }: Config): ProcessConfig[] {
  const placed = groups.flatMap(({ processes }) => processes.map((proc) => ({ ...proc.place, proc })));
  sortByPlace(placed);
  return placed.map(({ proc }) => proc);
}

/** Returns a problem of an option of a process. An option that is not set has the place of the command. */
export function problemOf(
  { findOption }: Pick<Judged, 'findOption'>,
  proc: ProcessConfig,
  option: string,
  reason: string,
): Problem {
  const section = sectionNameOf(proc);
  const { file, line } = findOption(section, option)?.place ?? proc.place;
  return { file, line, section, option, reason };
}

/** Names the section of another process, with the place of an option of it. */
export function nameSection({ findOption }: Pick<Judged, 'findOption'>, proc: ProcessConfig, option: string): string {
  const section = sectionNameOf(proc);
  const { file, line } = findOption(section, option)?.place ?? proc.place;
  return `[${section}] (${line > 0 ? `${file}:${line}` : file})`;
}
