/**
 * Types of the options that name other programs to wait for: `depends_on` and `dependent_startup_wait_for`. Names are
 * checked when all programs are known (dependencies.ts). Pure.
 */
import type { Condition } from '../core/process-record.ts';
import { dataType } from './datatype.ts';
import { wordList } from './datatypes.ts';

/** A dependency as it is written. */
export interface DependencySpec {
  readonly name: string;
  /** Any condition of these is enough; empty if none is given. */
  readonly conditions: readonly Condition[];
  /** True with `:restart` at the end. */
  readonly isFollowed: boolean;
}

/** Conditions of `depends_on`, by the words for them in lower case. */
export const CONDITIONS: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ['started', 'started'],
  ['running', 'started'],
  ['ready', 'ready'],
  ['healthy', 'healthy'],
  ['completed', 'completed'],
  ['exited', 'exited'],
  ['completed_successfully', 'completed'],
]);

/** Conditions of supervisord-dependent-startup: states of Supervisor. Those of `depends_on` are accepted as well. */
export const STATE_CONDITIONS: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ...CONDITIONS,
  ['fatal', 'fatal'],
  ['backoff', 'backoff'],
  ['stopped', 'stopped'],
]);

/** End of a word of `depends_on`: the program is restarted after the other. */
const FOLLOW = ':restart';

/** Reads `name` or `name:condition`. Another word after the colon belongs to the name: `group:process`. */
function readSpec(word: string, known: ReadonlyMap<string, Condition>): DependencySpec {
  const colon = word.lastIndexOf(':');
  const condition = known.get(word.slice(colon + 1).toLowerCase());
  const isFollowed = false;
  if (colon > 0 && condition !== undefined) return { name: word.slice(0, colon), conditions: [condition], isFollowed };
  return { name: word, conditions: [], isFollowed };
}

/** Reads a word of `depends_on`, which may end with `:restart`. */
function readFollowed(word: string): DependencySpec {
  const isFollowed = word.length > FOLLOW.length && word.toLowerCase().endsWith(FOLLOW);
  return { ...readSpec(isFollowed ? word.slice(0, -FOLLOW.length) : word, CONDITIONS), isFollowed };
}

function formatSpec({ name, conditions, isFollowed }: DependencySpec): string {
  return `${name}${conditions.length === 0 ? '' : `:${conditions.join(',')}`}${isFollowed ? FOLLOW : ''}`;
}

/** `db:healthy:restart, migrate:completed, cache`. */
export const dependencyList = dataType<readonly DependencySpec[]>(
  'name[:condition][:restart], …',
  (value, context) => wordList.parse(value, context).map(readFollowed),
  (specs) => specs.map(formatSpec).join(', '),
);

/** Reads `migrate:exited,fatal,cache`: a state after a comma is another condition of the name before it. */
function readStartupWord(word: string): DependencySpec[] {
  const specs: DependencySpec[] = [];
  for (const part of word.split(',').filter((piece) => piece !== '')) {
    const last = specs.at(-1);
    const state = part.includes(':') ? undefined : STATE_CONDITIONS.get(part.toLowerCase());
    if (state !== undefined && last !== undefined && last.conditions.length > 0)
      specs[specs.length - 1] = { ...last, conditions: [...last.conditions, state] };
    else specs.push(readSpec(part, STATE_CONDITIONS));
  }
  return specs;
}

/** `db:running migrate:exited,fatal`, as supervisord-dependent-startup reads it. */
export const startupList = dataType<readonly DependencySpec[]>(
  'name:state[,state] …',
  (value) => value.split(/\s+/).flatMap(readStartupWord),
  (specs) => specs.map(formatSpec).join(' '),
);
