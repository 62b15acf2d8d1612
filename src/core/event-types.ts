/**
 * The tree of event types (Supervisor, "Event Types"): each type with its parent. Pure data. The content of the events
 * is in event-payload.ts.
 */

/** All types that an `[eventlistener:x]` can subscribe to, including the abstract ones, with their parents. */
const parents = {
  EVENT: null,
  PROCESS_STATE: 'EVENT',
  PROCESS_STATE_STOPPED: 'PROCESS_STATE',
  PROCESS_STATE_EXITED: 'PROCESS_STATE',
  PROCESS_STATE_STARTING: 'PROCESS_STATE',
  PROCESS_STATE_STOPPING: 'PROCESS_STATE',
  PROCESS_STATE_BACKOFF: 'PROCESS_STATE',
  PROCESS_STATE_FATAL: 'PROCESS_STATE',
  PROCESS_STATE_RUNNING: 'PROCESS_STATE',
  PROCESS_STATE_UNKNOWN: 'PROCESS_STATE',
  PROCESS_COMMUNICATION: 'EVENT',
  PROCESS_COMMUNICATION_STDOUT: 'PROCESS_COMMUNICATION',
  PROCESS_COMMUNICATION_STDERR: 'PROCESS_COMMUNICATION',
  PROCESS_LOG: 'EVENT',
  PROCESS_LOG_STDOUT: 'PROCESS_LOG',
  PROCESS_LOG_STDERR: 'PROCESS_LOG',
  REMOTE_COMMUNICATION: 'EVENT',
  SUPERVISOR_STATE_CHANGE: 'EVENT',
  SUPERVISOR_STATE_CHANGE_RUNNING: 'SUPERVISOR_STATE_CHANGE',
  SUPERVISOR_STATE_CHANGE_STOPPING: 'SUPERVISOR_STATE_CHANGE',
  TICK: 'EVENT',
  TICK_5: 'TICK',
  TICK_60: 'TICK',
  TICK_3600: 'TICK',
  PROCESS_GROUP: 'EVENT',
  PROCESS_GROUP_ADDED: 'PROCESS_GROUP',
  PROCESS_GROUP_REMOVED: 'PROCESS_GROUP',
} as const;

/** Name of an event type. */
export type EventType = keyof typeof parents;

/** All types, in the order of Supervisor's documentation. */
export const eventTypes = Object.keys(parents) as EventType[];

/** Periods of the ticks, in seconds. */
export const tickPeriods = [5, 60, 3600] as const;
export type TickPeriod = (typeof tickPeriods)[number];

/**
 * True if a subscription to `wanted` includes events of `type`: the type itself or one of its ancestors is wanted.
 * Unknown names in `wanted` match nothing.
 */
export function isSubscribed(type: EventType, wanted: ReadonlySet<string>): boolean {
  for (let kind: EventType | null = type; kind !== null; kind = parents[kind]) if (wanted.has(kind)) return true;
  return false;
}
