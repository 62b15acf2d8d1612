/**
 * The words and levels of the supervisor's log. Pure. Supervisor's texts are a contract: other tools grep them, and
 * each has a test.
 */
import { formatCauseOf } from '../core/cause.ts';
import { type ExitStatus, formatExit } from '../core/exit-status.ts';
import { exitFields, type LogFields, type NamedProcess, processFields } from '../core/log-fields.ts';
import type { Level } from '../core/log-level.ts';
import type { ProcessNote, RunFailure } from '../core/process-record.ts';
import { formatFailure } from '../core/run-failure.ts';
import type { SignalMeaning } from '../core/signal-meaning.ts';
import { formatHold } from '../core/start-hold.ts';
import { formatSignal } from '../core/signals.ts';

/** A line, its level, and its fields in the formats json and logfmt. */
export type Message = readonly [level: Level, text: string, fields?: LogFields];

/** compat: seconds as Python prints them: `1`, `0.5`. */
function formatSeconds(ms: number): string {
  return String(ms / 1000);
}

/**
 * The text for a note of the process machine; note-fields.ts has its fields. compat: texts of
 * supervisor.process.Subprocess.
 */
export function formatNote(name: string, note: ProcessNote): readonly [level: Level, text: string] {
  switch (note.note) {
    case 'spawned':
      return ['info', `spawned: '${name}' with pid ${note.pid}`];
    case 'spawnError':
      return ['info', `spawnerr: ${note.reason}`];
    case 'success': {
      const stayedUp = `process has stayed up for > than ${formatSeconds(note.startMs)} seconds (startsecs)`;
      return ['info', `success: ${name} entered RUNNING state, ${stayedUp}`];
    }
    case 'exited':
      return [
        note.expected ? 'info' : 'warn',
        `exited: ${name} (${formatExit(note.status)}; ${note.expected ? 'expected' : 'not expected'})`,
      ];
    case 'stopped':
      return ['info', note.status === null ? `stopped: ${name}` : `stopped: ${name} (${formatExit(note.status)})`];
    case 'gaveUp':
      return ['info', `gave up: ${name} entered FATAL state, too many start retries too quickly`];
    case 'held':
      return [note.hold.kind === 'stuck' ? 'warn' : 'info', `${name} ${formatHold(note.hold)}`];
    case 'ready':
      return ['info', `ready: ${name}`];
    case 'following':
      return ['info', `restarting '${name}': ${formatCauseOf(note.cause)}`];
    case 'notReady':
      return ['warn', `stopping '${name}': ${formatFailure(note.failure)}`];
    case 'restartedTooOften':
      return ['info', `gave up: ${name} entered FATAL state, ${formatFailure(note.failure)}`];
    case 'signalling':
      return ['debug', `killing ${name} (pid ${note.pid}) with signal ${formatSignal(note.signal)}`];
    case 'killing':
      return ['warn', `killing '${name}' (${note.pid}) with SIGKILL`];
    case 'unsignallable':
      return ['critical', `unknown problem sending a signal to ${name} (${note.pid}): ${note.code}`];
  }
}

/** Formats the end of an adopted orphan. The level is debug; Supervisor fills the log with these lines. */
export function formatReapedUnknown(pid: number, status: ExitStatus): Message {
  return [
    'debug',
    `reaped unknown pid ${pid} (${formatExit(status)})`,
    { event: 'reaped', pid, ...exitFields(status) },
  ];
}

/** Formats a change to FATAL as a warning with the reason. Supervisor's line is info, and has no reason. */
export function formatFatal(proc: NamedProcess, failure: RunFailure | null): Message {
  const reason = failure === null ? 'it could not be started' : formatFailure(failure);
  return ['warn', `${proc.name} is FATAL: ${reason}`, { event: 'fatal', ...processFields(proc), state: 'FATAL' }];
}

/** Formats the beginning of the delay of a shutdown, with the way to end it. */
export function formatDelay(ms: number): Message {
  const way = 'a second stop signal, or `supervisorctl shutdown`, ends this time';
  return [
    'info',
    `the programs run on for ${formatSeconds(ms)} seconds (shutdown_delay); ${way}`,
    { event: 'delayed' },
  ];
}

/** Formats the programs that a shutdown waits for. compat: supervisor.supervisord.Supervisor.shutdown_report. */
export function formatWaiting(names: readonly string[]): Message {
  return ['info', `waiting for ${names.join(', ')} to die`, { event: 'waiting' }];
}

function receivedFields(signal: number): LogFields {
  return { event: 'signal_received', signal: formatSignal(signal) };
}

/** Formats the meaning of a received signal. compat: supervisor.supervisord.Supervisor.handle_signal. */
export function formatSignalMeaning(signal: number, meaning: SignalMeaning): Message {
  const received = `received ${formatSignal(signal)} indicating`;
  const fields = receivedFields(signal);
  switch (meaning) {
    case 'shutdown':
      return ['warn', `${received} exit request`, fields];
    case 'reload':
      return ['warn', `${received} restart request`, fields];
    case 'reopen':
      return ['info', `${received} log reopen request`, fields];
    case 'none':
      return ['debug', `${received} nothing`, fields];
  }
}

/** Formats an ignored request to restart during a shutdown. compat: supervisor.supervisord.Supervisor.handle_signal. */
export function formatIgnoredReload(signal: number): Message {
  const text = `ignored ${formatSignal(signal)} indicating restart request (shutdown in progress)`;
  return ['warn', text, receivedFields(signal)];
}

/** Formats an ignored second signal during a shutdown, with the sender and the way to kill the programs now. */
export function formatIgnoredShutdown(signal: number, sender: number): Message {
  const from = sender > 0 ? ` from pid ${sender}` : '';
  const ways =
    'to kill the remaining processes now, use `supervisorctl shutdown` once more, or send SIGTERM again after a ' +
    'second from outside the programs of this supervisor';
  return [
    'warn',
    `ignored ${formatSignal(signal)}${from}: the shutdown is under way already; ${ways}`,
    receivedFields(signal),
  ];
}

/** Formats a dropped signal, with the options that would use the signal. Logged once for each signal. */
export function formatDropped(signal: number): Message {
  const name = formatSignal(signal).replace(/^SIG/, '');
  const forward = `forward_signals=${name}:PROGRAM in [supervisord] forwards it to a program`;
  const ways = `${forward}, stop_on_signals=${name} makes it a shutdown`;
  const text = `dropped ${formatSignal(signal)}: the supervisor has no use for it; ${ways}`;
  return ['warn', text, receivedFields(signal)];
}
