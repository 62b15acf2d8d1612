/**
 * The signals that come in: which ones the supervisor takes, which ones init mode sends on, and who sent each.
 * It decides nothing about what a signal means, and sends none.
 */
import type { Config } from '../config/model.ts';
import type { SignalOrigin } from '../core/end-signals.ts';
import {
  FIRST_REALTIME,
  LAST_REALTIME,
  type SignalName,
  signalNames,
  signalNumbers,
  SYSTEMD_STOP,
  UNTAKEN_SIGNALS,
} from '../core/signals.ts';
import type { Addon } from '../native/addon.ts';
import { originOf } from './signal-origin.ts';

/**
 * Those that mean something to us, whoever we are. SIGCHLD is the reaper's. SIGPWR and SIGRTMIN+3 are STOPSIGNAL of
 * base images.
 */
export const SUPERVISOR_SIGNALS: readonly number[] = [
  signalNumbers.SIGTERM,
  signalNumbers.SIGINT,
  signalNumbers.SIGQUIT,
  signalNumbers.SIGHUP,
  signalNumbers.SIGUSR2,
  signalNumbers.SIGPWR,
  SYSTEMD_STOP,
];

/**
 * Every signal that init mode sends on to its main program, and that PID 1 takes: the kernel gives PID 1 no default
 * actions.
 */
export const FORWARDED_SIGNALS: readonly number[] = [
  ...Object.values(signalNumbers).filter((number) => !UNTAKEN_SIGNALS.includes(number)),
  ...Array.from({ length: LAST_REALTIME - FIRST_REALTIME + 1 }, (_, index) => FIRST_REALTIME + index),
];

/** Signals that our process takes before it knows its configuration. `pid` is our own. */
export function firstSignals(pid: number): readonly number[] {
  return pid === 1 ? FORWARDED_SIGNALS : SUPERVISOR_SIGNALS;
}

/**
 * Signals that the supervisor takes under a configuration. A main program gets every signal, and so does a container.
 * PID 1 must take every signal too: the kernel gives PID 1 no default actions. Elsewhere the supervisor takes the
 * signals that mean something, and those of `forward_signals` and `stop_on_signals`.
 */
export function signalsToTake(
  { main, supervisord }: Pick<Config, 'main' | 'supervisord'>,
  { pid, isContainer }: { readonly pid: number; readonly isContainer: boolean },
): readonly number[] {
  if (main !== null || isContainer || pid === 1) return FORWARDED_SIGNALS;
  const named = [...supervisord.forward_signals.map(({ signal }) => signal), ...supervisord.stop_on_signals];
  return [...SUPERVISOR_SIGNALS, ...named.filter((number) => FORWARDED_SIGNALS.includes(number))];
}

/**
 * Node installs one-shot handlers for these before any script runs: they reset the terminal and send the signal once
 * more, which then has its default action. The kernel drops that for PID 1, so an action that is back to the default
 * says that the signal has come.
 */
const ONE_SHOT_IN_NODE: ReadonlySet<number> = new Set([signalNumbers.SIGTERM, signalNumbers.SIGINT]);

/** A signal that came in. */
export interface ReceivedSignal {
  readonly number: number;
  readonly origin: SignalOrigin;
  /** Pid of the sender; 0 where none is known: the kernel, another pid namespace, before the addon was loaded. */
  readonly sender: number;
}

/** Told of one signal; it may stand for several of its kind, since they merge. Must not throw. */
export type SignalListener = (signal: ReceivedSignal) => void;

/** Signals that one call of the addon hands over, and the numbers that each has. */
const BATCH = 64;
const NUMBERS_A_SIGNAL = 3;
/** Batches that are taken at once when somebody begins to listen; the pipe holds no more than about these. */
const MOST_BATCHES = 128;

/**
 * Takes signals from the first moment of our code on, and keeps those that come before somebody listens.
 *
 * Order of the steps, so that none is lost: Node takes a signal by `process.on` before the addon is there; the addon
 * replaces Node's handler in the kernel and leaves Node's listener in place. That listener also keeps later ones
 * (`signal-exit`) from making Node take the signal back.
 */
export class SignalIntake {
  readonly #held = new Set<number>();
  readonly #kept: ReceivedSignal[] = [];
  readonly #out = new Uint32Array(BATCH * NUMBERS_A_SIGNAL);
  readonly #pid: number;
  #addon: SignalAddon | null = null;
  #listener: SignalListener | null = null;

  /** Takes `numbers`, all but those of which Node knows already (see {@link ONE_SHOT_IN_NODE}). `pid` is our own. */
  constructor(pid: number, numbers: readonly number[]) {
    this.#pid = pid;
    for (const number of numbers) if (!ONE_SHOT_IN_NODE.has(number)) this.#hold(number);
  }

  /** Goes on with the addon, which knows the senders and the signals that have no name in Node. */
  attach(addon: SignalAddon, numbers: readonly number[]): void {
    this.#addon = addon;
    addon.watchReadable(addon.signalPipe(), () => this.#read());
    this.take(numbers);
  }

  /** Takes further signals: their default action no longer happens. Only after {@link attach}. */
  take(numbers: readonly number[]): void {
    for (const number of numbers) {
      const wasDefault = this.#addon?.catchSignal(number) === true;
      if (wasDefault && ONE_SHOT_IN_NODE.has(number)) this.#tell(this.#unknown(number));
      if (this.#hold(number)) this.#addon?.catchSignal(number);
    }
  }

  /**
   * Calls `listener` with every signal, first with those that were kept, before it returns. A later listener takes the
   * place of this one.
   */
  listen(listener: SignalListener): void {
    this.#listener = null;
    for (let batch = 0; batch < MOST_BATCHES && this.#read() === BATCH; batch += 1);
    this.#listener = listener;
    for (const signal of this.#kept.splice(0)) listener(signal);
  }

  /** Makes Node listen. False where it does so already, or cannot. */
  #hold(number: number): boolean {
    const name = signalNames.get(number);
    if (name === undefined || this.#held.has(number)) return false;
    this.#held.add(number);
    process.on(name, () => this.#tell(this.#unknown(number)));
    return true;
  }

  #unknown(number: number): ReceivedSignal {
    return { number, origin: 'unknown', sender: 0 };
  }

  /** One batch in a turn of the loop: the pipe stays readable while more wait. */
  #read(): number {
    const count = this.#addon?.readSignals(this.#out) ?? 0;
    for (let at = 0; at < count * NUMBERS_A_SIGNAL; at += NUMBERS_A_SIGNAL) {
      const [number = 0, code = 0, sender = 0] = Int32Array.from(this.#out.subarray(at, at + NUMBERS_A_SIGNAL));
      this.#tell({ number, origin: originOf(code, sender, this.#pid), sender: Math.max(sender, 0) });
    }
    return count;
  }

  #tell(signal: ReceivedSignal): void {
    if (this.#listener === null) this.#kept.push(signal);
    else this.#listener(signal);
  }
}

/** Functions of the addon that the intake uses. */
export type SignalAddon = Pick<Addon, 'catchSignal' | 'signalPipe' | 'readSignals' | 'watchReadable'>;

/**
 * Takes the named signals by Node alone, for a program that need not know the senders. The function returned gives them
 * back.
 */
export function takeSignals(
  addon: Pick<Addon, 'unblockSignal'>,
  names: readonly SignalName[],
  listener: (name: SignalName) => void,
): () => void {
  const taken = names.map((name) => ({ name, take: () => listener(name) }));
  for (const { name, take } of taken) process.on(name, take);
  // With --disable-sigusr1 Node starts with SIGUSR1 blocked, and no listener would ever hear it. The listener comes
  // first: the default action is our end.
  for (const { name } of taken) addon.unblockSignal(signalNumbers[name]);
  return () => {
    for (const { name, take } of taken) process.removeListener(name, take);
  };
}

/**
 * Ignores what a terminal sends to background processes that touch it: after we have handed over the foreground, we
 * still write our log there. To catch these would not do: the kernel would then restart the write for ever.
 */
export function ignoreTerminalStops(addon: Pick<Addon, 'ignoreSignal'>): void {
  addon.ignoreSignal(signalNumbers.SIGTTIN);
  addon.ignoreSignal(signalNumbers.SIGTTOU);
}
