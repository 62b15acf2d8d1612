/**
 * Events as data, and as the text that listeners read: a header line and a payload for each type. Pure. events/ decides
 * which listener gets an event, and when.
 */
import { countBytes, countCharacters, decodeOutput } from './event-text.ts';
import type { EventType, TickPeriod } from './event-types.ts';
import type { ProcessStateName } from './states.ts';
import type { StreamName } from './stream-name.ts';

/** The process that an event is about. */
export interface EventSource {
  readonly process: string;
  readonly group: string;
}

/** Output of a program. The bytes belong to the event. */
interface Output extends EventSource {
  readonly pid: number;
  readonly stream: StreamName;
  readonly bytes: Uint8Array;
}

/** Change of the state of a process. `pid`: of the run that the event is about, 0 if there is none. */
export interface StateEvent extends EventSource {
  readonly kind: 'state';
  readonly from: ProcessStateName;
  readonly to: ProcessStateName;
  readonly pid: number;
  /** Failed starts in a row. */
  readonly tries: number;
  /** True if the exit was expected (`exitcodes`). */
  readonly expected: boolean;
}

/** Any event that listeners can subscribe to. */
export type SupervisorEvent =
  | StateEvent
  | ({ readonly kind: 'log' } & Output)
  | ({ readonly kind: 'communication' } & Output)
  | { readonly kind: 'remote'; readonly type: string; readonly data: string }
  | { readonly kind: 'group'; readonly group: string; readonly change: 'added' | 'removed' }
  | { readonly kind: 'supervisor'; readonly change: 'running' | 'stopping' }
  /** `whenS`: the time of the tick, a multiple of the period, in seconds since 1970. */
  | { readonly kind: 'tick'; readonly period: TickPeriod; readonly whenS: number };

const streamNames = { stdout: 'STDOUT', stderr: 'STDERR' } as const;

/** Returns the type of an event. */
export function typeOf(event: SupervisorEvent): EventType {
  switch (event.kind) {
    case 'state':
      return `PROCESS_STATE_${event.to}`;
    case 'log':
      return `PROCESS_LOG_${streamNames[event.stream]}`;
    case 'communication':
      return `PROCESS_COMMUNICATION_${streamNames[event.stream]}`;
    case 'remote':
      return 'REMOTE_COMMUNICATION';
    case 'group':
      return event.change === 'added' ? 'PROCESS_GROUP_ADDED' : 'PROCESS_GROUP_REMOVED';
    case 'supervisor':
      return event.change === 'running' ? 'SUPERVISOR_STATE_CHANGE_RUNNING' : 'SUPERVISOR_STATE_CHANGE_STOPPING';
    case 'tick':
      return `TICK_${event.period}`;
  }
}

/** Formats the payload of an event. The fields are in Supervisor's order. */
export function formatPayload(event: SupervisorEvent): string {
  switch (event.kind) {
    case 'state':
      return `${formatSource(event)} from_state:${event.from}${formatStateDetails(event)}`;
    case 'log':
      return `${formatSource(event)} pid:${event.pid} channel:${event.stream}\n${decodeOutput(event.bytes)}`;
    case 'communication':
      return `${formatSource(event)} pid:${event.pid}\n${decodeOutput(event.bytes)}`;
    case 'remote':
      return `type:${event.type}\n${event.data}`;
    case 'group':
      return `groupname:${event.group}\n`;
    case 'supervisor':
      return '';
    case 'tick':
      return `when:${event.whenS}`;
  }
}

function formatSource({ process: proc, group }: EventSource): string {
  return `processname:${proc} groupname:${group}`;
}

/** Formats the fields that depend on the new state. */
function formatStateDetails({ to, pid, tries, expected }: StateEvent): string {
  switch (to) {
    case 'STARTING':
    case 'BACKOFF':
      return ` tries:${tries}`;
    case 'RUNNING':
    case 'STOPPING':
    case 'STOPPED':
      return ` pid:${pid}`;
    case 'EXITED':
      return ` expected:${expected ? 1 : 0} pid:${pid}`;
    case 'FATAL':
    case 'UNKNOWN':
      return '';
  }
}

/** Fields of the header line that do not come from the event. */
export interface Delivery {
  /** `identifier` of [supervisord]. */
  readonly server: string;
  readonly serial: number;
  readonly pool: string;
  readonly poolSerial: number;
}

/**
 * Formats the text that a listener gets for an event: the header line and the payload. compat: `len` counts characters,
 * although Supervisor documents bytes. `supervisor.childutils` reads that number of characters, and with a larger
 * number would wait for data that never comes. `bytes` is an addition for listeners that read bytes. It comes before
 * `len`, because shell listeners take everything after `len:` as the number.
 */
export function formatDelivery(event: SupervisorEvent, { server, serial, pool, poolSerial }: Delivery): string {
  const payload = formatPayload(event);
  const lengths = `bytes:${countBytes(payload)} len:${countCharacters(payload)}`;
  const subscription = `pool:${pool} poolserial:${poolSerial} eventname:${typeOf(event)}`;
  return `ver:3.0 server:${server} serial:${serial} ${subscription} ${lengths}\n${payload}`;
}

/** Estimates the memory that a queued event holds, in bytes. */
export function weightOf(event: SupervisorEvent): number {
  const overhead = 200;
  if (event.kind === 'log' || event.kind === 'communication') return overhead + event.bytes.length;
  return event.kind === 'remote' ? overhead + 2 * (event.type.length + event.data.length) : overhead;
}
