/**
 * The signals that come in, by name: which ones the supervisor takes, which ones init mode sends on.
 * It decides nothing about what a signal means, and sends none.
 */
import { Socket } from 'node:net';
import { signalNumbers } from '../core/signals.ts';
import type { SignalName } from '../core/signals.ts';
import type { Addon } from '../native/addon.ts';

/** Those that mean something to a Supervisor. SIGCHLD is the reaper's. */
export const SUPERVISOR_SIGNALS = ['SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGHUP', 'SIGUSR2'] as const satisfies readonly SignalName[];

/**
 * Not sent on: those that cannot be caught, that of the reaper, those that say "this very process has a fault", those of our own
 * terminal access, and SIGPIPE, which is about our own writes.
 */
const OURS: ReadonlySet<SignalName> = new Set<SignalName>([
  'SIGKILL', 'SIGSTOP', 'SIGCHLD', 'SIGSEGV', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGSYS', 'SIGTTIN', 'SIGTTOU', 'SIGPIPE',
]);

/** Every signal that init mode sends on to its main program. */
export const FORWARDED_SIGNALS: readonly SignalName[] = (Object.keys(signalNumbers) as SignalName[]).filter((name) => !OURS.has(name));

/** Whether a signal means something to a Supervisor. */
export function isSupervisorSignal(name: SignalName): boolean {
  return SUPERVISOR_SIGNALS.some((own) => own === name);
}

/** Told of one signal; it may stand for several of its kind, since they merge. */
export type SignalListener = (name: SignalName, number: number) => void;

/** Takes the named signals: their default action no longer happens. The function returned gives them back. */
export function takeSignals(addon: Pick<Addon, 'unblockSignal'>, names: readonly SignalName[], listener: SignalListener): () => void {
  const taken = names.map((name) => ({ name, take: () => listener(name, signalNumbers[name]) }));
  for (const { name, take } of taken) process.on(name, take);
  // With --disable-sigusr1 Node starts with SIGUSR1 blocked, and no listener would ever hear it. The listener comes first: the default action is our end.
  for (const { name } of taken) addon.unblockSignal(signalNumbers[name]);
  return () => {
    for (const { name, take } of taken) process.removeListener(name, take);
  };
}

/**
 * Takes the real-time signals, which have no name in Node, by their numbers: init mode sends them on too. They are never given
 * back. `warn` is told if no more can come.
 */
export function takeRealtimeSignals(addon: Pick<Addon, 'catchRealtimeSignals'>, listener: (number: number) => void, warn: (text: string) => void): void {
  const pipe = new Socket({ fd: addon.catchRealtimeSignals(), readable: true, writable: false });
  pipe.on('data', (numbers: Uint8Array) => {
    for (const number of numbers) listener(number);
  });
  pipe.on('error', (error) => warn(`cannot receive real-time signals any more: ${error.message}`));
  // As with other signals, to wait for one is no reason to live on.
  pipe.unref();
}

/**
 * Ignores what a terminal sends to background processes that touch it: after we have handed over the foreground, we still write
 * our log there. To catch these would not do: the kernel would then restart the write for ever.
 */
export function ignoreTerminalStops(addon: Pick<Addon, 'ignoreSignal'>): void {
  addon.ignoreSignal(signalNumbers.SIGTTIN);
  addon.ignoreSignal(signalNumbers.SIGTTOU);
}
