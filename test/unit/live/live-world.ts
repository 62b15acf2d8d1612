/** A fake supervisor for tests of the streams. */
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import { LineReader } from '../../../src/logs/line-reader.ts';
import { Tail } from '../../../src/logs/tail.ts';
import type { LineFollow, LineSelection, LogLines } from '../../../src/rpc/lines.ts';
import { LiveHub } from '../../../src/live/live-hub.ts';
import { parsePosition } from '../../../src/live/position.ts';
import { type ClientLimits, StreamClient } from '../../../src/live/stream-client.ts';
import { readStreamQuery } from '../../../src/live/stream-query.ts';
import type { LiveTimers } from '../../../src/live/timers.ts';
import { type NamedOutput, toLogLines } from '../../../src/supervisor/line-sources.ts';
import { ProcessTimes } from '../../../src/rpc/process-times.ts';
import { parseMessage, type StreamMessage } from '../../e2e/event-stream.ts';
import { FakeClock } from '../../engine/world.ts';
import { FakeApi, type FakeProgram } from '../rpc/fake-api.ts';

/** A response that keeps what is written. It is blocked after each write while `isSlow`. */
export class FakeResponse extends EventEmitter {
  text = '';
  isSlow = false;
  destroyed = false;
  writableEnded = false;
  /** Sizes of the writes. */
  readonly sizes: number[] = [];

  write(part: string | Buffer): boolean {
    this.text += part.toString();
    this.sizes.push(part.length);
    return !this.isSlow;
  }

  end(): void {
    this.writableEnded = true;
    this.emit('close');
  }

  destroy(): void {
    this.destroyed = true;
    this.emit('close');
  }

  /** The whole messages since the last call. */
  take(): StreamMessage[] {
    const parts = this.text.split('\n\n');
    this.text = parts.pop() ?? '';
    return parts.flatMap((part) => parseMessage(part) ?? []);
  }
}

/** An api whose lines are those of tails. */
class LiveApi extends FakeApi {
  outputs: NamedOutput[] = [];
  usageCalls = 0;
  reader: LineReader | null = null;

  override followLines(selection: LineSelection, onOutput: Parameters<FakeApi['followLines']>[1]): LineFollow {
    const end = super.followLines(selection, onOutput);
    const { read, close, refresh } = (this.reader as LineReader).follow(() => this.outputs, onOutput);
    return {
      refresh,
      read: (after, limits) => toLogLines(read(after, limits)),
      close: () => {
        close();
        end.close();
      },
    };
  }

  override readLines(_selection: LineSelection, query: Parameters<FakeApi['readLines']>[1]): LogLines {
    return toLogLines((this.reader as LineReader).read(this.outputs, query, () => undefined));
  }

  override usage(): ReturnType<FakeApi['usage']> {
    this.usageCalls += 1;
    return super.usage();
  }
}

/** The streams of a fake supervisor with a fake clock: clients in memory, and outputs with real lines. */
export class LiveWorld {
  readonly clock = new FakeClock();
  readonly api: LiveApi;
  readonly hub: LiveHub;
  readonly timers: LiveTimers;
  limits: ClientLimits = { queueBytes: 1024 * 1024, stallMs: 30_000 };
  #soon: Array<() => void> = [];

  constructor(programs: readonly FakeProgram[], tailBytes = 64 * 1024) {
    this.api = new LiveApi(programs, this.clock);
    const clock = Object.assign(this.clock, { wallMs: () => this.api.wallMs() });
    this.api.reader = new LineReader(this.api.sequence, clock);
    this.api.outputs = programs.map(({ name }) => ({
      name: `${name}:${name}`,
      stream: 'stdout',
      memory: new Tail(tailBytes),
    }));
    this.timers = {
      nowMs: () => this.clock.nowMs(),
      after: (ms, wake) => this.clock.alarm(this.clock.nowMs() + ms, wake),
      soon: (wake) => void this.#soon.push(wake),
    };
    this.hub = new LiveHub({ api: this.api, times: new ProcessTimes(this.api), timers: this.timers });
  }

  /** Writes output, as a log does. Returns the number of its first byte. */
  print(index: number, data: string | Buffer): number {
    const output = this.api.outputs[index];
    if (output === undefined) throw new Error(`there is no output ${index}`);
    const bytes = Buffer.from(data);
    this.api.reader?.announce(output.memory, bytes.length);
    const seq = this.api.sequence.take(bytes.length);
    output.memory.push(bytes, { seq, wallMs: this.api.wallMs(), pid: 7 });
    this.api.reader?.touch();
    return seq;
  }

  /** Opens a stream. */
  open(query: string, after: string | null = null, isSlow = false): { client: StreamClient; response: FakeResponse } {
    const response = new FakeResponse();
    response.isSlow = isSlow;
    const client: StreamClient = new StreamClient({
      api: this.api,
      timers: this.timers,
      limits: this.limits,
      query: readStreamQuery(new URLSearchParams(query), after),
      response: response as unknown as ServerResponse,
      drained: () => this.hub.drained(client),
    });
    response.on('close', () => this.hub.remove(client));
    void this.hub.serve(client, after === null ? null : parsePosition(after));
    return { client, response };
  }

  /** Lets turns of the loop pass. */
  async turns(count = 20): Promise<void> {
    for (let turn = 0; turn < count; turn += 1) {
      for (const wake of this.#soon.splice(0)) wake();
      await new Promise((resolve) => void setImmediate(resolve));
    }
  }

  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) {
      this.clock.advance(10);
      await this.turns(2);
    }
  }
}

/** Returns all lines of messages. */
export function textsOf(messages: readonly StreamMessage[]): string[] {
  return messages
    .filter(({ event }) => event === 'lines')
    .flatMap(({ data }) => (data.lines as Array<{ text: string }>).map(({ text }) => text));
}

/** Returns the numbers of all events of messages. */
export function eventsOf(messages: readonly StreamMessage[]): number[] {
  return messages
    .filter(({ event }) => event === 'delta')
    .flatMap(({ data }) => (data.events as Array<{ seq: number }>).map(({ seq }) => seq));
}
