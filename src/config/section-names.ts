/**
 * Names of sections: the prefixes of those that have a name, and the rules for the name after the colon. Pure.
 */
import type { RawSection } from './dialect.ts';
import type { ProcessConfig } from './model.ts';
import type { Problems } from './problems.ts';

/** Kind of section that a process comes from. */
export type ProcessType = ProcessConfig['type'];

/** Beginning of the section names of each type. */
export const prefixes: Readonly<Record<ProcessType, string>> = {
  program: 'program:',
  eventlistener: 'eventlistener:',
  'fcgi-program': 'fcgi-program:',
};

/** Beginning of the names of the sections that tell people about events. */
export const NOTIFY_PREFIX = 'notify:';

/** Beginning of the names of the sections of users of the HTTP servers. */
export const API_USER_PREFIX = 'api_user:';

/** Returns the name of the section that a process comes from, as `program:web`. No other group has a colon. */
export function sectionNameOf({ type, program, group }: Pick<ProcessConfig, 'type' | 'program' | 'group'>): string {
  return group.startsWith(NOTIFY_PREFIX) ? group : prefixes[type] + program;
}

/** Returns the first character that would break namespecs and URLs (Supervisor's rule for names); null if none does. */
export function findBadCharacter(name: string): string | null {
  return /[ :/]/.exec(name)?.[0] ?? null;
}

/** Returns the x of `[program:x]`. A name that is missing or not allowed becomes a problem. */
export function readProgramName(section: RawSection, problems: Problems): string {
  const name = section.name.slice(section.name.indexOf(':') + 1).trim();
  const bad = findBadCharacter(name);
  if (bad !== null) problems.error(section.place, section.name, null, `the name must not contain "${bad}"`);
  if (name === '') problems.error(section.place, section.name, null, 'the name is missing after the colon');
  return name;
}
