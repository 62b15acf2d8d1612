/**
 * One output stream of one process: filters the bytes, keeps their tail and feeds them to the log targets.
 * A channel lives as long as the process is configured, across its runs.
 */
import { AnsiStripper } from './ansi.ts';
import { BLOCK_BYTES } from './blocks.ts';
import { CaptureFilter } from './capture.ts';
import { Feed } from './feed.ts';
import type { PrefixLayout } from './line-prefix.ts';
import type { PartialWatch } from './partial-watch.ts';
import { PipeIntake } from './pipe-intake.ts';
import type { IntakeParts, IntakeTarget } from './pipe-intake.ts';
import type { BytesListener, LogChannel, ChannelSpec, Intake, LogTarget, LostOutput } from './ports.ts';
import { ReadableLog, type StampParts } from './readable-log.ts';
import type { Sink } from './sink.ts';
import { type TargetSink, isFileTarget, lineFormFor } from './target-kinds.ts';

/**
 * Maximum number of bytes of one read if a target takes records. Records are made in JavaScript, line by line, and are
 * longer than the line. Small reads keep the loop quick.
 */
const RECORD_READ_BYTES = 64 * 1024;

/**
 * Maximum time for which a partial line is held back on a terminal. People do not notice the delay, and a line that two
 * reads cut apart looks whole.
 */
const TERMINAL_PARTIAL_MS = 100;

/** Functions of the hub for a channel. */
export interface ChannelHost {
  readonly intakeParts: IntakeParts;
  readonly stampParts: StampParts;
  readonly partials: PartialWatch;
  readonly layout: PrefixLayout;
  /** Connects targets to their sinks. Targets with the same sink become one. The channel must release the sinks. */
  acquire(targets: readonly LogTarget[]): TargetSink[];
  release(targetSinks: readonly TargetSink[]): void;
  /** Copies output into the supervisor's own log, as Supervisor does at level debug. */
  copyToMainLog(spec: ChannelSpec, targetSinks: readonly TargetSink[], bytes: Buffer): void;
  forget(channel: ProcessChannel): void;
}

/** One output stream of one process. */
export class ProcessChannel extends ReadableLog implements LogChannel {
  #spec: ChannelSpec;
  readonly #host: ChannelHost;
  #targetSinks: TargetSink[];
  readonly #intakes = new Set<PipeIntake>();
  readonly #outputs = new Set<ChannelOutput>();
  readonly #captureListeners = new Set<BytesListener>();

  constructor(spec: ChannelSpec, host: ChannelHost) {
    super(spec.tailBytes, host.stampParts);
    this.#spec = spec;
    this.#host = host;
    this.#targetSinks = host.acquire(spec.targets);
    this.#countName(1);
  }

  get spec(): ChannelSpec {
    return this.#spec;
  }

  /** The sinks of the targets. */
  get sinks(): readonly Sink[] {
    return this.#targetSinks.map(({ sink }) => sink);
  }

  read(fd: number, pid: number): Intake {
    for (const { sink } of this.#targetSinks) sink.open();
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
    output.connect(this.#makeFeeds(pid));
    const isRecord = this.#spec.targets.some((target) => target.format === 'json' || target.format === 'logfmt');
    const readBytes = isRecord ? RECORD_READ_BYTES : BLOCK_BYTES;
    const intake = new PipeIntake({ fd, pid, target: output, readBytes }, this.#host.intakeParts);
    this.#outputs.add(output);
    this.#intakes.add(intake);
    return intake;
  }

  async drained(): Promise<void> {
    await Promise.all([...this.#intakes].map((intake) => intake.drained()));
  }

  onCapture(listener: BytesListener): () => void {
    this.#captureListeners.add(listener);
    return () => this.#captureListeners.delete(listener);
  }

  configure(spec: ChannelSpec): void {
    const old = this.#targetSinks;
    // The new sinks are acquired first, so that a file that stays is not closed in between.
    this.#targetSinks = this.#host.acquire(spec.targets);
    this.#countName(-1);
    this.resizeTail(spec.tailBytes);
    this.#spec = spec;
    this.#countName(1);
    for (const output of this.#outputs) output.connect(this.#makeFeeds(output.pid));
    this.#host.release(old);
  }

  async clear(): Promise<void> {
    this.clearTail();
    // Files only: the queue of a stream may hold output of other programs.
    await Promise.all(this.#targetSinks.filter(({ target }) => isFileTarget(target)).map(({ sink }) => sink.clear()));
  }

  async reopen(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.reopen()));
  }

  async rotate(): Promise<void> {
    await Promise.all(this.sinks.map((sink) => sink.rotate()));
  }

  close(): void {
    for (const intake of this.#intakes) intake.close();
    this.#countName(-1);
    this.#host.release(this.#targetSinks);
    this.#targetSinks = [];
    this.#host.forget(this);
  }

  /** Drops the unread output of the pipes at the exit of the supervisor. Returns its size. */
  discard(): LostOutput {
    const lost = [...this.#intakes].map((intake) => intake.discard());
    return { lines: sum(lost.map(({ lines }) => lines)), bytes: sum(lost.map(({ bytes }) => bytes)) };
  }

  /** Writes partial lines at the exit of the supervisor. */
  flush(): void {
    for (const output of this.#outputs) output.flush();
  }

  #makeFeeds(pid: number): Feed[] {
    const { intakeParts, partials: watch, layout } = this.#host;
    const { style } = this.#spec;
    return this.#targetSinks.map(
      ({ sink, target, isTerminal, isColored }) =>
        new Feed(sink, {
          form: lineFormFor(target, { origin: this.#spec, pid, style, layout, isColored }),
          isFile: isFileTarget(target),
          partialAfterMs: isTerminal ? Math.min(TERMINAL_PARTIAL_MS, style.partialAfterMs) : style.partialAfterMs,
          watch,
          wallMs: () => intakeParts.clock.wallMs(),
        }),
    );
  }

  #log(bytes: Buffer, pid: number): void {
    this.#host.copyToMainLog(this.#spec, this.#targetSinks, bytes);
    this.keep(bytes, pid);
  }

  /** Counts the name in or out. Only names that are shown make the prefixes of others wider. */
  #countName(step: 1 | -1): void {
    if (!this.#targetSinks.some(({ target }) => target.format === 'prefix')) return;
    const { process: name, program, style } = this.#spec;
    if (step === 1) this.#host.layout.add({ process: name, program, limit: style.prefixWidth });
    else this.#host.layout.remove(name);
  }
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Events of one pipe for its channel. */
interface OutputListener {
  logged(bytes: Buffer): void;
  captured(section: Buffer): void;
  finished(): void;
}

/**
 * The stages that the bytes of one pipe pass through: filters, which keep state from read to read, and then the feeds.
 */
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

  /** Replaces the feeds. The new feed of the same sink continues a partial line. Other partial lines are written. */
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

  /** Writes partial lines at the exit of the supervisor. */
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
