/**
 * Signals from the first moment of the process until the supervisor is up. An end is obeyed at once, before anything is
 * started; all else waits until the supervisor can act on it, in order.
 */
import type { ReceivedSignal, SignalIntake } from '../process/signals.ts';
import type { Supervision } from '../supervisor/supervision.ts';

export class EarlySignals {
  readonly #signals: SignalIntake;
  readonly #supervision: Supervision;
  readonly #kept: ReceivedSignal[] = [];

  /** Begins to listen, and acts on an end that has come already. */
  constructor(signals: SignalIntake, supervision: Supervision) {
    this.#signals = signals;
    this.#supervision = supervision;
    signals.listen((received) => {
      if (supervision.signals.isEnd(received.number)) supervision.signals.take(received);
      else this.#kept.push(received);
    });
  }

  /** True once the end has begun: nothing is to be started. */
  get isOver(): boolean {
    return this.#supervision.engine.phase !== 'running';
  }

  /**
   * Starts the programs, unless a reload that came before does so. Signals for programs are sent on when the programs
   * are there to take them.
   */
  start(): void {
    const kept = this.#kept.splice(0);
    this.#signals.listen((received) => this.#supervision.signals.take(received));
    const isForProgram = ({ number }: ReceivedSignal): boolean => this.#supervision.signals.isForProgram(number);
    for (const received of kept) if (!isForProgram(received)) this.#supervision.signals.take(received);
    if (!this.isOver) this.#supervision.start();
    for (const received of kept) if (isForProgram(received)) this.#supervision.signals.take(received);
  }
}
