/** A pool with listeners that say what the test says, on a clock that is stepped. */
import type { SupervisorEvent } from '../../../src/core/event-payload.ts';
import { ListenerPool, type PoolSpec } from '../../../src/events/listener-pool.ts';
import { FakeClock } from '../../engine/world.ts';

/** The fake clock of the engine's tests, with a time of day that can be set. */
export class FakeWallClock extends FakeClock {
  /** Milliseconds since 1970 at the monotonic 0. */
  offsetMs = 0;

  wallMs(): number {
    return this.nowMs() + this.offsetMs;
  }
}

/** An event that is told apart by its data. */
export function remote(data: string): SupervisorEvent {
  return { kind: 'remote', type: 't', data };
}

/** A pool `p` for REMOTE_COMMUNICATION, and what it does. */
export class PoolScene {
  readonly clock = new FakeClock();
  readonly pool: ListenerPool;
  /** What was written, as `id data serial poolserial`. */
  readonly sent: string[] = [];
  /** Lines of the log but debug, as `level text`. */
  readonly log: string[] = [];
  /** Lines of the level debug. */
  readonly debug: string[] = [];
  readonly condemned: string[] = [];
  idles = 0;
  /** What the next writes come to. */
  writing: 'written' | 'closed' | 'full' = 'written';
  /** Tells the pool that the latest write reached nobody. */
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

  /** Makes an event with this data. */
  tell(data: string): void {
    this.pool.offer(remote(data), () => this.#serial++);
  }

  /** A listener that runs and is ready. */
  ready(id: string, pid: number): void {
    this.pool.up(id, pid);
    this.pool.heard(id, pid, 'READY\n');
  }

  /** The data of what was sent. */
  get data(): string[] {
    return this.sent.map((line) => line.split(' ')[1] ?? '');
  }
}
