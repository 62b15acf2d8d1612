/** Carries out an incoming signal: forwards it to programs, obeys it, or drops it. core/ has the rules. */
import { findProcesses } from '../config/dependencies.ts';
import type { Config } from '../config/model.ts';
import type { SignalCause } from '../core/cause.ts';
import { type ShutdownSignals, judgeShutdownSignal } from '../core/shutdown-signals.ts';
import { isWorthLogging, meaningOf, type SignalMeaning, stopSignals } from '../core/signal-meaning.ts';
import { formatSignal } from '../core/signals.ts';
import type { Engine } from '../engine/engine.ts';
import {
  formatDropped,
  formatIgnoredShutdown,
  formatIgnoredReload,
  formatSignalMeaning,
  type Message,
} from '../engine/messages.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { SystemClock } from '../process/clock.ts';
import type { ReceivedSignal } from '../process/signals.ts';
import { MainStop } from './main-stop.ts';
import type { StopBudget } from './stop-budget.ts';

/** Parts of {@link SignalActions}. A reload replaces the configuration and the engine. */
export interface SignalParts {
  readonly config: () => Config;
  readonly engine: () => Pick<Engine, 'signalProcess' | 'hurry' | 'shutDown' | 'request' | 'phase'>;
  readonly clock: Pick<SystemClock, 'nowMs' | 'alarm'>;
  readonly stopBudget: Pick<StopBudget, 'signalled'>;
  readonly report: Report;
  /** True if standard input, output or error is a terminal. */
  readonly hasTerminal: boolean;
  /** True if a signal or a client has requested a shutdown. */
  readonly isShuttingDown: () => boolean;
  /** Begins a shutdown. */
  readonly shutDown: (cause: SignalCause) => void;
  readonly reload: (cause: SignalCause) => void;
  readonly reopenLogs: () => void;
}

/** The signals of one supervisor. */
export class SignalActions {
  readonly #parts: SignalParts;
  /** Shutdown signals from outside that were seen. */
  #seen: ShutdownSignals = new Map();
  /** Dropped signals that were logged. */
  readonly #dropped = new Set<number>();

  readonly #mainStop: MainStop;

  constructor(parts: SignalParts) {
    this.#parts = parts;
    this.#mainStop = new MainStop(parts);
  }

  /** True if a signal is forwarded to a program: to the main program of init mode, or to those in forward_signals. */
  isForProgram(signal: number): boolean {
    const { main, supervisord } = this.#parts.config();
    return main !== null || supervisord.forward_signals.some((forward) => forward.signal === signal);
  }

  /** True if a signal requests a shutdown. */
  isShutdownSignal(signal: number): boolean {
    return !this.isForProgram(signal) && this.#meaningOf(signal) === 'shutdown';
  }

  /** Handles a signal. */
  take(received: ReceivedSignal): void {
    const { number: signal, sender } = received;
    const cause: SignalCause = { kind: 'signal', signal, sender };
    if (this.#forward(cause)) return;
    const meaning = this.#meaningOf(signal);
    if (meaning === 'shutdown') return this.#requestShutdown(received);
    if (meaning === 'reload' && this.#parts.isShuttingDown()) return this.#report(formatIgnoredReload(signal));
    this.#report(meaning === 'none' ? this.#judgeDropped(signal) : formatSignalMeaning(signal, meaning));
    if (meaning === 'reload') this.#parts.reload(cause);
    else if (meaning === 'reopen') this.#parts.reopenLogs();
  }

  #meaningOf(signal: number): SignalMeaning {
    return meaningOf(signal, stopSignals(this.#parts.config().supervisord.stop_on_signals, this.#parts.hasTerminal));
  }

  /**
   * Forwards a signal to the programs that should get it. False if there are none, or if no main program could take it.
   */
  #forward(cause: SignalCause): boolean {
    const { signal } = cause;
    const { supervisord, groups, main } = this.#parts.config();
    const all = groups.flatMap(({ processes }) => processes);
    const named = supervisord.forward_signals
      .filter((forward) => forward.signal === signal)
      .flatMap(({ name }) => findProcesses(name, all));
    const receivers = named.length > 0 ? named : all.filter(({ group }) => group === main);
    const outcomes = receivers.map((proc) =>
      this.#parts.engine().signalProcess(namespecOf(proc), signal, cause, proc.options.stopasgroup),
    );
    // A stop signal that no main program takes must still stop the container.
    const isTaken = outcomes.some((outcome) => outcome === null);
    if (named.length === 0 && isTaken && this.#meaningOf(signal) === 'shutdown') this.#mainStop.forwarded(cause);
    if (named.length === 0) return isTaken;
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome !== null)
        this.#report(['warn', `cannot send ${formatSignal(signal)} on to ${receivers[index]?.name}: ${outcome}`]);
    }
    return true;
  }

  /**
   * Handles a request to shut down. The first one begins the shutdown. A repeated one that {@link judgeShutdownSignal}
   * accepts kills all processes. All others are only logged.
   */
  #requestShutdown({ number: signal, origin, sender }: ReceivedSignal): void {
    const { isShuttingDown, shutDown, engine, clock } = this.#parts;
    this.#parts.stopBudget.signalled(this.#parts.config(), 'obeyed');
    const { seen, isKill } = judgeShutdownSignal(this.#seen, signal, origin, clock.nowMs());
    this.#seen = seen;
    if (isKill) {
      this.#report(['warn', `received ${formatSignal(signal)} again: killing the remaining processes`]);
      return engine().hurry();
    }
    if (isShuttingDown()) return this.#report(formatIgnoredShutdown(signal, sender));
    this.#report(formatSignalMeaning(signal, 'shutdown'));
    shutDown({ kind: 'signal', signal, sender });
  }

  #judgeDropped(signal: number): Message {
    if (this.#dropped.has(signal) || !isWorthLogging(signal)) return formatSignalMeaning(signal, 'none');
    this.#dropped.add(signal);
    return formatDropped(signal);
  }

  #report(message: Message): void {
    this.#parts.report(...message);
  }
}
