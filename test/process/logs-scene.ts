/**
 * A log hub with real pipes. Its stdout and stderr are each the standard input of a `cat`, which a test can stop to get
 * a reader that stalls.
 */
import { closeSync } from 'node:fs';
import { Sequence } from '../../src/core/sequence.ts';
import { LogHub } from '../../src/logs/hub.ts';
import type { Level } from '../../src/core/log-level.ts';
import type { LogChannel, Intake, MainLogSpec } from '../../src/logs/ports.ts';
import type { SpawnRequest } from '../../src/native/addon.ts';
import { RealClock, stdoutAs } from './logs-fixtures.ts';
import { addon, ending, reader, shell } from './programs.ts';

/** Reader of one of our streams. */
export class StreamReader {
  readonly pid: number;
  /** Write end of the pipe, which is the stream of the hub. */
  readonly fd: number;
  /** Resolves at the end of the stream. */
  readonly closed: Promise<void>;
  readonly #chunks: Buffer[] = [];
  #size = 0;
  readonly #watchers = new Set<() => void>();

  constructor() {
    const { pid, stdin, stdout } = addon.spawn(shell('exec cat', { stderr: 'null' }));
    this.pid = pid;
    this.fd = stdin as number;
    const socket = reader(stdout as number);
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      for (const watcher of this.#watchers) watcher();
    });
    this.closed = new Promise((resolve) => socket.on('close', () => resolve()));
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  get text(): string {
    return this.bytes.toString('latin1');
  }

  /** Resolves when the text matches. For short texts only, because each chunk checks the whole text. */
  until(pattern: RegExp): Promise<void> {
    return this.#when(() => pattern.test(this.text));
  }

  /** Resolves when the reader has received this number of bytes. */
  untilSize(bytes: number): Promise<void> {
    return this.#when(() => this.#size >= bytes);
  }

  #when(isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (!isReached()) return;
        this.#watchers.delete(check);
        resolve();
      };
      this.#watchers.add(check);
      check();
    });
  }

  stall(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  goOn(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Kills the reader. A later write gets EPIPE. */
  async die(): Promise<void> {
    process.kill(this.pid, 'SIGKILL');
    await ending(this.pid);
  }
}

/** A hub between programs and readers. */
export class LogScene {
  readonly clock: RealClock;
  readonly out: StreamReader;
  readonly err: StreamReader;
  readonly hub: LogHub;

  constructor(mainLog: Partial<MainLogSpec> = {}, streams: { 1?: number; 2?: number } = {}, pace = 1) {
    this.clock = new RealClock(pace);
    this.out = new StreamReader();
    this.err = new StreamReader();
    this.hub = new LogHub(
      {
        natives: addon,
        clock: this.clock,
        sequence: new Sequence(),
        color: 'auto',
        noColor: false,
        streams: { 1: this.out.fd, 2: this.err.fd, ...streams },
      },
      { level: 'info', targets: [], console: stdoutAs('raw', 2), name: 'onevisor', tailBytes: 65536, ...mainLog },
    );
  }

  /** Closes the hub, and waits until all is written and read. */
  async end(): Promise<void> {
    await this.hub.close();
    closeSync(this.out.fd);
    closeSync(this.err.fd);
    await Promise.all([this.out.closed, this.err.closed]);
  }

  say(level: Level, text: string): void {
    this.hub.mainLog.write(level, text);
  }
}

/** Starts a program whose stdout a channel reads. */
export function startInto(
  channel: LogChannel,
  script: string,
  changes: Partial<SpawnRequest> = {},
): { pid: number; stdin: number | null; intake: Intake } {
  const { pid, stdin, stdout } = addon.spawn(shell(script, { stdin: 'null', stderr: 'null', ...changes }));
  return { pid, stdin, intake: channel.read(stdout as number, pid) };
}
