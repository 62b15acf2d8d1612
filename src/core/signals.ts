/**
 * Signal names and numbers of Linux (signal(7)); the same on x86-64 and arm64.
 * Pure data; it sends nothing.
 */

/** Number of each signal, by its name. */
export const signalNumbers = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

/** Name of a signal with a number below the real-time ones. */
export type SignalName = keyof typeof signalNumbers;

/** Numbers of the first and the last real-time signal as glibc counts them; it keeps the two before for itself. */
export const FIRST_REALTIME = 34;
export const LAST_REALTIME = 64;

/**
 * SIGRTMIN+3 of systemd, STOPSIGNAL of its images: the number is this one whatever the libc, since engines count as
 * glibc does.
 */
export const SYSTEMD_STOP = 37;

/** Name of each signal below the real-time ones, by its number. */
export const signalNames: ReadonlyMap<number, SignalName> = new Map(
  Object.entries(signalNumbers).map(([name, number]) => [number, name as SignalName]),
);

/**
 * Signals that we never take: those that cannot be caught, that of the reaper, those that say "this very process has a
 * fault", those of our own terminal access, and SIGPIPE, which is about our own writes.
 */
export const UNTAKEN_SIGNALS: readonly number[] = (
  [
    'SIGKILL',
    'SIGSTOP',
    'SIGCHLD',
    'SIGSEGV',
    'SIGBUS',
    'SIGFPE',
    'SIGILL',
    'SIGTRAP',
    'SIGABRT',
    'SIGSYS',
    'SIGTTIN',
    'SIGTTOU',
    'SIGPIPE',
  ] as const
).map((name) => signalNumbers[name]);

/** Name of a signal as logs show it: `SIGTERM`, `SIGRTMIN+2`; `signal 200` where there is none with that number. */
export function formatSignal(number: number): string {
  const name = signalNames.get(number);
  if (name !== undefined) return name;
  if (number === FIRST_REALTIME) return 'SIGRTMIN';
  if (number > FIRST_REALTIME && number <= LAST_REALTIME) return `SIGRTMIN+${number - FIRST_REALTIME}`;
  return `signal ${number}`;
}

/**
 * Number of the signal that a text names: `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`; null where it names
 * none.
 */
export function parseSignal(text: string): number | null {
  const word = text.trim().toUpperCase();
  if (/^\d+$/.test(word)) {
    const number = Number(word);
    return number >= 1 && number <= LAST_REALTIME ? number : null;
  }
  const name = word.startsWith('SIG') ? word : `SIG${word}`;
  const realtime = /^SIGRT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (realtime !== null) {
    const base = realtime[1] === 'MIN' ? FIRST_REALTIME : LAST_REALTIME;
    const offset = Number(realtime[3] ?? 0) * (realtime[2] === '-' ? -1 : 1);
    const number = base + offset;
    return number >= FIRST_REALTIME && number <= LAST_REALTIME ? number : null;
  }
  return Object.hasOwn(signalNumbers, name) ? signalNumbers[name as SignalName] : null;
}
