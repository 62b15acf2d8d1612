/**
 * All logs of one supervisor: the channels of the processes, the supervisor's own log, and the last flush of both.
 * Sinks are made and shared by sink-store.ts.
 */
import { resolve as resolvePath } from 'node:path';
import { decodeOutput } from '../core/event-text.ts';
import { LinearPattern } from '../core/linear-pattern.ts';
import { describeSystemError } from '../files/system-error.ts';
import { BLOCK_BYTES } from './blocks.ts';
import { ProcessChannel, RECORD_READ_BYTES } from './channel.ts';
import type { ChannelHost } from './channel.ts';
import { FileInLane } from './file-in-lane.ts';
import { FlushTimer, within } from './flush-timer.ts';
import { PrefixLayout } from './line-prefix.ts';
import { LineReader } from './line-reader.ts';
import { type MainLogHost, type OwnTarget, SupervisorLog } from './main-log.ts';
import { OldPipes } from './old-pipes.ts';
import { PartialWatch } from './partial-watch.ts';
import type { IntakeParts } from './pipe-intake.ts';
import type {
  LogChannel,
  ChannelSpec,
  FileState,
  FlushLimit,
  FlushOutcome,
  Hub,
  LogDeps,
  LogProblem,
  LogTarget,
  LostOutput,
  MainLog,
  MainLogSpec,
} from './ports.ts';
import type { StampParts } from './readable-log.ts';
import type { Sink } from './sink.ts';
import { SinkStore } from './sink-store.ts';
import { type TargetSink, connectTarget } from './target-kinds.ts';

/** Shortest time between two reports about pipes that cannot be watched. */
const UNWATCHED_REPORT_MS = 60_000;
/** Time for the reports of lost output before the exit. */
const REPORT_MS = 100;

/** Time for the ends of connections to log servers before the exit. */
const HANG_UP_MS = 100;

/** Limit of the patterns that are kept compiled. */
const MAX_PATTERNS = 256;

/** All logs of one supervisor. */
export class LogHub implements Hub, ChannelHost, MainLogHost {
  readonly intakeParts: IntakeParts;
  readonly stampParts: StampParts;
  readonly lineReader: LineReader;
  readonly layout = new PrefixLayout();
  readonly partials: PartialWatch;
  readonly oldPipes: OldPipes;
  readonly #deps: LogDeps;
  readonly #sinks: SinkStore;
  readonly #channels = new Set<ProcessChannel>();
  readonly #mainLog: SupervisorLog;
  /** Patterns by their text. Streams share the states of a pattern. */
  readonly #patterns = new Map<string, LinearPattern>();
  /** Time of the clock from which a pipe that is not watched is reported again. */
  #nextUnwatchedReportMs = -Infinity;
  /** True during the last flush: losses are reported on our stderr too. */
  #isFinishing = false;

  constructor(deps: LogDeps, mainLog: MainLogSpec) {
    this.#deps = deps;
    this.#sinks = new SinkStore(deps, (sink, problem) => this.#report(sink, problem));
    this.partials = new PartialWatch(deps.clock, setImmediate);
    this.oldPipes = new OldPipes({
      clock: deps.clock,
      natives: deps.natives,
      warn: (text, fields) => this.#mainLog.write('warn', text, fields),
    });
    const readBuffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
    this.intakeParts = {
      natives: deps.natives,
      clock: deps.clock,
      growth: this.#sinks.growth,
      readBuffer,
      smallReadBuffer: readBuffer.subarray(0, RECORD_READ_BYTES),
      watchFailed: (error) => this.#reportUnwatched(error),
    };
    this.lineReader = new LineReader(deps.sequence, deps.clock);
    this.stampParts = { sequence: deps.sequence, clock: deps.clock, lineReader: this.lineReader };
    this.#mainLog = new SupervisorLog(mainLog, this);
  }

  get mainLog(): MainLog {
    return this.#mainLog;
  }

  openChannel(spec: ChannelSpec): LogChannel {
    const channel = new ProcessChannel(spec, this);
    this.#channels.add(channel);
    this.lineReader.outputsChanged();
    return channel;
  }

  fileState(path: string, queuedBytes: number): FileState | null {
    const sink = this.#sinks.find(resolvePath(path));
    if (!(sink?.outlet instanceof FileInLane)) return null;
    return { file: sink.outlet.file.openFile, queued: sink.lastQueued(queuedBytes) };
  }

  closeOldPipes(): boolean {
    return this.oldPipes.closeAll();
  }

  reopen(): Promise<void> {
    return this.#sinks.reopen(({ name }, error) =>
      this.#mainLog.write('error', `cannot reopen ${name}: ${describeSystemError(error)}`, { event: 'logging' }),
    );
  }

  async flush(limit: number | FlushLimit): Promise<FlushOutcome> {
    const { clock } = this.#deps;
    const beganMs = clock.nowMs();
    const movedAtMs = (): number =>
      Math.max(
        beganMs,
        ...this.#sinks.all.filter(({ pendingBytes }) => pendingBytes > 0).map((sink) => sink.movedAtMs),
      );
    const timer = new FlushTimer(clock, typeof limit === 'number' ? within(clock, limit) : limit, movedAtMs);
    // A backup that is being compressed stays plain, and is compressed next time. The flush itself may rotate a file
    // and so begin another compression, which is stopped too.
    const { turns } = this.#sinks;
    const flushed = Promise.all([this.#flushAll(() => timer.isLate), turns.stop()]).then(() => turns.stop());
    await Promise.race([timer.late, flushed]);
    timer.stop();
    const unwrittenBytes = this.#sinks.all.reduce((sum, sink) => sum + sink.pendingBytes, 0);
    return { unwrittenBytes, isLate: timer.isLate };
  }

  async finish(limit: FlushLimit): Promise<void> {
    let { unwrittenBytes, isLate } = await this.flush(limit);
    // A sink that failed may have been reported to a sink that was flushed before.
    if (unwrittenBytes > 0 && !isLate) ({ unwrittenBytes, isLate } = await this.flush(limit));
    this.#isFinishing = true;
    const losses = this.#countLosses();
    for (const [sink, { lines, bytes }] of losses) {
      const lost = `the last ${lines} ${lines === 1 ? 'line' : 'lines'} (${bytes} bytes)`;
      const reason = isLate ? `: ${limit.reason()}; they are lost` : '; they are lost';
      const text = `cannot write ${lost} to ${sink.name}${reason}`;
      this.#report(sink, { level: 'error', text });
    }
    // Reported once: a log on the sink that fails loses this report too.
    const hasDropped = this.#sinks.all.map((sink) => sink.tellDropped()).includes(true);
    if (losses.size > 0 || hasDropped) await this.flush(REPORT_MS);
    await this.#hangUp();
  }

  async #hangUp(): Promise<void> {
    const { clock } = this.#deps;
    const late = Promise.withResolvers<void>();
    const cancel = clock.alarm(clock.nowMs() + HANG_UP_MS, late.resolve);
    await Promise.race([this.#sinks.hangUp(), late.promise]);
    cancel();
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    await this.#sinks.close();
  }

  wallMs(): number {
    return this.#deps.clock.wallMs();
  }

  acquire(targets: readonly LogTarget[]): TargetSink[] {
    const acquired: TargetSink[] = [];
    for (const target of targets) {
      const targetSink = connectTarget(target, this.#sinks);
      // Two targets may be one place, as stdout and stderr of a terminal. A line is written there once.
      if (acquired.some(({ sink }) => sink === targetSink.sink)) this.#sinks.release(targetSink.sink);
      else acquired.push(targetSink);
    }
    // A copy: an array that has grown by push has room for 17 elements.
    return [...acquired];
  }

  release(targetSinks: readonly TargetSink[]): void {
    for (const { sink } of targetSinks) this.#sinks.release(sink);
  }

  attachOwn(wanted: LogTarget): OwnTarget {
    const { sink, target } = connectTarget(wanted, this.#sinks);
    sink.countWriters(1);
    return {
      sink,
      target,
      detach: () => {
        sink.countWriters(-1);
        this.#sinks.release(sink);
      },
    };
  }

  stderrTarget(): TargetSink {
    const stderr = connectTarget({ kind: 'container', stream: 2, format: 'raw' }, this.#sinks);
    // The sink of a stream stays open without users.
    this.#sinks.release(stderr.sink);
    return stderr;
  }

  copyToMainLog(spec: ChannelSpec, targetSinks: readonly TargetSink[], bytes: Buffer): void {
    if (!this.#mainLog.isEnabled('debug')) return;
    // Both streams of the container have one reader, so output on one of them is not repeated on the other.
    const { streams } = this.#sinks;
    const isOnStream = targetSinks.some(({ sink }) => streams.includes(sink));
    const hasOutput = (sink: Sink): boolean =>
      targetSinks.some((targetSink) => targetSink.sink === sink) || (isOnStream && streams.includes(sink));
    // compat: at level debug, Supervisor's own log has the output of the programs too (loglevel).
    this.#mainLog.copyOutput(`'${spec.process}' ${spec.stream} output:\n${decodeOutput(bytes)}`, hasOutput);
  }

  patternOf(text: string): LinearPattern {
    // Patterns of former configurations are dropped. Channels keep those that they use.
    if (this.#patterns.size >= MAX_PATTERNS) this.#patterns.clear();
    const pattern = this.#patterns.get(text) ?? new LinearPattern(text);
    this.#patterns.set(text, pattern);
    return pattern;
  }

  forget(channel: ProcessChannel): void {
    this.#channels.delete(channel);
    this.lineReader.outputsChanged();
  }

  async #flushAll(isLate: () => boolean): Promise<void> {
    // Readers that waited for a full sink have more to read when the sink has room.
    await Promise.all([...this.#channels].map((channel) => channel.drained()));
    // A flush that was given up must not break lines in two if the programs continue.
    if (isLate()) return;
    for (const channel of this.#channels) channel.flush();
    await Promise.all(this.#sinks.all.map((sink) => sink.flushed()));
  }

  /** Counts the output that each sink could not write, and the unread output of programs. */
  #countLosses(): Map<Sink, LostOutput> {
    const losses = new Map<Sink, LostOutput>();
    const add = (sink: Sink, { lines, bytes }: LostOutput): void => {
      const before = losses.get(sink) ?? { lines: 0, bytes: 0 };
      if (bytes > 0) losses.set(sink, { lines: before.lines + lines, bytes: before.bytes + bytes });
    };
    for (const channel of this.#channels) {
      const unread = channel.discard();
      const stalled = channel.sinks.filter(({ pendingBytes }) => pendingBytes > 0);
      for (const sink of stalled.length > 0 ? stalled : channel.sinks) add(sink, unread);
    }
    for (const sink of this.#sinks.all) add(sink, { lines: sink.pendingLines, bytes: sink.pendingBytes });
    return losses;
  }

  #reportUnwatched(error: unknown): void {
    const nowMs = this.#deps.clock.nowMs();
    if (nowMs < this.#nextUnwatchedReportMs) return;
    this.#nextUnwatchedReportMs = nowMs + UNWATCHED_REPORT_MS;
    const text = `cannot watch the output of a program: ${describeSystemError(error)}; trying again`;
    this.#mainLog.write('error', text, { event: 'logging' });
  }

  #report(sink: Sink, { level, text }: LogProblem): void {
    if (this.#isFinishing) this.#mainLog.reportLoss(sink, level, text);
    else this.#mainLog.reportFailure(sink, level, text);
  }
}
