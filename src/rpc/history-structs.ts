/** Causes, runs and events as members of answers. Pure. Times are milliseconds since 1970. */
import { type Cause, formatCauseOf } from '../core/cause.ts';
import { formatCause } from '../core/exit-policy.ts';
import type { HistoryEvent, RunSummary } from '../core/history.ts';
import { describeEvent } from '../core/history-text.ts';
import { formatEnd, formatOutcome, isPlannedEnd, reasonOfEnd, type RunEnd, type RunOutcome } from '../core/run-end.ts';
import { formatSignal } from '../core/signals.ts';
import { formatHold } from '../core/start-hold.ts';
import type { XmlRpcStruct } from './xmlrpc.ts';

/** Makes the struct of a cause: its kind, its text for people, and its details. */
export function causeStruct(cause: Cause): XmlRpcStruct {
  return { kind: KINDS[cause.kind] ?? cause.kind, text: formatCauseOf(cause), ...causeDetails(cause) };
}

/** Kinds whose name on the wire is another one. */
const KINDS: { readonly [K in Cause['kind']]?: string } = { notReady: 'not_ready' };

function causeDetails(cause: Cause): XmlRpcStruct {
  switch (cause.kind) {
    case 'request': {
      const { door, user, peer } = cause.client;
      return { method: cause.method, door, peer, ...(user === null ? {} : { user }) };
    }
    case 'signal':
      return {
        signal: formatSignal(cause.signal),
        ...(cause.sender > 0 ? { sender: cause.sender } : {}),
        ...(cause.sentAs === undefined ? {} : { sent_as: formatSignal(cause.sentAs) }),
      };
    case 'dependency':
      return { names: cause.names, ...(cause.request === null ? {} : { request: causeStruct(cause.request) }) };
    case 'health':
      return { reason: cause.reason };
    case 'memory':
      return { bytes: cause.bytes, limit: cause.limitBytes };
    case 'watchdog':
      return cause.limitMs === null ? {} : { limit_ms: cause.limitMs };
    case 'file':
      return { path: cause.path, others: cause.others };
    case 'notReady':
      return { limit_ms: cause.limitMs };
    case 'policy':
      return { rule: cause.rule };
    case 'shutdown':
      return { goal: cause.goal };
    case 'connection':
      return { address: cause.address };
    case 'boot':
    case 'schedule':
    case 'protocol':
      return {};
  }
}

function outcomeMembers(outcome: RunOutcome): XmlRpcStruct {
  switch (outcome.kind) {
    case 'exited':
      return { outcome: outcome.kind, exit_code: outcome.code, expected: outcome.isExpected };
    case 'signaled':
      return { outcome: outcome.kind, exit_signal: formatSignal(outcome.signal), core: outcome.core };
    case 'outOfMemory':
      return { outcome: 'out_of_memory' };
    case 'notExecuted':
      return { outcome: 'not_executed', reason: outcome.reason };
  }
}

/** Makes the struct of an end: reason and texts for people, outcome, and the cause if there is one. */
export function endStruct(end: RunEnd): XmlRpcStruct {
  const { cause, outcome, sentSignal } = end;
  return {
    ...outcomeMembers(outcome),
    why: reasonOfEnd(end),
    planned: isPlannedEnd(end),
    how: formatOutcome(outcome),
    text: formatEnd(end),
    ...(cause === null ? {} : { cause: causeStruct(cause) }),
    ...(sentSignal === null
      ? {}
      : {
          sent_signal: {
            signal: formatSignal(sentSignal.signal),
            before_ms: Math.round(sentSignal.beforeMs),
            cause: causeStruct(sentSignal.cause),
          },
        }),
  };
}

/** Makes the struct of a run. A run that goes on has no `end`. */
export function runStruct({ run, pid, startSeq, startedMs, startCause, ended }: RunSummary): XmlRpcStruct {
  return {
    run,
    ...(pid === null ? {} : { pid }),
    start_seq: startSeq,
    started: Math.round(startedMs),
    start_cause: causeStruct(startCause),
    ...(ended === null
      ? {}
      : {
          end: {
            seq: ended.seq,
            at: Math.round(ended.atMs),
            lasted_ms: Math.round(ended.lastedMs),
            ...endStruct(ended.end),
          },
        }),
  };
}

/** Makes the struct of an event. `text` is for people. */
export function eventStruct(event: HistoryEvent): XmlRpcStruct {
  const { seq, atMs, kind } = event;
  return { seq, at: Math.round(atMs), kind, text: describeEvent(event), ...eventMembers(event) };
}

/** Makes the object of an event that stands among lines: `event` is its kind, and `text` is for people. */
export function eventAmongLines(event: HistoryEvent): XmlRpcStruct {
  const members = eventMembers(event);
  const name = event.kind === 'supervisor' || event.kind === 'group' ? 'supervisor' : members['name'];
  return {
    seq: event.seq,
    at: Math.round(event.atMs),
    ...(name === undefined ? {} : { name }),
    event: event.kind,
    ...members,
    text: describeEvent(event),
  };
}

function eventMembers(event: HistoryEvent): XmlRpcStruct {
  switch (event.kind) {
    case 'supervisor':
      return { change: event.change, ...(event.cause === null ? {} : { cause: formatCause(event.cause) }) };
    case 'request':
      return {
        ...causeStruct(event.request),
        kind: event.kind,
        ...(event.target === null ? {} : { target: event.target }),
      };
    case 'group':
      return { group: event.group, change: event.change };
    case 'state': {
      const { id, from, to, run, pid, cause, end } = event;
      return {
        name: id,
        from,
        to,
        run,
        ...(pid === null ? {} : { pid }),
        ...(cause === null ? {} : { cause: causeStruct(cause) }),
        ...(end === null ? {} : { end: endStruct(end) }),
      };
    }
    case 'ready':
      return { name: event.id };
    case 'health':
      return {
        name: event.id,
        ...(event.health === null ? {} : { health: event.health }),
        ...(event.reason === null ? {} : { reason: event.reason }),
      };
    case 'held':
      return {
        name: event.id,
        ...(event.hold === null ? {} : { hold: event.hold.kind, text: formatHold(event.hold) }),
      };
    case 'reload': {
      const { way, failure } = event.result;
      return {
        name: event.id,
        way: way.kind,
        ...(way.kind === 'signal' ? { signal: formatSignal(way.signal) } : {}),
        ...(failure === null ? {} : { failure }),
        cause: causeStruct(event.cause),
      };
    }
  }
}
