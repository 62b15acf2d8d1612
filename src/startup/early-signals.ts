/**
 * Handles signals from the start of the process until the supervisor is up. A request to shut down is obeyed at once,
 * before anything is started. All other signals wait, in order, until the supervisor can act on them.
 */
import type { ReceivedSignal, SignalIntake } from '../process/signals.ts';
import type { SignalActions } from '../supervisor/signal-actions.ts';

/** Parts of the supervisor that early signals need. */
export interface EarlySupervision {
  readonly signals: Pick<SignalActions, 'isForProgram' | 'isShutdownSignal' | 'take'>;
  readonly engine: { readonly phase: string };
  start(): void;
}

export class EarlySignals {
  readonly #signals: Pick<SignalIntake, 'listen'>;
  readonly #supervision: EarlySupervision;
  readonly #kept: ReceivedSignal[] = [];
  #isStarted = false;

  /** Starts listening, and obeys a request to shut down that has arrived already. */
  constructor(signals: Pick<SignalIntake, 'listen'>, supervision: EarlySupervision) {
    this.#signals = signals;
    this.#supervision = supervision;
    this.#listen();
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
    // Also takes the signals that the loop has not delivered yet. A signal for a program comes too early for them, too.
    this.#listen();
    this.#isStarted = true;
    const kept = this.#kept.splice(0);
    const isForProgram = ({ number }: ReceivedSignal): boolean => this.#supervision.signals.isForProgram(number);
    for (const received of kept) if (!isForProgram(received)) this.#supervision.signals.take(received);
    if (!this.isOver) this.#supervision.start();
    for (const received of kept) if (isForProgram(received)) this.#supervision.signals.take(received);
  }

  #listen(): void {
    this.#signals.listen((received) => {
      const { signals } = this.#supervision;
      if (this.#isStarted || signals.isShutdownSignal(received.number)) signals.take(received);
      else this.#kept.push(received);
    });
  }
}
