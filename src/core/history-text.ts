/** Events of the history as text for people: one line each, to stand next to the name of a process. Pure. */
import { formatCauseOf, formatClient } from './cause.ts';
import { formatCause } from './exit-policy.ts';
import type { HistoryEvent } from './history.ts';
import { formatReload } from './program-reload.ts';
import { formatEnd } from './run-end.ts';
import { formatHold } from './start-hold.ts';

type StateEvent = Extract<HistoryEvent, { kind: 'state' }>;

/** Describes an event: `starting: autostart`, `running: pid 5`, `ended: exit status 3`. */
export function describeEvent(event: HistoryEvent): string {
  switch (event.kind) {
    case 'supervisor':
      return event.cause === null
        ? `the supervisor has ${event.change}`
        : `the supervisor is ${event.change}: ${formatCause(event.cause)}`;
    case 'request':
      return `${event.request.method}: requested by ${formatClient(event.request.client)}`;
    case 'group':
      return `group ${event.group} was ${event.change}`;
    case 'state':
      return describeState(event);
    case 'ready':
      return 'ready';
    case 'health':
      return `${event.health ?? 'health is not known'}${event.reason === null ? '' : `: ${event.reason}`}`;
    case 'held':
      return event.hold === null ? 'no longer waits' : formatHold(event.hold);
    case 'reload':
      return `${formatReload(event.result)}: ${formatCauseOf(event.cause)}`;
  }
}

function describeState({ from, to, pid, cause, end }: StateEvent): string {
  const because = cause === null ? '' : `: ${formatCauseOf(cause)}`;
  if (end !== null) {
    const how = end.outcome.kind === 'notExecuted' ? formatEnd(end) : `ended: ${formatEnd(end)}`;
    return to === 'FATAL' || to === 'BACKOFF' ? `${how} (${to})` : how;
  }
  switch (to) {
    case 'STARTING':
      return `starting${because}`;
    case 'RUNNING':
      return pid === null ? 'running' : `running: pid ${pid}`;
    case 'STOPPING':
      return `stopping${because}`;
    case 'FATAL':
      return from === 'BACKOFF' ? 'is FATAL: all tries have failed' : 'is FATAL';
    case 'BACKOFF':
    case 'EXITED':
    case 'STOPPED':
    case 'UNKNOWN':
      return `is ${to}`;
  }
}
