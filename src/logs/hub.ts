/**
 * All logs of one supervisor: the container's two streams, the files and log servers by their names, the channels, the
 * supervisor's own log. Two who log to one place get the same sink here; nobody else makes sinks.
 */
import { resolve as resolvePath } from 'node:path';
import { decodeOutput } from '../core/event-text.ts';
import { describeSystemError } from '../files/system-error.ts';
import { BLOCK_BYTES, BlockPool } from './blocks.ts';
import { ProcessChannel } from './channel.ts';
import type { ChannelHost, TargetSink } from './channel.ts';
import { CompressionTurns } from './compression.ts';
import { goneErrorsOf, identityOf, looksOf, openContainerStream, resolveTarget } from './container-stream.ts';
import type { Looks } from './container-stream.ts';
import { FileOutlet } from './file-outlet.ts';
import { PrefixLayout } from './line-prefix.ts';
import { FlushTimer, within } from './flush-timer.ts';
import { LONGEST_MESSAGE, connectTo } from './links.ts';
import { type MainLogHost, SupervisorLog } from './main-log.ts';
import { PartialWatch } from './partial-watch.ts';
import { PipeGrowth } from './outlets.ts';
import type { Outlet } from './outlets.ts';
import type { IntakeParts } from './pipe-intake.ts';
import type {
  LogChannel,
  ChannelSpec,
  ContainerStream,
  FileLimits,
  FileState,
  FlushLimit,
  FlushOutcome,
  Hub,
  LogDeps,
  LogProblem,
  LogServer,
  LogTarget,
  LostOutput,
  MainLog,
  MainLogSpec,
} from './ports.ts';
import { RemoteOutlet } from './remote-outlet.ts';
import { Sink } from './sink.ts';
import { SyslogOutlet } from './syslog-outlet.ts';

interface OpenOutlet<O extends Outlet = Outlet> {
  readonly sink: Sink;
  readonly outlet: O;
  /** Channels and logs that write to it. */
  users: number;
}

const NEVER_GONE: ReadonlySet<string> = new Set();
/** Time for the last words about output that is lost. */
const SAY_MS = 100;
const SYSLOG_PATH = '/dev/log';

/** See the head of this file. */
export class LogHub implements Hub, ChannelHost, MainLogHost {
  readonly intakeParts: IntakeParts;
  readonly layout = new PrefixLayout();
  readonly partials: PartialWatch;
  readonly #deps: LogDeps;
  readonly #pool = new BlockPool();
  readonly #growth: PipeGrowth;
  readonly #channels = new Set<ProcessChannel>();
  /** By identity, so that stdout and stderr are one sink where they lead to one place. */
  readonly #streams = new Map<string, Sink>();
  readonly #turns = new CompressionTurns();
  readonly #files = new Map<string, OpenOutlet<FileOutlet>>();
  readonly #servers = new Map<string, OpenOutlet>();
  readonly #mainLog: SupervisorLog;
  /** The supervisor ends: what is said now is said on our stderr too. */
  #isFinishing = false;
  /** One for all: they share the daemon's socket. */
  #syslog: Sink | null = null;

  constructor(deps: LogDeps, mainLog: MainLogSpec) {
    this.#deps = deps;
    this.#growth = new PipeGrowth(deps.natives, deps.clock);
    this.partials = new PartialWatch(deps.clock, setImmediate);
    this.intakeParts = {
      natives: deps.natives,
      clock: deps.clock,
      growth: this.#growth,
      readBuffer: Buffer.allocUnsafeSlow(BLOCK_BYTES),
    };
    this.#mainLog = new SupervisorLog(mainLog, this);
  }

  get mainLog(): MainLog {
    return this.#mainLog;
  }

  openChannel(spec: ChannelSpec): LogChannel {
    const channel = new ProcessChannel(spec, this);
    this.#channels.add(channel);
    return channel;
  }

  fileState(path: string, queuedBytes: number): FileState | null {
    const place = this.#files.get(resolvePath(path));
    return place === undefined ? null : { file: place.outlet.openFile, queued: place.sink.queue.last(queuedBytes) };
  }

  async reopen(): Promise<void> {
    await Promise.all(
      [...this.#files, ...this.#servers].map(async ([name, { sink }]) => {
        try {
          await sink.reopen();
        } catch (error) {
          this.#mainLog.write('error', `cannot reopen ${name}: ${describeSystemError(error)}`);
        }
      }),
    );
  }

  async flush(limit: number | FlushLimit): Promise<FlushOutcome> {
    const { clock } = this.#deps;
    const beganMs = clock.nowMs();
    const movedAtMs = (): number =>
      Math.max(
        beganMs,
        ...this.#sinks()
          .filter(({ pendingBytes }) => pendingBytes > 0)
          .map((sink) => sink.movedAtMs),
      );
    const timer = new FlushTimer(clock, typeof limit === 'number' ? within(clock, limit) : limit, movedAtMs);
    // What is being compressed is left plain, to be done next time; what is written now may begin another.
    const flushed = Promise.all([this.#flushAll(() => timer.isLate), this.#turns.stop()]).then(() =>
      this.#turns.stop(),
    );
    await Promise.race([timer.late, flushed]);
    timer.stop();
    return { unwrittenBytes: this.#sinks().reduce((sum, sink) => sum + sink.pendingBytes, 0) };
  }

  async finish(limit: FlushLimit): Promise<void> {
    await this.flush(limit);
    this.#isFinishing = true;
    const losses = this.#countLosses();
    for (const [sink, { lines, bytes }] of losses) {
      const text = `cannot write the last ${lines} lines (${bytes} bytes) to ${sink.name}: ${limit.reason()}; they are lost`;
      this.#report(sink, { level: 'error', text });
    }
    // Said once: a log that is on the place that fails loses this line too.
    const hasDropped = this.#sinks()
      .map((sink) => sink.tellDropped())
      .includes(true);
    if (losses.size > 0 || hasDropped) await this.flush(SAY_MS);
  }

  async close(): Promise<void> {
    for (const channel of this.#channels) channel.close();
    const streams = new Set(this.#streams.values());
    await Promise.all(
      this.#sinks()
        .filter((sink) => !streams.has(sink))
        .map((sink) => sink.close()),
    );
    // Losses are reported before the streams are closed that the report goes to.
    for (const sink of streams) sink.tellDropped();
    await Promise.all([...streams].map((sink) => sink.close()));
    this.#files.clear();
    this.#servers.clear();
    this.#streams.clear();
    this.#syslog = null;
  }

  wallMs(): number {
    return this.#deps.clock.wallMs();
  }

  acquire(targets: readonly LogTarget[]): TargetSink[] {
    const routes: TargetSink[] = [];
    for (const wanted of targets) {
      const target = resolveTarget(wanted);
      const sink = this.#sinkOf(target);
      // Two targets that are one place, as stdout and stderr of a terminal: a line is written there once.
      if (routes.some((route) => route.sink === sink)) this.#letGo(sink);
      else routes.push({ target, sink, ...this.#looksOf(target) });
    }
    return routes;
  }

  release(routes: readonly TargetSink[]): void {
    for (const route of routes) this.#letGo(route.sink);
  }

  acquireOwn(target: LogTarget): Sink {
    const sink = this.#sinkOf(resolveTarget(target));
    sink.sources++;
    return sink;
  }

  releaseOwn(sink: Sink): void {
    sink.sources--;
    this.#letGo(sink);
  }

  lastResort(): Sink {
    return this.#streamSink(2);
  }

  copyToMainLog(spec: ChannelSpec, routes: readonly TargetSink[], bytes: Buffer): void {
    if (!this.#mainLog.isEnabled('debug')) return;
    // Both streams of the container have one reader: output that is on one of them is not repeated on the other.
    const streams = [...this.#streams.values()];
    const isOnStream = routes.some(({ sink }) => streams.includes(sink));
    const hasIt = (sink: Sink): boolean =>
      routes.some((route) => route.sink === sink) || (isOnStream && streams.includes(sink));
    // compat: at level debug, Supervisor's own log has the output of the programs too (loglevel).
    this.#mainLog.copyOutput(`'${spec.process}' ${spec.stream} output:\n${decodeOutput(bytes)}`, hasIt);
  }

  forget(channel: ProcessChannel): void {
    this.#channels.delete(channel);
  }

  #letGo(sink: Sink): void {
    for (const places of [this.#files, this.#servers]) {
      const place = places.get(sink.name);
      if (place?.sink !== sink) continue;
      place.users--;
      if (place.users > 0) return;
      // What is queued is still written. Who asks for the place meanwhile gets the same sink, which opens it again.
      void sink.close().then(() => {
        if (place.users === 0) places.delete(sink.name);
      });
    }
  }

  async #flushAll(isLate: () => boolean): Promise<void> {
    // Readers that waited for a full sink have more to read once it has room.
    await Promise.all([...this.#channels].map((channel) => channel.drained()));
    // A flush that was given up must not break lines in two later, should programs go on.
    if (isLate()) return;
    for (const channel of this.#channels) channel.flush();
    await Promise.all(this.#sinks().map((sink) => sink.flushed()));
  }

  /** Output that each sink could not write, and output of programs that was not read from their pipes. */
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
    for (const sink of this.#sinks()) add(sink, { lines: sink.pendingLines, bytes: sink.pendingBytes });
    return losses;
  }

  #report(sink: Sink, { level, text }: LogProblem): void {
    if (this.#isFinishing) this.#mainLog.reportLoss(sink, level, text);
    else this.#mainLog.reportFailure(sink, level, text);
  }

  #sinks(): Sink[] {
    const places = [...this.#files.values(), ...this.#servers.values()];
    return [
      ...this.#streams.values(),
      ...places.map(({ sink }) => sink),
      ...(this.#syslog === null ? [] : [this.#syslog]),
    ];
  }

  #sinkOf(target: LogTarget): Sink {
    switch (target.kind) {
      case 'container':
        return this.#streamSink(target.stream);
      case 'file':
        return this.#fileSink(target.path, target);
      case 'syslog':
        return this.#syslogSink();
      case 'remote':
        return this.#serverSink(target);
    }
  }

  #serverSink(server: LogServer): Sink {
    const { protocol, host, port } = server;
    const name = `syslog+${protocol}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    let place = this.#servers.get(name);
    if (place === undefined) {
      const outlet: RemoteOutlet = new RemoteOutlet({
        name,
        longestMessage: LONGEST_MESSAGE[protocol],
        connect: connectTo(server),
        clock: this.#deps.clock,
        report: (problem) => this.#report(sink, problem),
      });
      const sink = this.#makeSink(name, outlet, NEVER_GONE);
      place = { sink, outlet, users: 0 };
      this.#servers.set(name, place);
    }
    place.users++;
    return place.sink;
  }

  #syslogSink(): Sink {
    const { natives, clock, syslogPath: path = SYSLOG_PATH } = this.#deps;
    this.#syslog ??= this.#makeSink(`syslog (${path})`, new SyslogOutlet({ path, natives, clock }), NEVER_GONE);
    return this.#syslog;
  }

  #streamSink(stream: ContainerStream): Sink {
    const fd = this.#deps.streams[stream];
    const identity = identityOf(fd);
    let sink = this.#streams.get(identity);
    if (sink === undefined) {
      const name = stream === 1 ? 'standard output' : 'standard error';
      sink = this.#makeSink(name, openContainerStream(fd, this.#growth, this.#deps.clock), goneErrorsOf(fd));
      this.#streams.set(identity, sink);
    }
    return sink;
  }

  #fileSink(path: string, limits: FileLimits): Sink {
    const name = resolvePath(path);
    let file = this.#files.get(name);
    if (file === undefined) {
      const outlet: FileOutlet = new FileOutlet(
        {
          path: name,
          growth: this.#growth,
          clock: this.#deps.clock,
          turns: this.#turns,
          report: (problem) => this.#report(sink, problem),
          due: () => sink.open(),
        },
        limits,
      );
      const sink = this.#makeSink(name, outlet, NEVER_GONE);
      file = { sink, outlet, users: 0 };
      this.#files.set(name, file);
    }
    // Who configures a shared path last decides on its limits.
    file.outlet.limit(limits);
    file.users++;
    return file.sink;
  }

  #makeSink(name: string, outlet: Outlet, goneOn: ReadonlySet<string>): Sink {
    const { natives, clock } = this.#deps;
    const sink: Sink = new Sink({
      name,
      outlet,
      pool: this.#pool,
      natives,
      clock,
      goneOn,
      report: (problem) => this.#report(sink, problem),
    });
    return sink;
  }

  #looksOf(target: LogTarget): Looks {
    if (target.kind !== 'container') return { isColored: false, isTerminal: false };
    const { color, noColor, streams } = this.#deps;
    return looksOf(streams[target.stream], color, noColor);
  }
}
