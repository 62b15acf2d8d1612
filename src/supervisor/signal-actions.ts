/** Carries out an incoming signal: forwards it to programs, obeys it, or drops it. core/ has the rules. */
import type { Config } from '../config/model.ts';
import type { SignalCause } from '../core/cause.ts';
import type { LogFields } from '../core/log-fields.ts';
import { endsDelay, type ShutdownSignals, judgeShutdownSignal } from '../core/shutdown-signals.ts';
import { isFromKeyboard, isWorthLogging, meaningOf, type SignalMeaning, stopSignals } from '../core/signal-meaning.ts';
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
import type { ShutdownPlan } from '../engine/shutdown.ts';
import type { SystemClock } from '../process/clock.ts';
import type { ReceivedSignal } from '../process/signals.ts';
import { MainStop } from './main-stop.ts';
import { SignalForwards } from './signal-forwards.ts';
import type { StopBudget } from './stop-budget.ts';

/** Parts of {@link SignalActions}. A reload replaces the configuration and the engine. */
export interface SignalParts {
  readonly config: () => Config;
  readonly engine: () => Pick<
    Engine,
    'processes' | 'process' | 'signalProcess' | 'stopBy' | 'hurry' | 'shutDown' | 'request' | 'phase' | 'isDelaying'
  >;
  readonly clock: Pick<SystemClock, 'nowMs' | 'alarm'>;
  readonly stopBudget: Pick<StopBudget, 'signalled'>;
  readonly report: Report;
  /** True if standard input, output or error is a terminal. */
  readonly hasTerminal: boolean;
  /** True if a signal or a client has requested a shutdown. */
  readonly isShuttingDown: () => boolean;
  /** Begins a shutdown. */
  readonly shutDown: (cause: SignalCause, plan: ShutdownPlan) => void;
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

  readonly #forwards: SignalForwards;
  readonly #mainStop: MainStop;

  constructor(parts: SignalParts) {
    this.#parts = parts;
    this.#forwards = new SignalForwards(parts);
    this.#mainStop = new MainStop(parts);
  }

  /** True if a signal is forwarded to a program: to the main program of init mode, or to those in forward_signals. */
  isForProgram(signal: number): boolean {
    const { main, supervisord } = this.#parts.config();
    return main !== null || supervisord.forward_signals.some((forward) => forward.signal === signal);
  }

  /** True if a signal requests a shutdown of the supervisor itself. In init mode, the main program gets it first. */
  isShutdownSignal(signal: number): boolean {
    return this.#parts.config().main === null && this.#meaningOf(signal) === 'shutdown';
  }

  /** Handles a signal. */
  take(received: ReceivedSignal): void {
    const { number: signal, sender } = received;
    const cause: SignalCause = { kind: 'signal', signal, sender };
    const meaning = this.#meaningOf(signal);
    if (meaning === 'shutdown') {
      if (this.#parts.config().main === null || !this.#stopMain(received, cause))
        this.#requestShutdown(received, cause);
      return;
    }
    if (this.#forwards.forward(cause)) return;
    if (meaning === 'reload' && this.#parts.isShuttingDown()) return this.#report(formatIgnoredReload(signal));
    this.#report(meaning === 'none' ? this.#judgeDropped(signal) : formatSignalMeaning(signal, meaning));
    if (meaning === 'reload') this.#parts.reload(cause);
    else if (meaning === 'reopen') this.#parts.reopenLogs();
  }

  #meaningOf(signal: number): SignalMeaning {
    return meaningOf(signal, stopSignals(this.#parts.config().supervisord.stop_on_signals, this.#parts.hasTerminal));
  }

  /**
   * Handles a stop signal in init mode: forwards it to the main program, after `shutdown_delay`. False if that program
   * does not run: such a signal must still stop the container.
   */
  #stopMain(received: ReceivedSignal, cause: SignalCause): boolean {
    const { engine, config, stopBudget } = this.#parts;
    // Ctrl-C is meant for the main program only, at once.
    if (isFromKeyboard(cause.signal)) return this.#forwardStop(cause);
    if (engine().isDelaying) {
      this.#judgeAgain(received);
      return true;
    }
    if (this.#delayMs === 0 || engine().phase !== 'running') return this.#forwardStop(cause);
    if (!this.#forwards.isMainUp()) return false;
    stopBudget.signalled(config(), 'forwarded');
    this.#noteFirst(received);
    this.#forwards.announceStop(cause);
    const delayOver = (): void => {
      if (!this.#forwardStop(cause)) engine().shutDown('exit', cause);
    };
    this.#parts.shutDown(cause, { delayMs: this.#delayMs, delayOver });
    return true;
  }

  /** Sends a stop signal on to the main program and to those in forward_signals. False if no main program takes it. */
  #forwardStop(cause: SignalCause): boolean {
    if (!this.#forwards.forwardToMain(cause)) return false;
    if (this.#delayMs === 0 || isFromKeyboard(cause.signal)) this.#forwards.announceStop(cause);
    this.#forwards.beginStops(cause);
    this.#mainStop.forwarded(cause);
    return true;
  }

  /**
   * Handles a request to shut down. The first one begins the shutdown. A repeated one that {@link judgeShutdownSignal}
   * accepts kills all processes. All others are only logged.
   */
  #requestShutdown(received: ReceivedSignal, cause: SignalCause): void {
    const { isShuttingDown, shutDown, stopBudget, config } = this.#parts;
    stopBudget.signalled(config(), 'obeyed');
    if (isShuttingDown()) return this.#judgeAgain(received);
    this.#noteFirst(received);
    this.#forwards.announceStop(cause);
    shutDown(cause, { delayMs: this.#delayMs, prepare: () => this.#forwards.beginStops(cause) });
  }

  /** Notes the first signal of a shutdown. */
  #noteFirst({ number: signal, origin }: ReceivedSignal): void {
    this.#seen = judgeShutdownSignal(this.#seen, signal, origin, this.#parts.clock.nowMs()).seen;
    this.#report(formatSignalMeaning(signal, 'shutdown'));
  }

  /** Handles a stop signal during a shutdown: the end of its delay, SIGKILL, or a line in the log. */
  #judgeAgain({ number: signal, origin, sender }: ReceivedSignal): void {
    const { engine, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const before = this.#seen;
    const { seen, isKill } = judgeShutdownSignal(before, signal, origin, nowMs);
    this.#seen = seen;
    if (engine().isDelaying) {
      if (!endsDelay(before, origin, nowMs)) return this.#report(formatIgnoredShutdown(signal, sender));
      // A kill takes another signal, a second after this one.
      this.#seen = new Map([[signal, nowMs]]);
      this.#report(['warn', `received ${formatSignal(signal)}: ending shutdown_delay`, receivedFields(signal)]);
      return engine().hurry();
    }
    if (!isKill) return this.#report(formatIgnoredShutdown(signal, sender));
    this.#report([
      'warn',
      `received ${formatSignal(signal)} again: killing the remaining processes`,
      receivedFields(signal),
    ]);
    engine().hurry();
  }

  #judgeDropped(signal: number): Message {
    if (this.#dropped.has(signal) || !isWorthLogging(signal)) return formatSignalMeaning(signal, 'none');
    this.#dropped.add(signal);
    return formatDropped(signal);
  }

  get #delayMs(): number {
    return this.#parts.config().supervisord.shutdown_delay * 1000;
  }

  #report(message: Message): void {
    this.#parts.report(...message);
  }
}

function receivedFields(signal: number): LogFields {
  return { event: 'signal_received', signal: formatSignal(signal) };
}
