/**
 * Handles signals from the start of the process until the supervisor is up. A request to shut down is obeyed at once,
 * before anything is started. All other signals wait, in order, until the supervisor can act on them.
 */
import type { ReceivedSignal, SignalIntake } from '../process/signals.ts';
import type { Supervision } from '../supervisor/supervision.ts';

export class EarlySignals {
  readonly #signals: SignalIntake;
  readonly #supervision: Supervision;
  readonly #kept: ReceivedSignal[] = [];

  /** Starts listening, and obeys a request to shut down that has arrived already. */
  constructor(signals: SignalIntake, supervision: Supervision) {
    this.#signals = signals;
    this.#supervision = supervision;
    signals.listen((received) => {
      if (supervision.signals.isShutdownSignal(received.number)) supervision.signals.take(received);
      else this.#kept.push(received);
    });
  }

  /** True once the shutdown has begun: nothing may be started. */
  get isOver(): boolean {
    return this.#supervision.engine.phase !== 'running';
  }

  /**
   * Starts the programs, unless an earlier reload does that. Signals for programs are forwarded after the programs were
   * started.
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
