/** A pool of event listeners with fake listeners and a fake clock. */
import type { SupervisorEvent } from '../../../src/core/event-payload.ts';
import { ListenerPool, type PoolSpec } from '../../../src/events/listener-pool.ts';
import { FakeClock } from '../../engine/world.ts';

/** The fake clock of the engine tests, with a time of day. */
export class FakeWallClock extends FakeClock {
  /** Wall-clock time at time 0 of the monotonic clock, in milliseconds since 1970. */
  offsetMs = 0;

  wallMs(): number {
    return this.nowMs() + this.offsetMs;
  }
}

/** Creates an event that is identified by its data. */
export function remote(data: string): SupervisorEvent {
  return { kind: 'remote', type: 't', data };
}

/** A pool `p` for REMOTE_COMMUNICATION with a record of its actions. */
export class PoolScene {
  readonly clock = new FakeClock();
  readonly pool: ListenerPool;
  /** Events written to listeners, as `id data serial poolserial`. */
  readonly sent: string[] = [];
  /** Lines of the log above level debug, as `level text`. */
  readonly log: string[] = [];
  /** Lines of the level debug. */
  readonly debug: string[] = [];
  readonly condemned: string[] = [];
  idles = 0;
  /** Result of the next writes. */
  writing: 'written' | 'closed' | 'full' = 'written';
  /** Tells the pool that the last write found no reader. */
  failWrite: () => void = () => undefined;
  #serial = 100;

  constructor(change: Partial<PoolSpec> = {}) {
    this.pool = new ListenerPool(
      {
        name: 'p',
        server: 'watch',
        wanted: new Set(['REMOTE_COMMUNICATION']),
        bufferSize: 10,
        isLenient: false,
        members: [
          { id: 'p:a', name: 'a' },
          { id: 'p:b', name: 'b' },
        ],
        ...change,
      },
      {
        clock: this.clock,
        report: (level, text) => {
          if (level === 'debug') this.debug.push(text);
          else this.log.push(`${level} ${text}`);
        },
        write: (id, bytes, failed) => {
          if (this.writing !== 'written') return this.writing;
          const [, serial, poolSerial, data] =
            / serial:(\d+) .* poolserial:(\d+) .*\ntype:t\n(.*)$/s.exec(new TextDecoder().decode(bytes)) ?? [];
          this.sent.push(`${id} ${data} ${serial} ${poolSerial}`);
          this.failWrite = failed;
          return 'written';
        },
        condemn: (id, pid) => this.condemned.push(`${id} ${pid}`),
        idle: () => {
          this.idles++;
        },
      },
    );
  }

  /** Publishes an event with this data. */
  tell(data: string): void {
    this.pool.offer(remote(data), () => this.#serial++);
  }

  /** Starts a listener and makes it ready. */
  ready(id: string, pid: number): void {
    this.pool.up(id, pid);
    this.pool.readOutput(id, pid, 'READY\n');
  }

  /** Data of the sent events. */
  get data(): string[] {
    return this.sent.map((line) => line.split(' ')[1] ?? '');
  }
}
