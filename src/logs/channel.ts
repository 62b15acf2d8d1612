/**
 * One stream of one process: filters its bytes, keeps their tail, and feeds them to its targets.
 * Lives as long as the process is configured, across its runs.
 */
import { AnsiStripper } from './ansi.ts';
import { BLOCK_BYTES } from './blocks.ts';
import { CaptureFilter } from './capture.ts';
import { Feed } from './feed.ts';
import type { LineForm } from './feed.ts';
import { LinePrefix } from './line-prefix.ts';
import type { PrefixLayout } from './line-prefix.ts';
import { MessageHeader } from './message-header.ts';
import type { Severity } from './message-header.ts';
import type { Looks } from './container-stream.ts';
import type { PartialWatch } from './partial-watch.ts';
import { PipeIntake } from './pipe-intake.ts';
import type { IntakeParts, IntakeTarget } from './pipe-intake.ts';
import type {
  BytesListener,
  LogChannel,
  ChannelSpec,
  Intake,
  LineStyle,
  LogTarget,
  LostOutput,
  StreamName,
  TailSlice,
} from './ports.ts';
import { RecordFormat } from './record-format.ts';
import type { Sink } from './sink.ts';
import { Tail } from './tail.ts';

/** Records are made in JavaScript, line by line; smaller reads keep the loop quick, and what a read swells to small. */
const RECORD_READ_BYTES = 64 * 1024;

/**
 * Longest time that a terminal waits for the rest of a line: people do not notice it, and reads that cut a line do not
 * show.
 */
const TERMINAL_PARTIAL_MS = 100;

/** compat: for the log daemon, the name of the process stands before each line (`stdout_syslog`). */
const SYSLOG_STYLE = { prefix: '%(process_name)s ', timestamp: 'none' } as const satisfies Partial<LineStyle>;

/** For a log server, as Docker's driver has it: what a program says on standard error is an error. */
const SEVERITIES: Readonly<Record<StreamName, Severity>> = { stdout: 'info', stderr: 'error' };

/** A target with what the hub made of it. */
export interface TargetSink extends Looks {
  readonly target: LogTarget;
  readonly sink: Sink;
}

/** What a channel needs of its hub. */
export interface ChannelHost {
  readonly intakeParts: IntakeParts;
  readonly partials: PartialWatch;
  readonly layout: PrefixLayout;
  /** The sinks of targets, one route each; each is to be released. */
  acquire(targets: readonly LogTarget[]): TargetSink[];
  release(routes: readonly TargetSink[]): void;
  /** Copies output into the supervisor's own log, as Supervisor does at level debug. */
  copyToMainLog(spec: ChannelSpec, routes: readonly TargetSink[], bytes: Buffer): void;
  forget(channel: ProcessChannel): void;
}

/** See the head of this file. */
export class ProcessChannel implements LogChannel {
  #spec: ChannelSpec;
  readonly #host: ChannelHost;
  #routes: TargetSink[];
  #tail: Tail;
  readonly #intakes = new Set<PipeIntake>();
  readonly #outputs = new Set<ChannelOutput>();
  readonly #listeners = new Set<BytesListener>();
  readonly #captureListeners = new Set<BytesListener>();

  constructor(spec: ChannelSpec, host: ChannelHost) {
    this.#spec = spec;
    this.#host = host;
    this.#tail = new Tail(spec.tailBytes);
    this.#routes = host.acquire(spec.targets);
    this.#countName(1);
  }

  get spec(): ChannelSpec {
    return this.#spec;
  }

  /** The sinks it feeds, for the hub. */
  get sinks(): readonly Sink[] {
    return this.#routes.map((route) => route.sink);
  }

  read(fd: number, pid: number): Intake {
    for (const { sink } of this.#routes) sink.open();
    const output: ChannelOutput = new ChannelOutput(this.#spec, pid, {
      logged: (bytes) => this.#log(bytes, pid),
      captured: (section) => {
        for (const listener of this.#captureListeners) listener(section, pid);
      },
      finished: () => {
        this.#outputs.delete(output);
        this.#intakes.delete(intake);
      },
    });
    output.connect(this.#feeds(pid));
    const isRecord = this.#spec.targets.some((target) => target.format === 'json' || target.format === 'logfmt');
    const intake = new PipeIntake(fd, pid, output, isRecord ? RECORD_READ_BYTES : BLOCK_BYTES, this.#host.intakeParts);
    this.#outputs.add(output);
    this.#intakes.add(intake);
    return intake;
  }

  async drained(): Promise<void> {
    await Promise.all([...this.#intakes].map((intake) => intake.drained()));
  }

  tail(offset: number, length: number): TailSlice {
    return this.#tail.tail(offset, length);
  }

  readLog(offset: number, length: number): Buffer | null {
    return this.#tail.read(offset, length);
  }

  onBytes(listener: BytesListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  onCapture(listener: BytesListener): () => void {
    this.#captureListeners.add(listener);
    return () => this.#captureListeners.delete(listener);
  }

  configure(spec: ChannelSpec): void {
    const old = this.#routes;
    // The new routes are acquired first, so that a file that stays is not closed in between.
    this.#routes = this.#host.acquire(spec.targets);
    this.#countName(-1);
    if (spec.tailBytes !== this.#spec.tailBytes) this.#tail = this.#tail.resized(spec.tailBytes);
    this.#spec = spec;
    this.#countName(1);
    for (const output of this.#outputs) output.connect(this.#feeds(output.pid));
    this.#host.release(old);
  }

  async clear(): Promise<void> {
    this.#tail.clear();
    // Files only: on a stream, what is queued may be the output of others.
    await Promise.all(this.#routes.filter(({ target }) => target.kind === 'file').map(({ sink }) => sink.clear()));
  }

  async reopen(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.reopen()));
  }

  close(): void {
    for (const intake of this.#intakes) intake.close();
    this.#countName(-1);
    this.#host.release(this.#routes);
    this.#routes = [];
    this.#host.forget(this);
  }

  /** Drops what its pipes still hold, at the end of the supervisor. */
  discard(): LostOutput {
    const lost = [...this.#intakes].map((intake) => intake.discard());
    return { lines: sum(lost.map(({ lines }) => lines)), bytes: sum(lost.map(({ bytes }) => bytes)) };
  }

  /** Writes partial lines now, at the end of the supervisor. */
  flush(): void {
    for (const output of this.#outputs) output.flush();
  }

  #feeds(pid: number): Feed[] {
    const {
      intakeParts: { clock },
      partials: watch,
    } = this.#host;
    const { partialAfterMs } = this.#spec.style;
    return this.#routes.map(
      (route) =>
        new Feed(route.sink, {
          dress: this.#dress(route, pid),
          isFile: route.target.kind === 'file',
          partialAfterMs: route.isTerminal ? Math.min(TERMINAL_PARTIAL_MS, partialAfterMs) : partialAfterMs,
          watch,
          wallMs: () => clock.wallMs(),
        }),
    );
  }

  #dress(route: TargetSink, pid: number): LineForm {
    const { style } = this.#spec;
    if (route.target.kind === 'syslog')
      return {
        kind: 'prefix',
        prefix: new LinePrefix(this.#spec, pid, { ...style, ...SYSLOG_STYLE }, this.#host.layout, false),
      };
    if (route.target.kind === 'remote')
      return { kind: 'prefix', prefix: new MessageHeader(this.#spec.process, pid, SEVERITIES[this.#spec.stream]) };
    switch (route.target.format) {
      case 'raw':
        return { kind: 'raw' };
      case 'prefix':
        return { kind: 'prefix', prefix: new LinePrefix(this.#spec, pid, style, this.#host.layout, route.isColored) };
      case 'json':
      case 'logfmt':
        return { kind: 'record', record: new RecordFormat(route.target.format, this.#spec, pid, style.jsonLines) };
    }
  }

  #log(bytes: Buffer, pid: number): void {
    this.#tail.push(bytes, 0, bytes.length);
    this.#host.copyToMainLog(this.#spec, this.#routes, bytes);
    for (const listener of this.#listeners) listener(bytes, pid);
  }

  /** Only names that are shown make the others wider. */
  #countName(step: 1 | -1): void {
    if (!this.#routes.some((route) => route.target.format === 'prefix')) return;
    if (step === 1) this.#host.layout.add(this.#spec.process);
    else this.#host.layout.remove(this.#spec.process);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** What a channel hears of its outputs. */
interface OutputListener {
  logged(bytes: Buffer): void;
  captured(section: Buffer): void;
  finished(): void;
}

/** What becomes of the bytes of one pipe: filters that keep state from read to read, then the feeds. */
class ChannelOutput implements IntakeTarget {
  readonly pid: number;
  sinks: readonly Sink[] = [];
  readonly #listener: OutputListener;
  readonly #ansi: AnsiStripper | null;
  readonly #capture: CaptureFilter | null;
  #feeds: Feed[] = [];

  constructor(spec: ChannelSpec, pid: number, listener: OutputListener) {
    this.pid = pid;
    this.#listener = listener;
    this.#ansi = spec.stripAnsi ? new AnsiStripper() : null;
    this.#capture =
      spec.captureMaxBytes > 0
        ? new CaptureFilter(spec.captureMaxBytes, (section) => listener.captured(section))
        : null;
  }

  /** Replaces the feeds. A partial line goes on in the new feed of the same sink, or is written. */
  connect(feeds: Feed[]): void {
    for (const feed of this.#feeds) {
      const heir = feeds.find(({ sink }) => sink === feed.sink);
      if (heir !== undefined) feed.handOver(heir);
      feed.finish();
    }
    this.#feeds = feeds;
    this.sinks = feeds.map((feed) => feed.sink);
  }

  take(bytes: Buffer): void {
    const logged = this.#capture === null ? bytes : this.#capture.filter(bytes);
    this.#pass(this.#ansi === null ? logged : this.#ansi.strip(logged));
  }

  pause(): void {
    for (const feed of this.#feeds) feed.pause();
  }

  proceed(): void {
    for (const feed of this.#feeds) feed.proceed();
  }

  /** Writes partial lines now, at the end of the supervisor. */
  flush(): void {
    for (const feed of this.#feeds) feed.flush();
  }

  finish(): void {
    const held = this.#capture === null ? Buffer.alloc(0) : this.#capture.finish();
    if (this.#ansi === null) {
      this.#pass(held);
    } else {
      this.#pass(this.#ansi.strip(held));
      this.#pass(this.#ansi.finish());
    }
    this.connect([]);
    this.#listener.finished();
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#listener.logged(bytes);
    for (const feed of this.#feeds) feed.take(bytes);
  }
}
