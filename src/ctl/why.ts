/**
 * Explains the condition of a process in one paragraph, for a bug report. The facts are those of
 * `onevisor.describeProcess`; with a supervisord, less is said. Pure.
 */
import { escapeControls } from '../core/shown-text.ts';
import type { XmlRpcStruct } from '../rpc/xmlrpc.ts';
import { formatAgo, formatLong, formatTime } from './amounts.ts';
import { listOf, numberOf, structOf, textOf } from './members.ts';
import { countRestarts, hasFailed, type ProcessStatus, type RunEnd } from './process-status.ts';

/** Returns the paragraph. `others`: processes that this one waits for, or that block it. */
export function explainProcess(status: ProcessStatus, others: readonly ProcessStatus[] = []): string {
  const sentences = [
    ...(status.info.hold === null ? explainState(status) : explainHold(status, others)),
    explainFlapping(status),
    ...explainLastRun(status),
    explainNext(status),
    explainPlace(status),
  ];
  return escapeControls(sentences.filter((text) => text !== '').join(' '));
}

/** Ends a sentence with a full stop, if it has no end yet. */
function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function explainHold({ name, info }: ProcessStatus, others: readonly ProcessStatus[]): string[] {
  return [
    sentence(`${name} ${info.description}`),
    ...others.flatMap((other) => [
      ...(other.info.hold === null ? explainState(other) : [sentence(`${other.name} ${other.info.description}`)]),
      ...explainLastRun(other),
    ]),
  ];
}

function explainState(status: ProcessStatus): string[] {
  const { name, info, nowMs, startCause } = status;
  const policy = structOf(info.struct, 'policy');
  const started = startCause === null ? '' : `, started: ${startCause}`;
  const pid = info.pid === 0 ? '' : ` with pid ${info.pid}`;
  const since = info.start === 0 ? '' : ` since ${formatTime(info.start * 1000)}`;
  switch (info.statename) {
    case 'RUNNING':
      return [
        sentence(`${name} is RUNNING${pid}${since} (${formatLong(nowMs - info.start * 1000)})${started}`),
        ...explainHealth(status),
      ];
    case 'STARTING':
      return [sentence(`${name} is STARTING${pid}${since}${started}${explainStart(status, policy)}`)];
    case 'BACKOFF':
      return [sentence(`${name} is in BACKOFF: ${countStarts(status.failedStarts)} failed, and the next try follows`)];
    case 'FATAL':
      return [explainFatal(status, policy)];
    case 'EXITED':
      return [explainExited(status, policy)];
    case 'STOPPED':
      return [explainStopped(status, policy)];
    case 'STOPPING': {
      const cause = status.stopCause === null ? '' : `: ${status.stopCause}`;
      return [sentence(`${name} is STOPPING${pid}${cause}`), info.isStartDue ? 'It is started again after that.' : ''];
    }
    default:
      return [sentence(`${name} is in the state ${info.statename}: the kernel refused to send it a signal`)];
  }
}

/** Explains what a start under way waits for. Before its execution, startsecs and ready_timeout have not begun. */
function explainStart(status: ProcessStatus, policy: XmlRpcStruct | null): string {
  if (status.startWait !== null) return `; it ${status.startWait}`;
  const seconds = numberOf(policy, 'startsecs');
  const rule = seconds === null ? '' : `; it is RUNNING after ${seconds} s without an exit (startsecs)`;
  return `${rule}${explainReadyTimeout(status)}`;
}

/** Explains that a start waits for the readiness of the program, too. */
function explainReadyTimeout({ info }: ProcessStatus): string {
  const seconds = numberOf(structOf(info.struct, 'readiness'), 'ready_timeout');
  if (seconds === null || info.isReady !== false) return '';
  return `, and when it is ready, at most ${seconds} s after its start (ready_timeout)`;
}

function countStarts(failedStarts: number): string {
  return failedStarts < 2 ? 'a start' : `${failedStarts} starts in a row`;
}

function explainHealth({ info, statusText }: ProcessStatus): string[] {
  const check = structOf(info.struct, 'healthcheck');
  const text = textOf(check, 'check');
  const how = text === null ? '' : ` (${text}, every ${numberOf(check, 'interval') ?? '?'} s)`;
  const reason = info.healthReason === null ? '' : `: ${info.healthReason}`;
  return [
    info.health === 'unhealthy' ? sentence(`It is unhealthy${how}${reason}`) : '',
    info.health === 'starting' ? sentence(`Its health is not known yet${how}${reason}`) : '',
    info.health === 'healthy' ? sentence(`It is healthy${how}`) : '',
    info.isReady === false ? 'It has not reported that it is ready.' : '',
    statusText === null ? '' : `It says: "${statusText}".`,
  ];
}

function explainFatal(status: ProcessStatus, policy: XmlRpcStruct | null): string {
  const { name, info, lastEnd } = status;
  if (lastEnd !== null && !lastEnd.wasExecuted) return sentence(`${name} is FATAL: ${lastEnd.how}`);
  if (info.struct['failure'] === 'restarted_too_often') return sentence(`${name} is FATAL: ${info.description}`);
  const retries = numberOf(policy, 'startretries');
  if (retries === null) return sentence(`${name} is FATAL: ${info.description}`);
  const why = info.description === '' ? 'its starts failed' : info.description;
  return sentence(`${name} is FATAL: ${why}; startretries=${retries} allows no more tries`);
}

function explainExited(status: ProcessStatus, policy: XmlRpcStruct | null): string {
  const { name, info, lastEnd } = status;
  if (lastEnd === null) return sentence(`${name} has EXITED: ${info.description}`);
  const codes = listOf(policy, 'exitcodes')
    .map((code) => (typeof code === 'number' ? code : '?'))
    .join(', ');
  const isScheduled = info.purpose === 'scheduled';
  const isExplained = lastEnd.cause !== null || lastEnd.signalCause !== null;
  const unwanted = isExplained ? '' : '; nobody asked for that';
  const verdict = hasFailed(status) ? unwanted : `; that is expected (exitcodes=${codes})`;
  const rule = textOf(policy, 'autorestart');
  const again = rule === null || isScheduled || info.purpose === 'oneshot' ? '' : `; autorestart=${rule}`;
  return sentence(`${name} has EXITED: ${lastEnd.how}${verdict}${again}`);
}

function explainStopped(status: ProcessStatus, policy: XmlRpcStruct | null): string {
  const { name, info, stopCause, lastEnd, autostart, nowMs } = status;
  if (info.start === 0) {
    const cron = textOf(policy, 'cron');
    if (cron !== null) return sentence(`${name} waits for its schedule (${cron}), and was never started`);
    const rule = autostart === false ? ', because autostart=false, and nobody has asked for a start' : '';
    return sentence(`${name} is STOPPED: it was never started${rule}`);
  }
  const when = lastEnd === null ? '' : ` ${formatAgo(nowMs - lastEnd.atMs)}`;
  const cause = stopCause === null ? '' : `; cause: ${stopCause}`;
  return sentence(`${name} was STOPPED${when}${cause}`);
}

function explainFlapping({ info, isFlapping, unexpectedRestarts }: ProcessStatus): string {
  if (!isFlapping) return '';
  const seconds = numberOf(info.struct, 'flapping_window');
  const within = seconds === null ? '' : ` within ${formatLong(seconds * 1000)}`;
  return sentence(`It is flapping: ${countRestarts(unexpectedRestarts)}${within}`);
}

/** Explains the latest run that has ended, with the last line of its output. */
function explainLastRun(status: ProcessStatus): string[] {
  const { info, lastEnd, lastLine } = status;
  const isUp = info.pid !== 0;
  if (lastEnd === null || !lastEnd.wasExecuted || (isUp && lastEnd.isPlanned)) return [];
  const line = lastLine === null ? '' : `The last line of that run: "${lastLine}".`;
  return [describeRun(status, lastEnd), line];
}

function describeRun({ nowMs }: ProcessStatus, end: RunEnd): string {
  const { how, atMs, lastedMs, cause, signalCause } = end;
  const asked = cause === null ? '' : `; cause: ${cause}`;
  const signal = cause === null && signalCause !== null ? `; a signal was sent before: ${signalCause}` : '';
  const outside =
    cause === null && signalCause === null && /^SIG(?:KILL|TERM|INT|QUIT)\b/.test(how)
      ? '; the signal came from outside of the supervisor'
      : '';
  const length = `after ${formatLong(lastedMs)}`;
  return sentence(`Its last run ended ${formatAgo(nowMs - atMs)}, ${length}, with ${how}${asked}${signal}${outside}`);
}

function explainNext({ name, info, nextRunMs, nowMs }: ProcessStatus): string {
  if (nextRunMs !== null)
    return sentence(`Its next run is at ${formatTime(nextRunMs)}, in ${formatLong(Math.max(0, nextRunMs - nowMs))}`);
  if (info.isStartDue && info.statename !== 'STOPPING') return 'It is started again.';
  if (info.statename === 'FATAL') return sentence(`It stays so until \`onevisor start ${name}\``);
  return '';
}

function explainPlace({ info }: ProcessStatus): string {
  const configured = structOf(info.struct, 'configured');
  const place = formatPlace(configured);
  const command = textOf(configured, 'command');
  if (place === null || command === null) return '';
  const user = textOf(configured, 'user');
  const numprocs = numberOf(info.struct, 'scaled_from');
  const scaled = numprocs === null ? '' : ` (numprocs=${numprocs}, and another number by \`onevisor scale\`)`;
  return `Configured at ${place}${scaled}: ${command}${user === null ? '' : ` (user ${user})`}`;
}

/** Returns the place of the configuration: `FILE:LINE`, or the name of a variable. */
export function formatPlace(configured: XmlRpcStruct | null): string | null {
  const file = textOf(configured, 'file');
  const line = numberOf(configured, 'line') ?? 0;
  return file === null || line === 0 ? file : `${file}:${line}`;
}
