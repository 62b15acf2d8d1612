/**
 * Sends sd_notify(3) messages to the service manager that runs us, such as systemd or podman with --sdnotify=container:
 * readiness, status, reload, shutdown, and watchdog. Programs do not inherit its variables: the manager would take
 * their READY=1 for ours.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { Alarm } from '../engine/alarm.ts';
import type { SupervisorEvent } from '../engine/events.ts';
import type { Clock, Report } from '../engine/ports.ts';
import type { Addon } from '../native/addon.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of sd_notify(3), sd_watchdog_enabled(3) and sd_listen_fds(3). */
const PROTOCOL: ReadonlySet<string> = new Set([
  'NOTIFY_SOCKET',
  'WATCHDOG_USEC',
  'WATCHDOG_PID',
  'LISTEN_PID',
  'LISTEN_FDS',
  'LISTEN_FDNAMES',
  'LISTEN_PIDFDID',
]);

/**
 * Delay after the first change, and minimum time between messages. Changes are sent together, since a crash loop makes
 * many.
 */
const SOON_MS = 50;
const APART_MS = 1000;
/** Time until the next try if the manager does not read. */
const RETRY_MS = 100;
/** Maximum length of a status. */
const MAX_STATUS_CHARACTERS = 200;
const MICROSECONDS_A_MS = 1000;

/** Request of the manager for notifications. */
export interface NotifyTarget {
  /** NOTIFY_SOCKET: a path, or an abstract name after `@`; null without a manager. */
  readonly socket: string | null;
  /** Maximum time between two WATCHDOG=1; null for no watchdog. */
  readonly watchdogMs: number | null;
}

/** Target without a manager. */
export const NO_TARGET: NotifyTarget = { socket: null, watchdogMs: null };

/** Reads the target from the environment of the process with this pid. */
export function readTarget(env: Environment, pid: number): NotifyTarget {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: limit = '', WATCHDOG_PID: watched = '' } = env;
  const isOurs = watched === '' || watched === String(pid);
  const limitMs = isOurs && /^\d{1,15}$/.test(limit) ? Number(limit) / MICROSECONDS_A_MS : 0;
  return { socket: /^[/@]./.test(socket) ? socket : null, watchdogMs: limitMs > 0 ? limitMs : null };
}

/** Returns the environment without the variables for us. */
export function withoutNotifyVariables(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !PROTOCOL.has(name)));
}

/** Parts of the notifier. */
export interface NotifierParts {
  readonly addon: Pick<Addon, 'connectDatagram' | 'sendDatagram'>;
  readonly clock: Clock;
  readonly report: Report;
  readonly target: NotifyTarget;
  /** Reasons why the programs are not ready, one line each. */
  readonly problems: () => readonly string[];
}

/** Notifies the manager. Does nothing without a manager. */
export class SdNotifier {
  readonly #parts: NotifierParts;
  readonly #stateAlarm: Alarm;
  readonly #watchdog: Alarm;
  readonly #retry: Alarm;
  /** Assignments that were not sent yet, in order. */
  #waiting: readonly string[] = [];
  #isReadySent = false;
  #isShuttingDown = false;
  #status = '';
  #stateSentMs = -Infinity;
  #hasFailed = false;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#stateAlarm = new Alarm(parts.clock, () => this.#sendState());
    this.#watchdog = new Alarm(parts.clock, () => this.#sendWatchdog());
    this.#retry = new Alarm(parts.clock, () => this.#flush());
  }

  /** Starts notifying. Call this before the programs are started. */
  begin(): void {
    if (this.#parts.target.socket === null) return;
    this.#scheduleState();
    this.#sendWatchdog();
  }

  /** Observes every change, after it. */
  observe(event: SupervisorEvent): void {
    if (this.#parts.target.socket === null || this.#isShuttingDown) return;
    if (event.type !== 'supervisor') return this.#scheduleState();
    this.#isReadySent = false;
    this.#isShuttingDown = event.goal === 'exit';
    this.#stateAlarm.set(null);
    // sd_notify(3): a manager with Type=notify-reload needs the time (CLOCK_MONOTONIC) together with RELOADING=1.
    this.#queue(
      this.#isShuttingDown
        ? ['STOPPING=1', 'STATUS=shutting down']
        : ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=restarting'],
    );
  }

  /** Notifies the manager of our exit, and cancels all alarms. */
  close(): void {
    if (this.#stateSentMs >= 0 && !this.#isShuttingDown) this.#queue(['STOPPING=1']);
    for (const alarm of [this.#stateAlarm, this.#watchdog, this.#retry]) alarm.set(null);
  }

  #scheduleState(): void {
    this.#stateAlarm.set(Math.max(this.#parts.clock.nowMs() + SOON_MS, this.#stateSentMs + APART_MS));
  }

  #sendState(): void {
    this.#stateSentMs = this.#parts.clock.nowMs();
    const problems = this.#parts.problems();
    const status = formatStatus(problems);
    const isNews = status !== this.#status;
    const isReady = problems.length === 0 && !this.#isReadySent;
    this.#status = status;
    this.#isReadySent ||= isReady;
    // A reload that starts nothing causes no further event.
    if (problems.some((problem) => problem.startsWith('supervisor: '))) this.#scheduleState();
    if (isReady || isNews) this.#queue([...(isReady ? ['READY=1'] : []), `STATUS=${status}`]);
  }

  #sendWatchdog(): void {
    const {
      target: { watchdogMs },
      clock,
    } = this.#parts;
    if (watchdogMs === null) return;
    this.#queue(['WATCHDOG=1']);
    this.#watchdog.set(clock.nowMs() + watchdogMs / 2);
  }

  #queue(assignments: readonly string[]): void {
    const names = new Set(assignments.map(nameOf));
    this.#waiting = [...this.#waiting.filter((waiting) => !names.has(nameOf(waiting))), ...assignments];
    this.#flush();
  }

  #flush(): void {
    const { clock, report } = this.#parts;
    const errno = this.#waiting.length === 0 ? 0 : this.#send(Buffer.from(this.#waiting.join('\n')));
    if (errno === constants.errno.EAGAIN) return this.#retry.set(clock.nowMs() + RETRY_MS);
    this.#waiting = [];
    if (errno === 0 || this.#hasFailed) return;
    this.#hasFailed = true;
    report(
      'warn',
      `cannot send our status to the service manager: errno ${errno} at NOTIFY_SOCKET ${this.#parts.target.socket}`,
    );
  }

  /**
   * Sends a message through a new connection, since the manager may have replaced its socket. Returns 0 or the errno.
   */
  #send(message: Uint8Array): number {
    const {
      addon,
      target: { socket },
    } = this.#parts;
    let fd: number;
    try {
      fd = addon.connectDatagram(socket ?? '');
    } catch (error) {
      return (error as { errno?: number }).errno ?? constants.errno.EIO;
    }
    const errno = addon.sendDatagram(fd, message, 0, message.length);
    closeSync(fd);
    return errno;
  }
}

function nameOf(assignment: string): string {
  return assignment.slice(0, assignment.indexOf('='));
}

/** Formats one line without control characters. A newline would begin another assignment. */
function formatStatus(problems: readonly string[]): string {
  const [first, ...others] = problems;
  if (first === undefined) return 'all programs are up';
  const text = `not up: ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
  return text.replace(/\p{Cc}/gu, ' ').slice(0, MAX_STATUS_CHARACTERS);
}
