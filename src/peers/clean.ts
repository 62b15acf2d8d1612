/**
 * Facts of a peer, made safe: only known members, of their types, and texts of bounded length. A peer is another
 * container, and may answer anything. Pure.
 */
import type { PeerCause, PeerEnd, PeerLine, PeerProcess } from '../api/peer-types.ts';

/** Longest text of a fact, and longest line of output. */
const TEXT_LENGTH = 300;
const LINE_LENGTH = 16 * 1024;

/** Most processes of one peer that are read. */
const MOST_PROCESSES = 5000;

/** The type of a member: a scalar, or an object with such members. */
type Kind = 'string' | 'number' | 'boolean' | { readonly [name: string]: Kind };

const CAUSE: { readonly [K in keyof Required<PeerCause>]: Kind } = { kind: 'string', text: 'string' };

const END: { readonly [K in keyof Required<PeerEnd>]: Kind } = {
  at: 'number',
  lasted_ms: 'number',
  outcome: 'string',
  exit_code: 'number',
  exit_signal: 'string',
  core: 'boolean',
  reason: 'string',
  planned: 'boolean',
  how: 'string',
  text: 'string',
  cause: CAUSE,
};

/** Members of a process besides its names. */
const MEMBERS: { readonly [K in Exclude<keyof PeerProcess, 'name' | 'group' | 'statename'>]-?: Kind } = {
  state: 'number',
  pid: 'number',
  start: 'number',
  stop: 'number',
  now: 'number',
  description: 'string',
  spawnerr: 'string',
  exitstatus: 'number',
  health: 'string',
  health_reason: 'string',
  ready: 'boolean',
  hold: 'string',
  start_waits_for: 'string',
  purpose: 'string',
  restarting: 'boolean',
  restarts: 'number',
  flapping: 'boolean',
  autostart: 'boolean',
  problem: 'string',
  failed_starts: 'number',
  unexpected_restarts: 'number',
  next_run: 'number',
  last_line: 'string',
  status_text: 'string',
  start_cause: CAUSE,
  stop_cause: CAUSE,
  last_end: END,
};

/** A JSON object, or a struct of XML-RPC. */
export type Members = Readonly<Record<string, unknown>>;

/** Returns the members of an object; null for another value. */
export function membersOf(value: unknown): Members | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Members) : null;
}

/** Returns a text of bounded length; null for another value. */
export function textOf(value: unknown, length = TEXT_LENGTH): string | null {
  return typeof value === 'string' ? value.slice(0, length).toWellFormed() : null;
}

/** Returns the processes of a list that have their names; null if it is no list. */
export function cleanProcesses(list: unknown): PeerProcess[] | null {
  if (!Array.isArray(list)) return null;
  return list.slice(0, MOST_PROCESSES).flatMap((value: unknown) => {
    const one = cleanProcess(membersOf(value) ?? {});
    return one === null ? [] : [one];
  });
}

function cleanProcess(given: Members): PeerProcess | null {
  const [name, group, statename] = [textOf(given['name']), textOf(given['group']), textOf(given['statename'])];
  if (name === null || group === null || statename === null) return null;
  return { name, group, statename, ...cleanMembers(given, MEMBERS) };
}

function cleanMembers(given: Members, kinds: Readonly<Record<string, Kind>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(kinds).flatMap(([name, kind]) => {
      const value = given[name];
      if (typeof kind === 'object') {
        const inner = membersOf(value);
        return inner === null ? [] : [[name, cleanMembers(inner, kind)] as const];
      }
      if (typeof value !== kind || (typeof value === 'number' && !Number.isFinite(value))) return [];
      return [[name, typeof value === 'string' ? textOf(value) : value] as const];
    }),
  );
}

/** Returns the lines of a list, without the events among them; null if it is no list. */
export function cleanLines(list: unknown): PeerLine[] | null {
  if (!Array.isArray(list)) return null;
  return list.flatMap((value: unknown) => {
    const given = membersOf(value) ?? {};
    const [name, text, stream] = [textOf(given['name']), textOf(given['text'], LINE_LENGTH), given['stream']];
    if (name === null || text === null) return [];
    if (stream !== 'stdout' && stream !== 'stderr' && stream !== 'supervisor') return [];
    const numbers = (['seq', 'at', 'pid'] as const).flatMap((key) => {
      const number = given[key];
      return typeof number === 'number' && Number.isFinite(number) ? [[key, number] as const] : [];
    });
    return [{ name, stream, text, ...Object.fromEntries(numbers) }];
  });
}
