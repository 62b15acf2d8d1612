/**
 * The conditions of `onevisor wait`: which one is meant, and if a process meets it, may still meet it, or never will
 * without an action of a person. Pure.
 */
import { WAIT_CONDITIONS, type WaitCondition } from '../cli/wait-conditions.ts';
import { escapeControls, showText } from '../core/shown-text.ts';
import type { XmlRpcStruct } from '../rpc/xmlrpc.ts';
import { booleanOf, structOf } from './members.ts';
import { hasFailed, type ProcessStatus, readEnd, readinessOf, reasonOf } from './process-status.ts';

/** Judgement of a condition. `text`: what is missing, or why it can never be met. */
export type Verdict =
  | { readonly kind: 'met' }
  | { readonly kind: 'pending'; readonly text: string }
  | { readonly kind: 'never'; readonly text: string };

/** A word on the command line. */
export interface WaitWord {
  readonly name: string;
  /** Null if none is written. */
  readonly condition: WaitCondition | null;
}

/**
 * Splits `web:ready` into a name and a condition. A word that is the name of a process stays a name: the process
 * `ready` of the group `web`.
 *
 * @param isName - true if processes have this name
 */
export function parseWaitWord(word: string, isName: (name: string) => boolean): WaitWord {
  const colon = word.lastIndexOf(':');
  const condition = WAIT_CONDITIONS.find((known) => known === word.slice(colon + 1));
  if (colon < 1 || condition === undefined || isName(word)) return { name: word, condition: null };
  return { name: word.slice(0, colon), condition };
}

/** True if a word is no name, but the part before its last colon is one: the part after it was meant as a condition. */
export function isUnknownCondition(word: string, isName: (name: string) => boolean): boolean {
  const colon = word.lastIndexOf(':');
  return colon > 0 && !isName(word) && isName(word.slice(0, colon));
}

/** Returns the reason why the last part of a word is no condition, with those that exist. */
export function explainUnknownCondition(word: string): string {
  const condition = word.slice(word.lastIndexOf(':') + 1);
  const known = `${WAIT_CONDITIONS.slice(0, -1).join(', ')} or ${WAIT_CONDITIONS.at(-1)}`;
  return `there is no condition ${showText(condition)}; use ${known}`;
}

/** Returns the strongest condition that makes sense for a process, for a name without a condition. */
export function defaultCondition({ info }: ProcessStatus): WaitCondition {
  if (info.purpose !== 'service') return 'completed';
  if (info.health !== null || info.struct['has_healthcheck'] === true) return 'healthy';
  return info.isReady === null ? 'started' : 'ready';
}

/** Changes of a process since the wait began. They may be over before the next look at the process. */
export interface Happened {
  wasRunning: boolean;
  wasReady: boolean;
  wasHealthy: boolean;
  wasCompleted: boolean;
  hasExited: boolean;
}

/** Nothing has happened. */
export function nothingHappened(): Happened {
  return { wasRunning: false, wasReady: false, wasHealthy: false, wasCompleted: false, hasExited: false };
}

/** Notes an event of a process, as `onevisor.readEvents` gives it. */
export function noteEvent(happened: Happened, event: XmlRpcStruct): void {
  if (event['kind'] === 'ready') happened.wasReady = true;
  if (event['kind'] === 'health' && event['health'] === 'healthy') happened.wasHealthy = true;
  if (event['kind'] !== 'state') return;
  if (event['to'] === 'RUNNING') happened.wasRunning = true;
  const struct = structOf(event, 'end');
  const end = readEnd(struct);
  if (end === null || !end.wasExecuted) return;
  happened.hasExited = true;
  if (booleanOf(struct, 'expected') === true && end.cause === null) happened.wasCompleted = true;
}

const MET: Verdict = { kind: 'met' };

/** Judges a condition. */
export function judge(condition: WaitCondition, status: ProcessStatus, happened: Happened): Verdict {
  switch (condition) {
    case 'started':
      return judgeUp(status, happened.wasRunning || isDone(status), 'started');
    case 'ready': {
      const isUp = status.info.isReady === null && happened.wasRunning;
      // A program may be ready before startsecs.
      const { statename } = status.info;
      const isReady = (statename === 'RUNNING' || statename === 'STARTING') && status.info.isReady === true;
      return judgeUp(status, isUp || isReady || happened.wasReady || isDone(status), 'ready');
    }
    case 'healthy':
      return judgeHealthy(status, happened);
    case 'completed':
      return judgeCompleted(status, happened);
    case 'exited':
      return judgeExited(status, happened);
  }
}

/** True if a oneshot has ended as expected: others count it as started and ready (core/start-hold.ts). */
function isDone(status: ProcessStatus): boolean {
  return status.info.purpose === 'oneshot' && status.info.statename === 'EXITED' && !hasFailed(status);
}

/** Judges a condition that a running program meets. */
function judgeUp(status: ProcessStatus, isMet: boolean, condition: 'started' | 'ready'): Verdict {
  const { info } = status;
  const isUp = info.statename === 'RUNNING' && (condition === 'started' || info.isReady !== false);
  return isMet || isUp ? MET : judgeHope(status);
}

function judgeHealthy(status: ProcessStatus, { wasHealthy }: Happened): Verdict {
  const { info } = status;
  if (wasHealthy || (info.statename === 'RUNNING' && info.health === 'healthy')) return MET;
  if (info.health === null && info.struct['has_healthcheck'] !== true)
    return { kind: 'never', text: 'it has no health check' };
  return judgeHope(status);
}

function judgeCompleted(status: ProcessStatus, { wasCompleted }: Happened): Verdict {
  const { info } = status;
  const isOver = info.statename === 'EXITED' && !info.isStartDue;
  if (wasCompleted || (isOver && !hasFailed(status))) return MET;
  return judgeHope(status);
}

function judgeExited(status: ProcessStatus, { hasExited }: Happened): Verdict {
  const { info, lastEnd } = status;
  const isDown = info.pid === 0 && info.start !== 0 && (info.hold === null || info.hold === 'connection');
  if (hasExited || (isDown && lastEnd?.wasExecuted !== false)) return MET;
  return judgeHope(status);
}

/** Judges a condition that is not met: it may still be, unless only a person can change something. */
function judgeHope(status: ProcessStatus): Verdict {
  const { info, autostart, nextRunMs } = status;
  const text = describeState(status);
  const pending: Verdict = { kind: 'pending', text };
  const never: Verdict = { kind: 'never', text };
  if (info.hold !== null) return info.hold === 'stuck' ? never : pending;
  if (info.isStartDue || nextRunMs !== null) return pending;
  switch (info.statename) {
    case 'STARTING':
    case 'RUNNING':
    case 'BACKOFF':
      return pending;
    case 'STOPPED':
      // The supervisor may have started just now, and starts this process next. A supervisord does not tell.
      return info.start === 0 && autostart !== false ? pending : never;
    case 'EXITED':
      // A supervisord does not tell either if a restart is due.
      return autostart === null ? pending : never;
    default:
      return never;
  }
}

function describeState(status: ProcessStatus): string {
  const { info } = status;
  if (info.hold !== null) return escapeControls(info.description);
  const readiness = readinessOf(status);
  const reason = reasonOf(status);
  const state = escapeControls(info.statename);
  return `${state}${readiness === '' ? '' : `, ${readiness}`}${reason === '' ? '' : `, ${reason}`}`;
}
