/**
 * Turns changes of the engine into occurrences that people may want to be told about. Remembers which processes are
 * unhealthy or flapping, so that each change is one occurrence. Sends nothing.
 */
import { type Alert, NO_PROCESS } from '../core/alert.ts';
import type { AlertEvent } from '../core/alert-events.ts';
import { formatDecision } from '../core/cause.ts';
import { formatCause } from '../core/exit-policy.ts';
import { formatExit } from '../core/exit-status.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { ProcessRecord } from '../core/process-record.ts';
import { type EndReason, formatOutcome, reasonOfEnd, type RunEnd } from '../core/run-end.ts';
import { formatFailure } from '../core/run-failure.ts';
import { formatSignal } from '../core/signals.ts';
import { formatHold } from '../core/start-hold.ts';
import type { ProcessStateName } from '../core/states.ts';
import type { SupervisorEvent } from '../engine/events.ts';
import type { ProcessView } from '../engine/process-table.ts';

/** Facts about processes that are not in the events of the engine. */
export interface OccurrenceFacts {
  /** End of the latest run; null while it goes on, and without a run. */
  readonly endOf: (id: string) => RunEnd | null;
  /** Last line of output of the latest run that has ended; null for none. */
  readonly lastLine: (id: string) => string | null;
  /** Reason of the latest failed health check; null for none. */
  readonly healthReason: (id: string) => string | null;
  /** Number of unexpected restarts within the window; null if these are too few to be flapping. */
  readonly flapping: (id: string) => { readonly restarts: number; readonly windowMs: number } | null;
}

/** A sentence for people, and its reason alone. */
interface Text {
  readonly message: string;
  readonly reason: string | null;
}

/** The facts of an alert that depend on what has happened. */
type OwnFacts = Omit<Alert, 'event' | 'left_out' | 'time' | 'host' | 'identifier' | 'notify'>;

/** Something that has happened. */
export interface Occurrence {
  /** All its names. */
  readonly events: readonly AlertEvent[];
  /** Null for one of the supervisor or of a group. */
  readonly process: ProcessView | null;
  /** Null for one of the supervisor. */
  readonly group: string | null;
  /** Returns the facts for one of its names. */
  readonly describe: (event: AlertEvent) => OwnFacts;
}

const ENDED_STATES: ReadonlySet<ProcessStateName> = new Set(['BACKOFF', 'EXITED', 'STOPPED', 'FATAL']);

/** Ends that nothing of ours has asked for. */
const UNEXPECTED_ENDS: ReadonlySet<EndReason> = new Set(['exit', 'signal', 'oom', 'protocol']);

type ProcessEvent = Extract<SupervisorEvent, { type: 'process' }>;

/** The occurrences of one supervisor. */
export class Occurrences {
  readonly #facts: OccurrenceFacts;
  readonly #unhealthy = new Set<string>();
  readonly #flapping = new Set<string>();

  constructor(facts: OccurrenceFacts) {
    this.#facts = facts;
  }

  /** Returns the occurrence of a change; null for none. Must see every change. */
  take(event: SupervisorEvent): Occurrence | null {
    switch (event.type) {
      case 'process':
        return this.#takeState(event);
      case 'health':
        return this.#takeHealth(event.process);
      case 'held': {
        const { hold } = event.process.record;
        if (hold?.kind !== 'stuck') return null;
        const reason = formatHold(hold);
        return this.#about(event.process, ['gave-up'], () => ({
          message: `${nameOf(event.process)} ${reason}`,
          reason,
        }));
      }
      case 'group':
        return this.#takeGroup(event.group, event.change);
      case 'supervisor': {
        const reason = formatCause(event.cause);
        return event.goal === 'exit'
          ? ofSupervisor(['shutdown', 'SUPERVISOR_STATE_CHANGE_STOPPING'], 'the supervisor shuts down', reason)
          : ofSupervisor(['SUPERVISOR_STATE_CHANGE_STOPPING'], 'the supervisor restarts', reason);
      }
      case 'spawned':
      case 'ready':
      case 'configured':
      case 'restarted':
        return null;
    }
  }

  #takeState(change: ProcessEvent): Occurrence {
    const { process: proc, from, pid } = change;
    const { id, record } = proc;
    const isEnd = ENDED_STATES.has(record.state) && !ENDED_STATES.has(from);
    const end = isEnd ? this.#facts.endOf(id) : null;
    const isUnexpected = end !== null && UNEXPECTED_ENDS.has(reasonOfEnd(end));
    const events: AlertEvent[] = [
      ...(record.state === 'FATAL' ? (['fatal', 'gave-up'] as const) : []),
      ...(isUnexpected ? (['exited-unexpectedly'] as const) : []),
      ...(this.#beginsToFlap(proc) ? (['flapping'] as const) : []),
      ...(record.state === 'STOPPING' && record.stopCause?.kind === 'memory' ? (['memory-restart'] as const) : []),
      `PROCESS_STATE_${record.state}`,
    ];
    const describe = (event: AlertEvent): Text => this.#describeState(event, change, end);
    const occurrence = this.#about(proc, events, describe, pid ?? record.pid);
    return { ...occurrence, describe: (event) => ({ ...occurrence.describe(event), from_state: from }) };
  }

  /** True if this start makes a process flapping that was not. */
  #beginsToFlap({ id, record }: ProcessView): boolean {
    if (record.state !== 'STARTING') return false;
    const wasFlapping = this.#flapping.has(id);
    if (this.#facts.flapping(id) === null) this.#flapping.delete(id);
    else this.#flapping.add(id);
    return !wasFlapping && this.#flapping.has(id);
  }

  #describeState(event: AlertEvent, { process: proc, from }: ProcessEvent, end: RunEnd | null): Text {
    const { id, record } = proc;
    const name = nameOf(proc);
    switch (event) {
      case 'fatal':
      case 'gave-up': {
        const reason = failureOf(record);
        return { message: `${name} is FATAL: ${reason}`, reason };
      }
      case 'exited-unexpectedly': {
        const reason = end === null ? null : formatOutcome(end.outcome);
        return { message: `${name} has ended unexpectedly: ${reason ?? ''}`, reason };
      }
      case 'flapping': {
        const rule = this.#facts.flapping(id);
        const reason =
          rule === null ? '' : `${rule.restarts} unexpected restarts within ${rule.windowMs / 1000} seconds`;
        return { message: `${name} is flapping: ${reason}`, reason };
      }
      case 'memory-restart': {
        const reason = record.stopCause?.kind === 'memory' ? formatDecision(record.stopCause) : '';
        return { message: `${name} is restarted: it ${reason}`, reason };
      }
      default: {
        const reason = end === null ? null : formatOutcome(end.outcome);
        return { message: `${name} is ${record.state}, after ${from}${reason === null ? '' : `: ${reason}`}`, reason };
      }
    }
  }

  #takeHealth(proc: ProcessView): Occurrence | null {
    const { id, record } = proc;
    if (record.health === 'unhealthy' && !this.#unhealthy.has(id)) {
      this.#unhealthy.add(id);
      const reason = this.#facts.healthReason(id);
      const message = `${nameOf(proc)} is unhealthy${reason === null ? '' : `: ${reason}`}`;
      return this.#about(proc, ['unhealthy'], () => ({ message, reason }));
    }
    if (record.health !== 'healthy' || !this.#unhealthy.delete(id)) return null;
    return this.#about(proc, ['healthy-again'], () => ({ message: `${nameOf(proc)} is healthy again`, reason: null }));
  }

  #takeGroup(group: string, change: 'added' | 'removed'): Occurrence {
    if (change === 'removed')
      for (const known of [this.#unhealthy, this.#flapping])
        for (const id of known) if (id.startsWith(`${group}:`)) known.delete(id);
    const facts = { ...NO_PROCESS, group_name: group, message: `the group ${group} was ${change}`, reason: null };
    return {
      events: [change === 'added' ? 'PROCESS_GROUP_ADDED' : 'PROCESS_GROUP_REMOVED'],
      process: null,
      group,
      describe: () => facts,
    };
  }

  /** Makes the occurrence of a process. */
  #about(
    proc: ProcessView,
    events: readonly AlertEvent[],
    textOf: (event: AlertEvent) => Text,
    pid = proc.record.pid,
  ): Occurrence {
    const { id, config, record } = proc;
    // The record changes with the next input, and an occurrence is described at once.
    const exit = record.exit ?? (record.state === 'FATAL' ? record.lastExit : null);
    return {
      events,
      process: proc,
      group: config.group,
      describe: (event) => ({
        ...textOf(event),
        name: nameOf(proc),
        process_name: config.name,
        group_name: config.group,
        program_name: config.program,
        state: record.state,
        from_state: null,
        pid,
        exit_code: exit?.kind === 'exited' ? exit.code : null,
        signal: exit?.kind === 'signaled' ? formatSignal(exit.signal) : null,
        last_line: ENDED_STATES.has(record.state) || event === 'flapping' ? this.#facts.lastLine(id) : null,
      }),
    };
  }
}

/** Makes the occurrence of the whole supervisor. */
export function ofSupervisor(events: readonly AlertEvent[], message: string, reason: string | null): Occurrence {
  const text = reason === null ? message : `${message}: ${reason}`;
  return { events, process: null, group: null, describe: () => ({ ...NO_PROCESS, message: text, reason }) };
}

function nameOf({ config: { group, name } }: ProcessView): string {
  return formatNamespec(group, name);
}

/** Describes why a process is FATAL, with its last exit if the failure does not say it. */
function failureOf({ failure, exit, lastExit }: ProcessRecord): string {
  const reason = failure === null ? 'it could not be started' : formatFailure(failure);
  const last = exit ?? lastExit;
  const isSaid = failure?.kind === 'notExecuted' || failure?.kind === 'badExit';
  return last === null || isSaid ? reason : `${reason}; last exit: ${formatExit(last)}`;
}
