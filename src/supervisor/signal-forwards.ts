/**
 * Sends received signals on to programs: to those in `forward_signals`, and to the main program of init mode. The rules
 * are in core/signal-meaning.ts.
 */
import { findProcesses } from '../config/dependencies.ts';
import type { Config, ProcessConfig } from '../config/model.ts';
import type { SignalCause } from '../core/cause.ts';
import { processFields } from '../core/log-fields.ts';
import { beginsStop, signalForMain } from '../core/signal-meaning.ts';
import { formatSignal } from '../core/signals.ts';
import type { Engine } from '../engine/engine.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';

/** Parts of {@link SignalForwards}. A reload replaces the configuration and the engine. */
export interface ForwardParts {
  readonly config: () => Config;
  readonly engine: () => Pick<Engine, 'processes' | 'process' | 'signalProcess' | 'stopBy'>;
  readonly report: Report;
}

/** A program that gets a signal, and the signal that it gets. */
interface Receiver {
  readonly proc: ProcessConfig;
  readonly signal: number;
}

/** The forwarding of one supervisor. */
export class SignalForwards {
  readonly #parts: ForwardParts;

  constructor(parts: ForwardParts) {
    this.#parts = parts;
  }

  /** Sends a signal that does not shut down the supervisor. False if no program should get it, or none took it. */
  forward(cause: SignalCause): boolean {
    const named = this.#named(cause.signal);
    if (named.length === 0) return this.forwardToMain(cause);
    for (const receiver of named) this.#sendOrWarn(receiver, cause);
    return true;
  }

  /** True if the main program runs. */
  isMainUp(): boolean {
    const proc = this.#main();
    return proc !== null && (this.#parts.engine().process(namespecOf(proc))?.record.pid ?? null) !== null;
  }

  /** Sends a signal to the main program. False if there is none, or if it does not run. */
  forwardToMain(cause: SignalCause): boolean {
    const outcomes = this.#mainReceivers(cause.signal).map((receiver) => this.#attempt(receiver, cause));
    return outcomes.includes(null);
  }

  /** Sends a stop signal on where that does not ask the program to end: the program has its stop later. */
  announceStop(cause: SignalCause): void {
    for (const receiver of this.#othersOf(cause.signal)) {
      if (!beginsStop(receiver.signal, receiver.proc.options.stopsignal)) this.#sendOrWarn(receiver, cause);
    }
  }

  /** Sends a stop signal on where that asks the program to end. This begins the stop of the program. */
  beginStops(cause: SignalCause): void {
    for (const { proc, signal } of this.#othersOf(cause.signal)) {
      if (beginsStop(signal, proc.options.stopsignal))
        this.#parts.engine().stopBy(namespecOf(proc), signal, { ...cause, sentAs: signal });
    }
  }

  /** Returns the programs that `forward_signals` names for a signal, with the signal that each one gets. */
  #named(signal: number): Receiver[] {
    const all = this.#processes();
    return this.#parts
      .config()
      .supervisord.forward_signals.filter((forward) => forward.signal === signal)
      .flatMap(({ name, as }) => findProcesses(name, all).map((proc) => ({ proc, signal: as ?? signal })));
  }

  /** Returns the same without the main program, which gets every stop signal anyway. */
  #othersOf(signal: number): Receiver[] {
    return this.#named(signal).filter(({ proc }) => proc.group !== this.#parts.config().main);
  }

  /** Returns the main program, with the signals that it gets for a received one: more than one only by option. */
  #mainReceivers(signal: number): Receiver[] {
    const proc = this.#main();
    if (proc === null) return [];
    const rewritten = this.#parts
      .config()
      .supervisord.forward_signals.flatMap(({ signal: from, name, as }) =>
        from === signal && as !== null && findProcesses(name, [proc]).length > 0 ? [{ proc, signal: as }] : [],
      );
    return rewritten.length > 0 ? rewritten : [{ proc, signal: signalForMain(signal, proc.options.stopsignal) }];
  }

  /** Returns all processes as they are configured now: an update may have changed them. */
  #processes(): ProcessConfig[] {
    return this.#parts
      .engine()
      .processes()
      .map(({ config }) => config);
  }

  #main(): ProcessConfig | null {
    const { main } = this.#parts.config();
    return main === null ? null : (this.#processes().find(({ group }) => group === main) ?? null);
  }

  #sendOrWarn(receiver: Receiver, cause: SignalCause): void {
    const failure = this.#attempt(receiver, cause);
    const { proc, signal } = receiver;
    if (failure !== null)
      this.#parts.report('warn', `cannot send ${formatSignal(signal)} on to ${proc.name}: ${failure}`, {
        event: 'signal_failed',
        signal: formatSignal(signal),
        ...processFields(proc),
      });
  }

  /** Sends a signal to a program, or to its group with `stopasgroup`. Returns null, or the reason of a failure. */
  #attempt({ proc, signal }: Receiver, cause: SignalCause): string | null {
    const sent = { ...cause, sentAs: signal };
    return this.#parts.engine().signalProcess(namespecOf(proc), signal, sent, proc.options.stopasgroup);
  }
}
