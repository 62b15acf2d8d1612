/** The text of an event of the live stream, as it stands among lines: the words of core/history-text.ts. Pure. */
import type { EventAnswer } from '../../api/types.ts';

/** Describes an event: `starting: autostart`, `running: pid 5`, `ended: exit status 3`. */
export function eventWords(event: EventAnswer): string {
  if (event.text !== undefined && event.kind !== 'request') return event.text;
  switch (event.kind) {
    case 'supervisor':
      return typeof event.cause === 'string'
        ? `the supervisor is ${event.change}: ${event.cause}`
        : `the supervisor has ${event.change}`;
    case 'group':
      return `group ${event.group} was ${event.change}`;
    case 'request':
      return event.text ?? event.method ?? event.kind;
    case 'state':
      return stateWords(event);
    case 'ready':
      return 'ready';
    case 'health':
      return `${event.health ?? 'health is not known'}${event.reason === undefined ? '' : `: ${event.reason}`}`;
    case 'held':
      return 'no longer waits';
    case 'reload':
      return `reloaded${causeText(event)}`;
  }
}

function stateWords(event: EventAnswer): string {
  const { from, to, pid, end } = event;
  if (end !== undefined) {
    const how = end.outcome === 'not_executed' ? end.text : `ended: ${end.text}`;
    return to === 'FATAL' || to === 'BACKOFF' ? `${how} (${to})` : how;
  }
  switch (to) {
    case 'STARTING':
      return `starting${causeText(event)}`;
    case 'RUNNING':
      return pid === undefined ? 'running' : `running: pid ${pid}`;
    case 'STOPPING':
      return `stopping${causeText(event)}`;
    case 'FATAL':
      return from === 'BACKOFF' ? 'is FATAL: all tries have failed' : 'is FATAL';
    default:
      return `is ${to ?? '?'}`;
  }
}

function causeText({ cause }: EventAnswer): string {
  return typeof cause === 'object' ? `: ${cause.text}` : '';
}
