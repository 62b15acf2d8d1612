/**
 * The supervisor's own log: lines as Supervisor writes them, in files, on the console or in other places, with a tail
 * in memory. Nothing here throws or waits. A sink counts the lines that a stalled destination cannot take, and reports
 * them when the destination takes bytes again.
 */
import type { LogFields } from '../core/log-fields.ts';
import { type Level, isLogged } from '../core/log-level.ts';
import { fitMessage } from '../core/shown-text.ts';
import { formatOwnText } from './own-line-format.ts';
import type { LogTarget, MainLog, MainLogSpec } from './ports.ts';
import { ReadableLog, type StampParts } from './readable-log.ts';
import type { Sink } from './sink.ts';
import type { FileQueue } from './written.ts';
import { type TargetSink, isFileTarget, isReopenedTarget, ownLinesFor } from './target-kinds.ts';

/** Functions of the hub for the log. */
export interface MainLogHost {
  readonly stampParts: StampParts;
  wallMs(): number;
  /** Connects a target to its sink, as a writer of the sink. */
  attachOwn(target: LogTarget): OwnTarget;
  /** Returns our stderr as a target, for a failure of every other target. */
  stderrTarget(): TargetSink;
}

/** A target of the log. */
export interface OwnTarget extends Pick<TargetSink, 'target' | 'sink'> {
  /** Counts the log out as a writer of the sink. */
  readonly detach: () => void;
}

/** Text of one line, before a target gives it a form. */
interface Entry {
  readonly level: Level;
  readonly text: string;
  readonly fields: LogFields | null;
  readonly wallMs: number;
}

/** Fields of a line that says nothing about a process. */
const OTHER: LogFields = { event: 'message' };

/** The supervisor's own log. */
export class SupervisorLog extends ReadableLog implements MainLog {
  readonly #host: MainLogHost;
  #spec: MainLogSpec;
  #level: Level;
  #targets: OwnTarget[] = [];

  constructor(spec: MainLogSpec, host: MainLogHost) {
    super(spec.tailBytes, host.stampParts);
    this.#host = host;
    this.#spec = spec;
    this.#level = spec.level;
    this.#targets = this.#attach();
  }

  write(level: Level, text: string, fields: LogFields = OTHER): void {
    if (this.isEnabled(level))
      this.#write({ level, text: fitMessage(text.toWellFormed()), fields, wallMs: this.#host.wallMs() }, () => false);
  }

  /** Writes output of a program at level debug. Skips the sinks that have the output itself. */
  copyOutput(text: string, hasOutput: (sink: Sink) => boolean): void {
    if (this.isEnabled('debug'))
      this.#write({ level: 'debug', text, fields: OTHER, wallMs: this.#host.wallMs() }, hasOutput);
  }

  #write(given: Entry, isSkipped: (sink: Sink) => boolean): void {
    // Paths and variables may hold bytes that are not UTF-8. They are replaced here, because JSON must be text.
    const entry: Entry = { ...given, text: given.text.toWellFormed() };
    const line = Buffer.from(formatOwnText(entry));
    this.keep(line, process.pid);
    for (const own of this.#targets) if (!isSkipped(own.sink)) this.#say(own, entry);
  }

  isEnabled(level: Level): boolean {
    return isLogged(level, this.#level);
  }

  setLevel(level: Level): void {
    this.#level = level;
  }

  configure(spec: MainLogSpec): void {
    const old = this.#targets;
    this.resizeTail(spec.tailBytes);
    this.#spec = spec;
    this.#level = spec.level;
    this.#targets = this.#attach();
    for (const own of old) own.detach();
  }

  get fileQueues(): readonly FileQueue[] {
    return this.#targets.filter(({ target }) => isFileTarget(target)).map(({ sink }) => sink);
  }

  async clear(): Promise<void> {
    this.clearTail();
    // Files only: the queue of a stream may hold output of programs.
    await Promise.all(this.#targets.filter(({ target }) => isFileTarget(target)).map(({ sink }) => sink.clear()));
  }

  async reopen(): Promise<void> {
    const reopened = this.#targets.filter(({ target }) => isReopenedTarget(target));
    await Promise.all(reopened.map(({ sink }) => sink.reopen()));
  }

  /** Reports the failure of a sink. Where the failed sink is the only target of the log, reports on our stderr too. */
  reportFailure(failed: Sink, level: Level, text: string): void {
    this.write(level, text, { event: 'logging' });
    if (this.#targets.every(({ sink }) => sink === failed)) this.#sayOnStderr(failed, level, text);
  }

  /**
   * Reports before the exit that output is lost, in the log and on our stderr, where people see it even if no log
   * works.
   */
  reportLoss(failed: Sink, level: Level, text: string): void {
    this.write(level, text, { event: 'logging' });
    const stderr = this.#host.stderrTarget();
    if (!this.#targets.some(({ sink }) => sink === stderr.sink)) this.#sayOnStderr(failed, level, text);
  }

  #sayOnStderr(failed: Sink, level: Level, text: string): void {
    const stderr = this.#host.stderrTarget();
    if (failed !== stderr.sink)
      this.#say(stderr, { level, text, fields: { event: 'logging' }, wallMs: this.#host.wallMs() });
  }

  #attach(): OwnTarget[] {
    const attached: OwnTarget[] = [];
    const { targets, console } = this.#spec;
    for (const target of console === null ? targets : [...targets, console]) {
      const own = this.#host.attachOwn(target);
      // Console and logfile may be the same stream (logfile=/dev/stdout with nodaemon). A line is written there once.
      if (attached.some(({ sink }) => sink === own.sink)) own.detach();
      else attached.push(own);
    }
    for (const { sink } of attached) sink.open();
    return attached;
  }

  #say({ sink, target }: Pick<TargetSink, 'target' | 'sink'>, entry: Entry): void {
    const format = (of: Entry): Buffer[] => ownLinesFor(target, { ...of, name: this.#spec.name, pid: process.pid });
    const formatDropped = (lines: number): Buffer => {
      const text = `${lines} lines of this log were dropped: ${sink.name} did not take them`;
      return Buffer.concat(format({ level: 'warn', text, fields: { event: 'logging' }, wallMs: this.#host.wallMs() }));
    };
    for (const line of format(entry)) sink.say(line, formatDropped);
  }
}
