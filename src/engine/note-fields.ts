/** The fields of the log line of a note of the process machine (core/log-fields.ts). Pure. */
import { causeFields, exitFields, type LogFields, type NamedProcess, processFields } from '../core/log-fields.ts';
import type { ProcessEffect, ProcessNote, ProcessRecord } from '../core/process-record.ts';
import { endOf } from '../core/run-end.ts';
import { formatSignal, signalNumbers } from '../core/signals.ts';

/**
 * Returns the record that a note describes: that of the change of state which the note announces, and otherwise that of
 * the last change before it. One step may have several changes, as an exit and the next start.
 */
export function recordAt(effects: readonly ProcessEffect[], index: number, before: ProcessRecord): ProcessRecord {
  const next = effects[index + 1];
  if (next?.type === 'stateChanged') return next.record;
  for (let at = index - 1; at >= 0; at--) {
    const effect = effects[at];
    if (effect?.type === 'stateChanged' || effect?.type === 'factChanged') return effect.record;
  }
  return before;
}

/** A process at the time of a note. */
export interface NotedProcess extends NamedProcess {
  readonly record: ProcessRecord;
  /** Pid before the step; null without a process. The record of an ended run no longer has the pid. */
  readonly pidBefore: number | null;
}

/** Returns the fields of the line for a note. */
export function fieldsOfNote(note: ProcessNote, proc: NotedProcess): LogFields {
  const { record, pidBefore } = proc;
  const pid = 'pid' in note ? note.pid : (record.pid ?? pidBefore);
  const { event, ...facts } = factsOf(note, record);
  return { event, ...processFields(proc), ...(pid === null ? {} : { pid }), state: record.state, ...facts };
}

/** Returns the event of a note, and the fields that not every note has. */
function factsOf(note: ProcessNote, record: ProcessRecord): LogFields {
  switch (note.note) {
    case 'spawned':
      return { event: 'spawned', ...causeFields(record.startCause) };
    case 'spawnError':
      return { event: 'spawn_failed', ...causeFields(record.startCause) };
    case 'success':
      return { event: 'running' };
    case 'exited':
      return { event: 'exited', ...exitFields(note.status), expected: note.expected, ...endCause(record) };
    case 'stopped':
      return { event: 'stopped', ...exitFields(note.status), ...endCause(record) };
    case 'gaveUp':
    case 'restartedTooOften':
      return { event: 'gave_up' };
    case 'held':
      return { event: 'held', ...causeFields(record.heldCause) };
    case 'following':
      return { event: 'restarting', ...causeFields(note.cause) };
    case 'notReady':
      return { event: 'not_ready' };
    case 'ready':
      return { event: 'ready' };
    case 'signalling':
      return { event: 'signalling', signal: formatSignal(note.signal), ...causeFields(record.stopCause) };
    case 'killing':
      return { event: 'killing', signal: formatSignal(signalNumbers.SIGKILL), ...causeFields(record.stopCause) };
    case 'unsignallable':
      return { event: 'signal_failed' };
  }
}

/** Returns the cause of an end: of the stop, or of a signal that explains the end. */
function endCause(record: ProcessRecord): Pick<LogFields, 'cause'> {
  const { cause, sentSignal } = endOf(record, [], false);
  return causeFields(cause ?? sentSignal?.cause ?? null);
}
