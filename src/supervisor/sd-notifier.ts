/**
 * The manager that runs us, as systemd does or podman with --sdnotify=container: tells it by sd_notify(3) when
 * everything is up, how it is, that we reload, that we end, and that our loop turns. Programs do not inherit its
 * variables: their READY=1 would speak in our name.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import { Alarm } from '../engine/alarm.ts';
import type { EngineEvent } from '../engine/events.ts';
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
 * Changes are told together: this long after the first, and this far apart from then on. A crash loop makes many of
 * them.
 */
const SOON_MS = 50;
const APART_MS = 1000;
/** Until the next try, when the manager is behind with reading. */
const RETRY_MS = 100;
/** Longest status that is sent. */
const MOST_STATUS_CHARACTERS = 200;
const MICROSECONDS_A_MS = 1000;

/** Requests of the manager. */
export interface NotifyTarget {
  /** NOTIFY_SOCKET: a path, or an abstract name after `@`; null without a manager. */
  readonly socket: string | null;
  /** Longest time between two signs of life; null for none. */
  readonly watchdogMs: number | null;
}

/** There is no manager to notify. */
export const NO_TARGET: NotifyTarget = { socket: null, watchdogMs: null };

/** Reads the target from the environment of the process with this pid. */
export function readTarget(env: Environment, pid: number): NotifyTarget {
  const { NOTIFY_SOCKET: socket = '', WATCHDOG_USEC: limit = '', WATCHDOG_PID: watched = '' } = env;
  const isOurs = watched === '' || watched === String(pid);
  const limitMs = isOurs && /^\d{1,15}$/.test(limit) ? Number(limit) / MICROSECONDS_A_MS : 0;
  return { socket: /^[/@]./.test(socket) ? socket : null, watchdogMs: limitMs > 0 ? limitMs : null };
}

/** The environment without the variables that are for us. */
export function withoutNotifyVariables(env: Environment): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !PROTOCOL.has(name)));
}

/** Parts of the notifier. */
export interface NotifierParts {
  readonly addon: Pick<Addon, 'connectDatagram' | 'sendDatagram'>;
  readonly clock: Clock;
  readonly report: Report;
  readonly target: NotifyTarget;
  /** Reasons why the programs are not ready, a line each. */
  readonly problems: () => readonly string[];
}

/** Tells the manager. Without one it does nothing. */
export class SdNotifier {
  readonly #parts: NotifierParts;
  readonly #look: Alarm;
  readonly #watchdog: Alarm;
  readonly #retry: Alarm;
  /** Assignments that were not taken yet, in order. */
  #waiting: readonly string[] = [];
  #isReadyTold = false;
  #isEnding = false;
  #status = '';
  #lookedMs = -Infinity;
  #hasFailed = false;

  constructor(parts: NotifierParts) {
    this.#parts = parts;
    this.#look = new Alarm(parts.clock, () => this.#tellState());
    this.#watchdog = new Alarm(parts.clock, () => this.#feed());
    this.#retry = new Alarm(parts.clock, () => this.#flush());
  }

  /** The programs are about to be started. */
  begin(): void {
    if (this.#parts.target.socket === null) return;
    this.#lookSoon();
    this.#feed();
  }

  /** Is told of every change, after it. */
  observe(event: EngineEvent): void {
    if (this.#parts.target.socket === null || this.#isEnding) return;
    if (event.type !== 'supervisor') return this.#lookSoon();
    this.#isReadyTold = false;
    this.#isEnding = event.goal === 'exit';
    this.#look.set(null);
    // sd_notify(3): a manager of Type=notify-reload wants the time, of CLOCK_MONOTONIC, with the first.
    this.#tell(
      this.#isEnding
        ? ['STOPPING=1', 'STATUS=shutting down']
        : ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`, 'STATUS=restarting'],
    );
  }

  /** We end. No alarm is left. */
  close(): void {
    if (this.#lookedMs >= 0 && !this.#isEnding) this.#tell(['STOPPING=1']);
    for (const alarm of [this.#look, this.#watchdog, this.#retry]) alarm.set(null);
  }

  #lookSoon(): void {
    this.#look.set(Math.max(this.#parts.clock.nowMs() + SOON_MS, this.#lookedMs + APART_MS));
  }

  #tellState(): void {
    this.#lookedMs = this.#parts.clock.nowMs();
    const problems = this.#parts.problems();
    const status = formatStatus(problems);
    const isNews = status !== this.#status;
    const isReady = problems.length === 0 && !this.#isReadyTold;
    this.#status = status;
    this.#isReadyTold ||= isReady;
    // A reload that starts nothing has no further event.
    if (problems.some((problem) => problem.startsWith('supervisor: '))) this.#lookSoon();
    if (isReady || isNews) this.#tell([...(isReady ? ['READY=1'] : []), `STATUS=${status}`]);
  }

  #feed(): void {
    const {
      target: { watchdogMs },
      clock,
    } = this.#parts;
    if (watchdogMs === null) return;
    this.#tell(['WATCHDOG=1']);
    this.#watchdog.set(clock.nowMs() + watchdogMs / 2);
  }

  #tell(assignments: readonly string[]): void {
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
      `cannot tell the manager of this process how it is: errno ${errno} at NOTIFY_SOCKET ${this.#parts.target.socket}`,
    );
  }

  /** A connection for each message: the manager may make its socket anew. Returns 0 or the errno. */
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

/** One line without control characters, which would be another assignment. */
function formatStatus(problems: readonly string[]): string {
  const [first, ...others] = problems;
  if (first === undefined) return 'all programs are up';
  const text = `not up: ${first}${others.length > 0 ? ` and ${others.length} more` : ''}`;
  return text.replace(/\p{Cc}/gu, ' ').slice(0, MOST_STATUS_CHARACTERS);
}
