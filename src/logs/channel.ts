/**
 * One output stream of one process: filters the bytes, keeps their tail and feeds them to the log targets.
 * A channel lives as long as the process is configured, across its runs.
 */
import type { LinearPattern } from '../core/linear-pattern.ts';
import { AnsiStripper } from './ansi.ts';
import { CaptureFilter } from './capture.ts';
import { Feed } from './feed.ts';
import type { PrefixLayout } from './line-prefix.ts';
import type { OldPipe, OldPipes } from './old-pipes.ts';
import type { PartialWatch } from './partial-watch.ts';
import { PipeIntake } from './pipe-intake.ts';
import type { IntakeParts, IntakeTarget } from './pipe-intake.ts';
import { droppedBy, OutputCounter } from './output-counter.ts';
import type { BytesListener, ChannelCounts, LogChannel, ChannelSpec, Intake, LogTarget, LostOutput } from './ports.ts';
import { ReadableLog, type StampParts } from './readable-log.ts';
import type { Sink } from './sink.ts';
import type { FileQueue } from './written.ts';
import { type TargetSink, hasRecords, isFileTarget, isReopenedTarget, lineFormFor } from './target-kinds.ts';

/**
 * Maximum number of bytes of one read if a target takes records. Lines that are JSON objects are parsed one by one, and
 * records are longer than their lines. Small reads keep the loop quick.
 */
export const RECORD_READ_BYTES = 64 * 1024;

/**
 * Maximum time for which a partial line is held back on a terminal. People do not notice the delay, and a line that two
 * reads cut apart looks whole.
 */
const TERMINAL_PARTIAL_MS = 100;

const EMPTY = Buffer.alloc(0);
const NO_SINKS: readonly Sink[] = [];

/** Functions of the hub for a channel. */
export interface ChannelHost {
  readonly intakeParts: IntakeParts;
  readonly stampParts: StampParts;
  readonly partials: PartialWatch;
  readonly layout: PrefixLayout;
  readonly oldPipes: OldPipes;
  /** Connects targets to their sinks. Targets with the same sink become one. The channel must release the sinks. */
  acquire(targets: readonly LogTarget[]): TargetSink[];
  release(targetSinks: readonly TargetSink[]): void;
  /** Copies output into the supervisor's own log, as Supervisor does at level debug. */
  copyToMainLog(spec: ChannelSpec, targetSinks: readonly TargetSink[], bytes: Buffer): void;
  /** Returns the compiled form of a pattern for lines. */
  patternOf(text: string): LinearPattern;
  forget(channel: ProcessChannel): void;
}

/** Shared by the many channels without such listeners. */
const NO_LISTENERS: readonly BytesListener[] = [];

/** Shared by the many channels without an open pipe. */
const NO_OUTPUTS: readonly ChannelOutput[] = [];

/**
 * One output stream of one process. There are thousands, and most are silent: lists are replaced and not grown, and
 * the parts that only bytes need are made at the first bytes.
 */
export class ProcessChannel extends ReadableLog implements LogChannel, OutputListener {
  #spec: ChannelSpec;
  readonly #host: ChannelHost;
  #targetSinks: readonly TargetSink[];
  #sinks: readonly Sink[];
  /** The open pipes, usually one. */
  #pipes = NO_OUTPUTS;
  #captureListeners: readonly BytesListener[] = NO_LISTENERS;
  /** Null until the first bytes. */
  #madeCounter: OutputCounter | null = null;
  /** Lines that the first sinks had dropped before. */
  readonly #droppedBefore: number;

  constructor(spec: ChannelSpec, host: ChannelHost) {
    super(spec.tailBytes, host.stampParts);
    this.#spec = spec;
    this.#host = host;
    this.#targetSinks = host.acquire(spec.targets);
    this.#sinks = sinksOf(this.#targetSinks);
    this.#droppedBefore = droppedBy(this.#sinks);
    this.#countName(1);
  }

  get counts(): ChannelCounts {
    if (this.#madeCounter !== null) return this.#madeCounter.counts;
    return { lines: 0, bytes: 0, droppedLines: droppedBy(this.#sinks) - this.#droppedBefore };
  }

  get #counter(): OutputCounter {
    this.#madeCounter ??= new OutputCounter(this.#host.intakeParts.natives, this.#sinks, this.#droppedBefore);
    return this.#madeCounter;
  }

  get spec(): ChannelSpec {
    return this.#spec;
  }

  /** The sinks of the targets. */
  get sinks(): readonly Sink[] {
    return this.#sinks;
  }

  get fileQueues(): readonly FileQueue[] {
    return this.#sinksWith(isFileTarget);
  }

  read(fd: number, pid: number): Intake {
    for (const { sink } of this.#targetSinks) sink.open();
    const output = new ChannelOutput(this.#spec, pid, this);
    output.connect(this.#sinks);
    const isRecord = this.#spec.targets.some((target) => target.format === 'json' || target.format === 'logfmt');
    const { intakeParts } = this.#host;
    const buffer = isRecord ? intakeParts.smallReadBuffer : intakeParts.readBuffer;
    const intake = new PipeIntake({ fd, pid, target: output, buffer }, intakeParts);
    output.intake = intake;
    this.#pipes = this.#pipes.concat(output);
    return intake;
  }

  logged(output: ChannelOutput, bytes: Buffer): void {
    this.#counter.count(bytes, output);
    this.#host.copyToMainLog(this.#spec, this.#targetSinks, bytes);
    this.keep(bytes, output.pid);
  }

  captured({ pid }: ChannelOutput, section: Buffer): void {
    for (const listener of this.#captureListeners) listener(section, pid);
  }

  outlived(output: ChannelOutput): void {
    this.#host.oldPipes.add(output);
  }

  finished(output: ChannelOutput): void {
    this.#host.oldPipes.remove(output);
    this.#madeCounter?.end(output);
    this.#pipes = this.#pipes.length === 1 ? NO_OUTPUTS : this.#pipes.filter((pipe) => pipe !== output);
  }

  closeOldPipes(): void {
    this.#host.oldPipes.stopped(this);
  }

  async drained(): Promise<void> {
    await Promise.all(this.#pipes.flatMap(({ intake }) => intake?.drained() ?? []));
  }

  onCapture(listener: BytesListener): () => void {
    this.#captureListeners = [...this.#captureListeners, listener];
    return () => {
      this.#captureListeners = this.#captureListeners.filter((other) => other !== listener);
    };
  }

  configure(spec: ChannelSpec): void {
    const old = this.#targetSinks;
    const counter = this.#counter;
    // The new sinks are acquired first, so that a file that stays is not closed in between.
    this.#targetSinks = this.#host.acquire(spec.targets);
    this.#sinks = sinksOf(this.#targetSinks);
    counter.use(this.#sinks);
    this.#countName(-1);
    this.resizeTail(spec.tailBytes);
    this.#spec = spec;
    this.#countName(1);
    for (const output of this.#pipes) {
      output.stripAnsi(spec.stripAnsi);
      output.connect(this.#sinks);
    }
    this.#host.release(old);
  }

  async clear(): Promise<void> {
    this.clearTail();
    // Files only: the queue of a stream may hold output of other programs.
    await Promise.all(this.#sinksWith(isFileTarget).map((sink) => sink.clear()));
  }

  async reopen(): Promise<void> {
    await Promise.all(this.#sinksWith(isReopenedTarget).map((sink) => sink.reopen()));
  }

  async rotate(): Promise<void> {
    await Promise.all(this.#sinksWith(isFileTarget).map((sink) => sink.rotate()));
  }

  close(): void {
    for (const { intake } of this.#pipes) intake?.close();
    this.#countName(-1);
    this.#host.release(this.#targetSinks);
    this.#targetSinks = [];
    this.#sinks = [];
    this.#host.forget(this);
  }

  /** Drops the unread output of the pipes at the exit of the supervisor. Returns its size. */
  discard(): LostOutput {
    const lost = this.#pipes.flatMap(({ intake }) => intake?.discard() ?? []);
    return { lines: sum(lost.map(({ lines }) => lines)), bytes: sum(lost.map(({ bytes }) => bytes)) };
  }

  /** Writes partial lines at the exit of the supervisor. */
  flush(): void {
    for (const output of this.#pipes) output.flush();
  }

  makeFeeds(pid: number): readonly Feed[] {
    const { intakeParts, partials: watch, layout } = this.#host;
    const { style } = this.#spec;
    const multiline = style.multiline === null ? null : this.#host.patternOf(style.multiline);
    return this.#targetSinks.map(
      ({ sink, target, isTerminal, isColored }) =>
        new Feed(sink, {
          form: lineFormFor(target, { origin: this.#spec, pid, style, layout, isColored }),
          isFile: isFileTarget(target),
          multiline: hasRecords(target) ? multiline : null,
          partialAfterMs: isTerminal ? Math.min(TERMINAL_PARTIAL_MS, style.partialAfterMs) : style.partialAfterMs,
          watch,
          clock: intakeParts.clock,
        }),
    );
  }

  /** Returns the sinks of some targets. */
  #sinksWith(isWanted: (target: LogTarget) => boolean): Sink[] {
    return sinksOf(this.#targetSinks.filter(({ target }) => isWanted(target)));
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

function sinksOf(targetSinks: readonly TargetSink[]): Sink[] {
  return targetSinks.map(({ sink }) => sink);
}

/** Events of one pipe for its channel. */
interface OutputListener {
  readonly spec: ChannelSpec;
  /** Makes a feed for each sink. */
  makeFeeds(pid: number): readonly Feed[];
  logged(output: ChannelOutput, bytes: Buffer): void;
  captured(output: ChannelOutput, section: Buffer): void;
  outlived(output: ChannelOutput): void;
  finished(output: ChannelOutput): void;
}

/**
 * The stages that the bytes of one pipe pass through: filters, which keep state from read to read, and then the feeds.
 */
class ChannelOutput implements IntakeTarget, OldPipe {
  readonly pid: number;
  readonly channel: OutputListener;
  sinks: readonly Sink[] = NO_SINKS;
  /** The reading of the pipe. Null before it begins. */
  intake: PipeIntake | null = null;
  #ansi: AnsiStripper | null = null;
  readonly #capture: CaptureFilter | null;
  /** Null until the first bytes. The output then still counts as a writer of its sinks. */
  #feeds: readonly Feed[] | null = null;

  constructor(spec: ChannelSpec, pid: number, listener: OutputListener) {
    this.pid = pid;
    this.channel = listener;
    this.stripAnsi(spec.stripAnsi);
    this.#capture =
      spec.captureMaxBytes > 0
        ? new CaptureFilter(spec.captureMaxBytes, (section) => listener.captured(this, section))
        : null;
  }

  /** Begins or ends to remove escape sequences. */
  stripAnsi(isOn: boolean): void {
    if (isOn) this.#ansi ??= new AnsiStripper();
    else this.#ansi = null;
  }

  /**
   * Connects the output to the sinks of the channel. If there are feeds, they are replaced: the new feed of the same
   * sink continues a partial line, and other partial lines are written.
   */
  connect(sinks: readonly Sink[]): void {
    const former = this.sinks;
    this.sinks = sinks;
    if (this.#feeds === null) {
      countWriter(sinks, 1);
      countWriter(former, -1);
      return;
    }
    const feeds = sinks.length === 0 ? [] : this.channel.makeFeeds(this.pid);
    for (const feed of this.#feeds) {
      const heir = feeds.find(({ sink }) => sink === feed.sink);
      if (heir !== undefined) feed.handOver(heir);
      feed.finish();
    }
    this.#feeds = feeds;
  }

  take(bytes: Buffer): void {
    const logged = this.#capture === null ? bytes : this.#capture.filter(bytes);
    this.#pass(this.#ansi === null ? logged : this.#ansi.strip(logged));
  }

  pause(): void {
    for (const feed of this.#feeds ?? []) feed.pause();
  }

  proceed(): void {
    for (const feed of this.#feeds ?? []) feed.proceed();
  }

  /** Writes partial lines at the exit of the supervisor. */
  flush(): void {
    for (const feed of this.#feeds ?? []) feed.flush();
  }

  outlived(): void {
    this.channel.outlived(this);
  }

  abandon(): boolean {
    return this.intake?.abandon() ?? false;
  }

  finish(): void {
    const held = this.#capture === null ? EMPTY : this.#capture.finish();
    if (this.#ansi === null) {
      this.#pass(held);
    } else {
      this.#pass(this.#ansi.strip(held));
      this.#pass(this.#ansi.finish());
    }
    this.connect(NO_SINKS);
    this.channel.finished(this);
  }

  #pass(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.channel.logged(this, bytes);
    for (const feed of this.#feeds ?? this.#makeFeeds()) feed.take(bytes);
  }

  /** Makes the feeds, which count as writers in place of the output. */
  #makeFeeds(): readonly Feed[] {
    this.#feeds = this.channel.makeFeeds(this.pid);
    countWriter(this.sinks, -1);
    return this.#feeds;
  }
}

function countWriter(sinks: readonly Sink[], change: 1 | -1): void {
  for (const sink of sinks) sink.countWriters(change);
}
