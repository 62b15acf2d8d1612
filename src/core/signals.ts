/** Signal names and numbers of Linux (signal(7)), which are the same on x86-64 and arm64. Pure data. */

/** Number of each signal, by name. */
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

/** Name of a standard signal. */
export type SignalName = keyof typeof signalNumbers;

/** First and last real-time signal as glibc counts them. glibc uses 32 and 33 itself. */
export const FIRST_REALTIME = 34;
export const LAST_REALTIME = 64;

/**
 * SIGRTMIN+3, the STOPSIGNAL of systemd's images. The number does not depend on the libc, since container engines count
 * as glibc does.
 */
export const SYSTEMD_STOP = 37;

/** Name of each standard signal, by number. */
export const signalNames: ReadonlyMap<number, SignalName> = new Map(
  Object.entries(signalNumbers).map(([name, number]) => [number, name as SignalName]),
);

/**
 * Signals that we never handle: those that cannot be caught, SIGCHLD (the reaper has it), those that report a fault of
 * this process itself, those of our own terminal access, and SIGPIPE, which is about our own writes.
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

/** Formats a signal for logs: `SIGTERM`, `SIGRTMIN+2`, or `signal 200` for an unknown number. */
export function formatSignal(number: number): string {
  const name = signalNames.get(number);
  if (name !== undefined) return name;
  if (number === FIRST_REALTIME) return 'SIGRTMIN';
  if (number > FIRST_REALTIME && number <= LAST_REALTIME) return `SIGRTMIN+${number - FIRST_REALTIME}`;
  return `signal ${number}`;
}

/**
 * Parses the name or number of a signal: `TERM`, `SIGTERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`. Returns null for any
 * other text.
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
