/**
 * What programs say of themselves (`notification_fd`, `notify`) on its way to the engine: ready, a few words for the
 * status, signs of life for the watchdog. It keeps what belongs to the run that goes on, and changes no process itself.
 */
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

const SECOND_MS = 1000;
/**
 * A watchdog that is looked at so much too late says nothing of the program: the container was frozen (`docker pause`)
 * or the machine asleep, and the program with it. It gets its whole time again.
 */
const LATE_MS = 1000;

export interface ReadinessParts {
  readonly engine: Pick<Engine, 'process' | 'restartProcess' | 'tellReady'>;
  readonly clock: Clock;
  readonly report: Report;
  readonly channels: Pick<NotificationChannels, 'listen' | 'readNow' | 'close' | 'closeAll'>;
}

/** What one run has said. */
interface RunReadiness {
  readonly run: number;
  status: string;
  /** The longest time between two signs of life; null for no watchdog. */
  limitMs: number | null;
  /** It is ready, and does not stop: the watchdog counts. */
  isWatched: boolean;
  dueMs: number | null;
  readonly alarm: Alarm;
  /** What was said in the log: one line for a kind of trouble in a run. */
  readonly said: Set<string>;
}

/** See the head of this file. */
export class Readiness implements Monitor {
  readonly #parts: ReadinessParts;
  readonly #told = new Map<string, RunReadiness>();

  constructor(parts: ReadinessParts) {
    this.#parts = parts;
    parts.channels.listen((id, run, notice) => this.#take(id, run, notice));
  }

  begin(): void {
    // Nothing is told before there is a run.
  }

  observe(event: EngineEvent): void {
    if (event.type !== 'process') return;
    const {
      id,
      record: { state },
    } = event.process;
    if (state === 'STARTING' || state === 'RUNNING') return;
    const told = this.#told.get(id);
    if (told !== undefined) this.#unwatch(told);
    if (state === 'STOPPING') return;
    this.#told.delete(id);
    this.#parts.channels.close(id);
  }

  /** Returns the text that a program reports about itself (`STATUS=`) while it runs; null for none. */
  remark(id: string): ProcessRemark | null {
    const status = this.#told.get(id)?.status ?? '';
    return status === '' ? null : { kind: 'statusText', text: status };
  }

  close(): void {
    for (const told of this.#told.values()) this.#unwatch(told);
    this.#told.clear();
    this.#parts.channels.closeAll();
  }

  #take(id: string, run: number, notice: Notice): void {
    const proc = this.#parts.engine.process(id);
    if (proc === null || proc.record.run !== run) return;
    const told = this.#toldBy(proc);
    switch (notice.kind) {
      case 'ready':
        this.#parts.engine.tellReady(id, run);
        told.isWatched = proc.record.state !== 'STOPPING';
        return this.#feed(told);
      case 'alive':
        return this.#feed(told);
      case 'watchdog':
        told.limitMs = notice.limitMs;
        return this.#feed(told);
      case 'failed':
        this.#parts.engine.restartProcess(id, 'it said WATCHDOG=trigger');
        return;
      case 'status':
        told.status = notice.text;
        return;
      case 'stopping':
        this.#unwatch(told);
        return this.#note(told, notice, proc.config.name);
      default:
        return this.#note(told, notice, proc.config.name);
    }
  }

  #toldBy({ id, config, record: { run } }: ProcessView): RunReadiness {
    const known = this.#told.get(id);
    if (known?.run === run) return known;
    if (known !== undefined) this.#unwatch(known);
    const { watchdog_sec: limit } = config.options;
    const told: RunReadiness = {
      run,
      status: '',
      limitMs: limit === null || limit === 0 ? null : limit * SECOND_MS,
      isWatched: false,
      dueMs: null,
      alarm: new Alarm(this.#parts.clock, () => this.#look(id, told)),
      said: new Set(),
    };
    this.#told.set(id, told);
    return told;
  }

  /** A sign of life: the time counts anew. */
  #feed(told: RunReadiness): void {
    told.dueMs = told.isWatched && told.limitMs !== null ? this.#parts.clock.nowMs() + told.limitMs : null;
    told.alarm.set(told.dueMs);
  }

  #unwatch(told: RunReadiness): void {
    told.isWatched = false;
    this.#feed(told);
  }

  /** The time has run out, unless a sign of life waits to be read, or it was we who did not look. */
  #look(id: string, told: RunReadiness): void {
    const { dueMs, limitMs } = told;
    if (dueMs === null || limitMs === null) return;
    if (this.#parts.clock.nowMs() > dueMs + LATE_MS) return this.#feed(told);
    this.#parts.channels.readNow(id);
    if (told.dueMs === dueMs) this.#parts.engine.restartProcess(id, `no WATCHDOG=1 for ${limitMs / SECOND_MS} seconds`);
  }

  #note(told: RunReadiness, notice: Notice, name: string): void {
    const message = formatNotice(notice, name);
    const kind = notice.kind === 'refused' ? notice.why : notice.kind === 'unheeded' ? notice.name : notice.kind;
    if (message === null || told.said.has(kind)) return;
    told.said.add(kind);
    this.#parts.report(...message);
  }
}

/** The line in the log for what is acted upon nowhere else; null for none. */
function formatNotice(notice: Notice, name: string): Message | null {
  switch (notice.kind) {
    case 'stopping':
      return ['debug', `${name} says that it stops (STOPPING=1)`];
    case 'reloading':
      return ['debug', `${name} says that it reads its configuration anew (RELOADING=1)`];
    case 'unheeded':
      return ['debug', `${notice.name} of ${name} is not heeded`];
    case 'closed':
      return ['debug', `${name} has closed the descriptor of notification_fd without a line: it is not ready`];
    case 'flooded':
      return [
        'warn',
        `cannot tell whether '${name}' is ready: it writes to the descriptor of notification_fd, but no line; the descriptor is closed`,
      ];
    case 'deaf':
      return ['error', `cannot hear '${name}' any more: the socket of notify has failed (errno ${notice.errno})`];
    case 'refused':
      return ['warn', `cannot take a notification for '${name}': ${formatRefusal(notice.why, notice.pid, notice.uid)}`];
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
