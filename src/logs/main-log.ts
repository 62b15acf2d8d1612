/**
 * The supervisor's own log: lines exactly as Supervisor writes them, to files, the console, or other places, and a tail
 * in memory. Nothing here throws or waits: what a stalled target cannot take is counted, and said when it takes bytes
 * again.
 */
import { fitMessage } from '../core/shown-text.ts';
import type { BytesListener, Level, LogFormat, LogTarget, MainLog, MainLogSpec, TailSlice } from './ports.ts';
import { MessageHeader } from './message-header.ts';
import type { Severity } from './message-header.ts';
import { formatOwnJson, formatOwnLogfmt } from './record-format.ts';
import type { Sink } from './sink.ts';
import { Tail } from './tail.ts';
import { formatLocalTime } from './time-format.ts';

/** Rank and name of each level, as in Supervisor's `loglevel` and its lines, and what it is for a log server. */
const LEVELS: Readonly<Record<Level, { readonly rank: number; readonly name: string; readonly severity: Severity }>> = {
  critical: { rank: 50, name: 'CRIT', severity: 'critical' },
  error: { rank: 40, name: 'ERRO', severity: 'error' },
  warn: { rank: 30, name: 'WARN', severity: 'warning' },
  info: { rank: 20, name: 'INFO', severity: 'info' },
  debug: { rank: 10, name: 'DEBG', severity: 'debug' },
  trace: { rank: 5, name: 'TRAC', severity: 'debug' },
  blather: { rank: 3, name: 'BLAT', severity: 'debug' },
};

/** A line as Supervisor writes it: `2026-01-01 12:00:00,123 INFO text`. */
export function formatMainLine(level: Level, text: string, wallMs: number): string {
  return `${formatLocalTime(wallMs)} ${LEVELS[level].name} ${text}\n`;
}

/** What the log needs of its hub. */
export interface MainLogHost {
  wallMs(): number;
  acquireOwn(target: LogTarget): Sink;
  releaseOwn(sink: Sink): void;
  /** The stream on which a failure of every target is said. */
  lastResort(): Sink;
}

interface MainLogTarget {
  readonly sink: Sink;
  readonly format: LogFormat;
  readonly kind: LogTarget['kind'];
}

/** See the head of this file. */
export class SupervisorLog implements MainLog {
  readonly #host: MainLogHost;
  #spec: MainLogSpec;
  #rank: number;
  #places: MainLogTarget[] = [];
  #tail: Tail;
  readonly #listeners = new Set<BytesListener>();

  constructor(spec: MainLogSpec, host: MainLogHost) {
    this.#host = host;
    this.#spec = spec;
    this.#rank = LEVELS[spec.level].rank;
    this.#tail = new Tail(spec.tailBytes);
    this.#places = this.#acquire();
  }

  write(level: Level, text: string): void {
    if (this.isEnabled(level)) this.#write(level, fitMessage(text.toWellFormed()), () => false);
  }

  /** Writes output of a program at level debug, except where the output itself goes. */
  copyOutput(text: string, hasOutput: (sink: Sink) => boolean): void {
    if (this.isEnabled('debug')) this.#write('debug', text, hasOutput);
  }

  #write(level: Level, said: string, isSkipped: (sink: Sink) => boolean): void {
    // The bytes of a path or variable that are not UTF-8 are replaced: JSON must be text.
    const text = said.toWellFormed();
    const wallMs = this.#host.wallMs();
    const line = Buffer.from(formatMainLine(level, text, wallMs));
    this.#tail.push(line, 0, line.length);
    for (const listener of this.#listeners) listener(line, process.pid);
    for (const place of this.#places) if (!isSkipped(place.sink)) this.#say(place, level, text, wallMs);
  }

  isEnabled(level: Level): boolean {
    return LEVELS[level].rank >= this.#rank;
  }

  setLevel(level: Level): void {
    this.#rank = LEVELS[level].rank;
  }

  configure(spec: MainLogSpec): void {
    const old = this.#places;
    if (spec.tailBytes !== this.#spec.tailBytes) this.#tail = this.#tail.resized(spec.tailBytes);
    this.#spec = spec;
    this.#rank = LEVELS[spec.level].rank;
    this.#places = this.#acquire();
    for (const place of old) this.#host.releaseOwn(place.sink);
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

  async clear(): Promise<void> {
    this.#tail.clear();
    // A file only: on a stream, what is queued may be the output of programs.
    await Promise.all(this.#places.filter(({ kind }) => kind === 'file').map((place) => place.sink.clear()));
  }

  async reopen(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.sink.reopen()));
  }

  /**
   * Says that a sink failed; where the log has no other place, on our stderr, since nobody would learn it otherwise.
   */
  reportFailure(failed: Sink, level: Level, text: string): void {
    this.write(level, text);
    const stderr = this.#host.lastResort();
    if (failed === stderr) return;
    if (this.#places.every((place) => place.sink === failed))
      this.#say({ sink: stderr, format: 'raw', kind: 'container' }, level, text, this.#host.wallMs());
  }

  /** Says at the end that output is lost: in the log, and on our stderr, where it is seen even if the log is not. */
  reportLoss(failed: Sink, level: Level, text: string): void {
    this.write(level, text);
    const stderr = this.#host.lastResort();
    if (failed === stderr || this.#places.some(({ sink }) => sink === stderr)) return;
    this.#say({ sink: stderr, format: 'raw', kind: 'container' }, level, text, this.#host.wallMs());
  }

  #acquire(): MainLogTarget[] {
    const places: MainLogTarget[] = [];
    const { targets, console } = this.#spec;
    for (const target of console === null ? targets : [...targets, console]) {
      const sink = this.#host.acquireOwn(target);
      // Console and logfile may be the same stream (logfile=/dev/stdout with nodaemon): a line is written there once.
      if (places.some((place) => place.sink === sink)) this.#host.releaseOwn(sink);
      else places.push({ sink, format: target.format, kind: target.kind });
    }
    for (const place of places) place.sink.open();
    return places;
  }

  #say({ sink, format, kind }: MainLogTarget, level: Level, text: string, wallMs: number): void {
    // compat: each line of a text of several has time and level of its own in syslog, as each is a message of its own.
    const parts = kind === 'syslog' || kind === 'remote' ? text.split('\n') : [text];
    const line = (of: Level, part: string, atMs: number): Buffer =>
      kind === 'remote' ? this.#message(of, part, atMs) : this.#format(format, of, part, atMs);
    for (const part of parts) {
      sink.say(line(level, part, wallMs), (lines) =>
        line('warn', `${lines} lines of this log were dropped: ${sink.name} did not take them`, this.#host.wallMs()),
      );
    }
  }

  /** For a log server, which has time and level beside the text. */
  #message(level: Level, text: string, wallMs: number): Buffer {
    const header = new MessageHeader(this.#spec.name, process.pid, LEVELS[level].severity);
    return Buffer.concat([header.at(wallMs), Buffer.from(`${text}\n`)]);
  }

  #format(format: LogFormat, level: Level, text: string, wallMs: number): Buffer {
    switch (format) {
      case 'raw':
      case 'prefix':
        return Buffer.from(formatMainLine(level, text, wallMs));
      case 'json':
        return Buffer.from(formatOwnJson(this.#spec.name, process.pid, level, text, wallMs));
      case 'logfmt':
        return Buffer.from(formatOwnLogfmt(this.#spec.name, process.pid, level, text, wallMs));
    }
  }
}
