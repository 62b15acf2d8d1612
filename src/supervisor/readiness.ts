/**
 * Passes the notifications of programs (`notification_fd`, `notify`, `ready_log`) to the engine and the status:
 * readiness, status text, watchdog. Keeps the notifications of the current run, and asks the engine for restarts.
 */
import { processFields } from '../core/log-fields.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import { Alarm } from '../engine/alarm.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Message } from '../engine/messages.ts';
import type { Clock, Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { Notice, NotificationChannels } from '../process/notification-channels.ts';
import type { Refusal } from '../process/notification-socket.ts';
import type { Monitor } from '../engine/monitor.ts';
import type { ReadyLogs } from './ready-logs.ts';

const SECOND_MS = 1000;
/**
 * If a watchdog alarm is this late, the container was frozen (`docker pause`) or the machine slept, and the program
 * with it. The program then gets its whole time again.
 */
const LATE_MS = 1000;

export interface ReadinessParts {
  readonly engine: Pick<Engine, 'process' | 'restartProcess' | 'reportReady'>;
  readonly clock: Clock;
  readonly report: Report;
  readonly channels: Pick<NotificationChannels, 'listen' | 'readNow' | 'close' | 'closeAll'>;
  readonly readyLogs: Pick<ReadyLogs, 'listen' | 'close' | 'closeAll'>;
}

/** The notifications of one run. */
interface RunReadiness {
  readonly run: number;
  status: string;
  /** Maximum time between two WATCHDOG=1; null for no watchdog. */
  limitMs: number | null;
  /** True while the watchdog counts: the program is ready and is not stopping. */
  isWatched: boolean;
  dueMs: number | null;
  readonly alarm: Alarm;
  /** Kinds of notices that were logged in this run. */
  readonly logged: Set<string>;
}

/** The notifications of the programs of one engine. */
export class Readiness implements Monitor {
  readonly #parts: ReadinessParts;
  readonly #readiness = new Map<string, RunReadiness>();

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
    parts.channels.listen((id, run, notice) => this.#take(id, run, notice));
    parts.readyLogs.listen((id, run) => this.#take(id, run, { kind: 'ready' }));
  }

  begin(): void {
    // There is no run yet.
  }

  observe(event: EngineEvent): void {
    if (event.type !== 'process') return;
    const {
      id,
      record: { state },
    } = event.process;
    if (state === 'STARTING' || state === 'RUNNING') return;
    const readiness = this.#readiness.get(id);
    if (readiness !== undefined) this.#unwatch(readiness);
    this.#parts.readyLogs.close(id);
    if (state === 'STOPPING') return;
    this.#readiness.delete(id);
    this.#parts.channels.close(id);
  }

  /** Returns the status text (`STATUS=`) of the current run; null for none. */
  remark(id: string): ProcessRemark | null {
    const status = this.#readiness.get(id)?.status ?? '';
    return status === '' ? null : { kind: 'statusText', text: status };
  }

  close(): void {
    for (const readiness of this.#readiness.values()) this.#unwatch(readiness);
    this.#readiness.clear();
    this.#parts.channels.closeAll();
    this.#parts.readyLogs.closeAll();
  }

  #take(id: string, run: number, notice: Notice): void {
    const proc = this.#parts.engine.process(id);
    if (proc === null || proc.record.run !== run) return;
    const readiness = this.#readinessOf(proc);
    switch (notice.kind) {
      case 'ready':
        this.#parts.engine.reportReady(id, run);
        readiness.isWatched = proc.record.state !== 'STOPPING';
        return this.#feed(readiness);
      case 'alive':
        return this.#feed(readiness);
      case 'watchdog':
        readiness.limitMs = notice.limitMs;
        return this.#feed(readiness);
      case 'failed':
        this.#parts.engine.restartProcess(id, { kind: 'watchdog', limitMs: null });
        return;
      case 'status':
        readiness.status = notice.text;
        return;
      case 'stopping':
        this.#unwatch(readiness);
        return this.#note(readiness, notice, proc);
      default:
        return this.#note(readiness, notice, proc);
    }
  }

  #readinessOf({ id, config, record: { run } }: ProcessView): RunReadiness {
    const known = this.#readiness.get(id);
    if (known?.run === run) return known;
    if (known !== undefined) this.#unwatch(known);
    const { watchdog_sec: limit } = config.options;
    const readiness: RunReadiness = {
      run,
      status: '',
      limitMs: limit === null || limit === 0 ? null : limit * SECOND_MS,
      isWatched: false,
      dueMs: null,
      alarm: new Alarm(this.#parts.clock, () => this.#check(id, readiness)),
      logged: new Set(),
    };
    this.#readiness.set(id, readiness);
    return readiness;
  }

  /** Restarts the time of the watchdog. */
  #feed(readiness: RunReadiness): void {
    readiness.dueMs =
      readiness.isWatched && readiness.limitMs !== null ? this.#parts.clock.nowMs() + readiness.limitMs : null;
    readiness.alarm.set(readiness.dueMs);
  }

  #unwatch(readiness: RunReadiness): void {
    readiness.isWatched = false;
    this.#feed(readiness);
  }

  /** Restarts a program whose time has run out, unless the socket holds a WATCHDOG=1 or the alarm itself is late. */
  #check(id: string, readiness: RunReadiness): void {
    const { dueMs, limitMs } = readiness;
    if (dueMs === null || limitMs === null) return;
    if (this.#parts.clock.nowMs() > dueMs + LATE_MS) return this.#feed(readiness);
    this.#parts.channels.readNow(id);
    if (readiness.dueMs === dueMs) this.#parts.engine.restartProcess(id, { kind: 'watchdog', limitMs });
  }

  #note(readiness: RunReadiness, notice: Notice, { config, record: { pid, state } }: ProcessView): void {
    const message = formatNotice(notice, config.name);
    const kind = kindOf(notice);
    if (message === null || readiness.logged.has(kind)) return;
    readiness.logged.add(kind);
    const [level, text] = message;
    const fields = {
      event: 'notification',
      ...processFields(config),
      ...(pid === null ? {} : { pid }),
      state,
    } as const;
    this.#parts.report(level, text, fields);
  }
}

/** Key for notices that are logged once in a run. */
function kindOf(notice: Notice): string {
  switch (notice.kind) {
    case 'refused':
      return notice.why;
    case 'unsupported':
      return notice.name;
    default:
      return notice.kind;
  }
}

/** Formats the log line of a notice that has no other effect; null for no line. */
function formatNotice(notice: Notice, name: string): Message | null {
  switch (notice.kind) {
    case 'stopping':
      return ['debug', `${name} reports that it stops (STOPPING=1)`];
    case 'reloading':
      return ['debug', `${name} reports that it reloads its configuration (RELOADING=1)`];
    case 'unsupported':
      return ['debug', `ignored ${notice.name} of ${name}`];
    case 'closed':
      return ['debug', `${name} has closed notification_fd without a line, so it is not ready`];
    case 'flooded':
      return [
        'warn',
        `cannot tell whether '${name}' is ready: it has written too much without a newline to notification_fd; the ` +
          `descriptor is closed`,
      ];
    case 'socketFailed':
      return [
        'error',
        `cannot receive notifications of '${name}' any more: the socket of notify has failed (errno ${notice.errno})`,
      ];
    case 'refused':
      return ['warn', `ignored a notification for '${name}': ${formatRefusal(notice.why, notice.pid, notice.uid)}`];
    default:
      return null;
  }
}

function formatRefusal(why: Refusal, pid: number, uid: number): string {
  switch (why) {
    case 'user':
      return `pid ${pid} of uid ${uid} is neither the program nor of its user`;
    case 'namespace':
      return 'its sender is in another pid namespace';
    case 'length':
      return `the message of pid ${pid} is longer than 4096 bytes`;
    case 'form':
      return `there is a NUL in the message of pid ${pid}`;
  }
}
