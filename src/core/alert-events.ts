/**
 * The events that a `[notify:x]` can ask for: words of our own, and the event types of Supervisor that are about
 * processes, groups and the supervisor. Pure.
 */
import { eventTypes, type EventType, isSubscribed } from './event-types.ts';

/** Each word of our own, with a sentence for the manual. */
export const alertWords = {
  fatal: 'A process is FATAL: it failed again and again, and is not started any more.',
  'exited-unexpectedly':
    'A run ended by itself with an exit code that is not in `exitcodes`, by a signal, or because memory ran out.',
  flapping: 'A process has had `flapping_restarts` unexpected restarts within `flapping_window`.',
  unhealthy: 'A health check has failed `healthcheck_retries` times.',
  'healthy-again': 'A process that was unhealthy is healthy.',
  'memory-restart': 'A process is restarted because it uses more than `max_memory`.',
  'gave-up':
    'Nothing is tried any more: `startretries` or `max_restarts` is used up, or a dependency cannot be met any more.',
  shutdown: 'The supervisor begins to shut down.',
} as const satisfies Readonly<Record<string, string>>;

/** A word of our own. */
export type AlertWord = keyof typeof alertWords;

/** Types whose events are frequent, or carry output. Only an `[eventlistener:x]` gets them. */
const FOR_LISTENERS = /^(?:EVENT$|TICK|REMOTE_COMMUNICATION|PROCESS_LOG|PROCESS_COMMUNICATION)/;

/** Event types of Supervisor that a `[notify:x]` can ask for, in the order of Supervisor's documentation. */
export const alertTypes: readonly EventType[] = eventTypes.filter((type) => !FOR_LISTENERS.test(type));

/** All names for `events`. */
export const alertEventNames: readonly string[] = [...Object.keys(alertWords), ...alertTypes];

/** Name of something that has happened: a word of our own, or a type of Supervisor that has no types below it. */
export type AlertEvent = AlertWord | EventType;

/** Returns the name for `events` that was meant, in its right case; null if there is no such name. */
export function findAlertEvent(name: string): string | null {
  const isSame = (known: string): boolean => known.toLowerCase() === name.toLowerCase().replaceAll('_', '-');
  const type = name.toUpperCase();
  return Object.keys(alertWords).find(isSame) ?? alertTypes.find((known) => known === type) ?? null;
}

/** True for an event type of Supervisor that only listeners get. */
export function isForListeners(name: string): boolean {
  const type = name.toUpperCase();
  return eventTypes.some((known) => known === type) && FOR_LISTENERS.test(type);
}

/**
 * Chooses one of `events`, which are the names of one occurrence, for a receiver that wants these names: the one that
 * its first name means. Null if it wants none of them.
 */
export function chooseAlertEvent(wanted: readonly string[], events: readonly AlertEvent[]): AlertEvent | null {
  for (const name of wanted) {
    const names = new Set([name]);
    const found = events.find((event) => event === name || (isType(event) && isSubscribed(event, names)));
    if (found !== undefined) return found;
  }
  return null;
}

function isType(event: AlertEvent): event is EventType {
  return !Object.hasOwn(alertWords, event);
}
