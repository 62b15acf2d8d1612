/**
 * Incoming signals: which ones the supervisor handles, which ones init mode forwards, and who sent each. Does not
 * interpret signals and sends none.
 */
import type { Config } from '../config/model.ts';
import type { SignalOrigin } from '../core/shutdown-signals.ts';
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
 * Signals with a meaning for the supervisor in every mode. The reaper has SIGCHLD. SIGPWR and SIGRTMIN+3 are the
 * STOPSIGNAL of some base images.
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
 * Signals that init mode forwards to its main program. PID 1 must handle them too, since the kernel gives PID 1 no
 * default actions.
 */
export const FORWARDED_SIGNALS: readonly number[] = [
  ...Object.values(signalNumbers).filter((number) => !UNTAKEN_SIGNALS.includes(number)),
  ...Array.from({ length: LAST_REALTIME - FIRST_REALTIME + 1 }, (_, index) => FIRST_REALTIME + index),
];

/** Returns the signals to handle before the configuration is known. `pid` is our own. */
export function firstSignals(pid: number): readonly number[] {
  return pid === 1 ? FORWARDED_SIGNALS : SUPERVISOR_SIGNALS;
}

/**
 * Returns the signals that the supervisor handles with a configuration. A main program gets every signal, and so does a
 * container. PID 1 must handle every signal, since the kernel gives PID 1 no default actions. Elsewhere the supervisor
 * handles the signals with a meaning, and those of `forward_signals` and `stop_on_signals`.
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
 * Signals for which Node installs one-shot handlers before any script runs. Such a handler resets the terminal,
 * restores the default action, and sends the signal again. For PID 1 the kernel drops the second signal. So a default
 * action shows that the signal has arrived.
 */
const ONE_SHOT_IN_NODE: ReadonlySet<number> = new Set([signalNumbers.SIGTERM, signalNumbers.SIGINT]);

/** A signal that arrived. */
export interface ReceivedSignal {
  readonly number: number;
  readonly origin: SignalOrigin;
  /** Pid of the sender. 0 if unknown: the kernel, another PID namespace, or a time before the addon was loaded. */
  readonly sender: number;
}

/**
 * Receives signals. One call may stand for several signals of the same kind, since the kernel merges them. Must not
 * throw.
 */
export type SignalListener = (signal: ReceivedSignal) => void;

/** Number of signals that one call of the addon returns, and of numbers for each signal. */
const BATCH = 64;
const NUMBERS_A_SIGNAL = 3;
/** Limit on batches that are read at once when a listener is set. The pipe holds about this many. */
const MAX_BATCHES = 128;

/**
 * Handles signals from the start of our code, and keeps those that arrive before a listener is set.
 *
 * No signal may be lost, so the order of the steps matters. Node handles a signal by `process.on` until the addon is
 * loaded. The addon then replaces Node's handler in the kernel, and Node's listener stays in place. With it, later
 * listeners (`signal-exit`) do not make Node install its own handler again.
 */
export class SignalIntake {
  readonly #held = new Set<number>();
  readonly #kept: ReceivedSignal[] = [];
  readonly #out = new Uint32Array(BATCH * NUMBERS_A_SIGNAL);
  readonly #pid: number;
  #addon: SignalAddon | null = null;
  #listener: SignalListener | null = null;

  /** Handles `numbers`, except those for which Node has a handler (see {@link ONE_SHOT_IN_NODE}). `pid` is our own. */
  constructor(pid: number, numbers: readonly number[]) {
    this.#pid = pid;
    for (const number of numbers) if (!ONE_SHOT_IN_NODE.has(number)) this.#hold(number);
  }

  /** Continues with the addon, which knows the senders, and signals that have no name in Node. */
  attach(addon: SignalAddon, numbers: readonly number[]): void {
    this.#addon = addon;
    addon.watchReadable(addon.signalPipe(), () => this.#read());
    this.take(numbers);
  }

  /** Handles further signals: their default action no longer happens. Requires {@link attach}. */
  take(numbers: readonly number[]): void {
    for (const number of numbers) {
      const wasDefault = this.#addon?.catchSignal(number) === true;
      if (wasDefault && ONE_SHOT_IN_NODE.has(number)) this.#deliver(this.#unknown(number));
      if (this.#hold(number)) this.#addon?.catchSignal(number);
    }
  }

  /**
   * Calls `listener` with every signal. Signals that were kept come first, before this function returns. Replaces the
   * previous listener.
   */
  listen(listener: SignalListener): void {
    this.#listener = null;
    for (let batch = 0; batch < MAX_BATCHES && this.#read() === BATCH; batch += 1);
    this.#listener = listener;
    for (const signal of this.#kept.splice(0)) listener(signal);
  }

  /** Makes Node listen. False if Node listens already, or cannot. */
  #hold(number: number): boolean {
    const name = signalNames.get(number);
    if (name === undefined || this.#held.has(number)) return false;
    this.#held.add(number);
    process.on(name, () => this.#deliver(this.#unknown(number)));
    return true;
  }

  #unknown(number: number): ReceivedSignal {
    return { number, origin: 'unknown', sender: 0 };
  }

  /** Reads one batch in each turn of the loop. The pipe stays readable while more signals wait. */
  #read(): number {
    const count = this.#addon?.readSignals(this.#out) ?? 0;
    for (let at = 0; at < count * NUMBERS_A_SIGNAL; at += NUMBERS_A_SIGNAL) {
      const [number = 0, code = 0, sender = 0] = Int32Array.from(this.#out.subarray(at, at + NUMBERS_A_SIGNAL));
      this.#deliver({ number, origin: originOf(code, sender, this.#pid), sender: Math.max(sender, 0) });
    }
    return count;
  }

  #deliver(signal: ReceivedSignal): void {
    if (this.#listener === null) this.#kept.push(signal);
    else this.#listener(signal);
  }
}

/** Functions of the addon that the intake uses. */
export type SignalAddon = Pick<Addon, 'catchSignal' | 'signalPipe' | 'readSignals' | 'watchReadable'>;

/** Signals that are blocked for PID 1 from its first instruction on. As in native/libc/early-signals.c. */
const HELD_SIGNALS: readonly SignalName[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'];

/** Lets the held signals through, for a program that catches none: then they act as Node and the kernel have it. */
export function releaseSignals(addon: Pick<Addon, 'unblockSignal'>): void {
  for (const name of HELD_SIGNALS) addon.unblockSignal(signalNumbers[name]);
}

/**
 * Handles the named signals with Node alone, for a program that does not need the senders. Returns a function that
 * stops this.
 */
export function takeSignals(
  addon: Pick<Addon, 'unblockSignal'>,
  names: readonly SignalName[],
  listener: (name: SignalName) => void,
): () => void {
  const taken = names.map((name) => ({ name, take: () => listener(name) }));
  for (const { name, take } of taken) process.on(name, take);
  // With --disable-sigusr1 Node starts with SIGUSR1 blocked, and a listener would never be called. Add the listener
  // before unblocking: the default action would end us.
  for (const { name } of taken) addon.unblockSignal(signalNumbers[name]);
  return () => {
    for (const { name, take } of taken) process.removeListener(name, take);
  };
}

/**
 * Ignores the signals that a terminal sends to background processes which use it. After the foreground was handed over,
 * we still write our log there. Catching the signals would not help: the kernel would restart the write forever.
 */
export function ignoreTerminalStops(addon: Pick<Addon, 'ignoreSignal'>): void {
  addon.ignoreSignal(signalNumbers.SIGTTIN);
  addon.ignoreSignal(signalNumbers.SIGTTOU);
}
