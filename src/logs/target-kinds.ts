/**
 * The kinds of log targets: one row for each kind, with its destination and its forms of lines.
 * A new kind is a row here, a row in config/log-target.ts (its text in a configuration) and a file with its outlet.
 */
import { resolve as resolvePath } from 'node:path';
import { type ContainerStream, parseContainerStream } from '../core/container-stream.ts';
import type { Level } from '../core/log-level.ts';
import { connectionOf, formatLogServer } from '../core/log-server.ts';
import type { StreamName } from '../core/stream-name.ts';
import { goneErrorsOf, identityOf, looksOf, openContainerStream } from './container-stream.ts';
import type { Looks } from './container-stream.ts';
import type { LineForm } from './feed.ts';
import { FileInLane } from './file-in-lane.ts';
import { FileOutlet } from './file-outlet.ts';
import { LinePrefix } from './line-prefix.ts';
import type { PrefixParts } from './line-prefix.ts';
import { MAX_MESSAGE_BYTES, connectTo } from './links.ts';
import { MessageHeader } from './message-header.ts';
import type { Severity } from './message-header.ts';
import type { Outlet } from './outlets.ts';
import type { LineStyle, LogFormat, LogTarget } from './ports.ts';
import { formatOwnJson, formatOwnLogfmt, formatOwnText } from './own-line-format.ts';
import type { OwnLine } from './own-line-format.ts';
import { RecordFormat } from './record-format.ts';
import { RemoteOutlet } from './remote-outlet.ts';
import type { Sink } from './sink.ts';
import type { Destination, SinkStore } from './sink-store.ts';
import { SyslogOutlet } from './syslog-outlet.ts';

type Kind = LogTarget['kind'];
type TargetOf<K extends Kind> = Extract<LogTarget, { readonly kind: K }>;

/** One kind of log target. */
interface TargetKind<T extends LogTarget> {
  /** Returns the destination of a target. */
  readonly destination: (target: T, store: SinkStore) => Destination;
  /** Gives the outlet of the destination the settings of a target. */
  readonly configure?: (target: T, outlet: Outlet) => void;
  /** Returns the looks of a destination that may be a terminal. */
  readonly looks?: (target: T, store: SinkStore) => Looks;
  /** Makes the form of the lines of one pipe. */
  readonly lineForm: (target: T, output: PrefixParts) => LineForm;
  /** Formats a line of the supervisor itself, with its newline. */
  readonly ownLine: (target: T, line: OwnLine) => string | Buffer;
  /** True if each line is a message of its own, with time and level. */
  readonly hasMessages: boolean;
  /** True if the destination belongs to the log, so that clearing the log empties the destination. */
  readonly isFile: boolean;
  /** True if the destination can be opened again while it is in use. The others have nothing to reopen or rotate. */
  readonly isReopened: boolean;
}

const SYSLOG_PATH = '/dev/log';

const RAW: LineForm = { kind: 'raw' };
const NO_TERMINAL: Looks = { isTerminal: false, isColored: false };

/** compat: for the log daemon, the name of the process stands before each line (`stdout_syslog`). */
const SYSLOG_STYLE = { prefix: '%(process_name)s ', timestamp: 'none' } as const satisfies Partial<LineStyle>;

/** Severities for a log server. As in Docker's driver, output on standard error is an error. */
const STREAM_SEVERITIES: Readonly<Record<StreamName, Severity>> = { stdout: 'info', stderr: 'error' };
const LEVEL_SEVERITIES: Readonly<Record<Level, Severity>> = {
  critical: 'critical',
  error: 'error',
  warn: 'warning',
  info: 'info',
  debug: 'debug',
  trace: 'debug',
  blather: 'debug',
};

const KINDS: { readonly [K in Kind]: TargetKind<TargetOf<K>> } = {
  container: {
    destination: ({ stream }, store) => streamDestination(stream, store),
    looks: ({ stream }, { deps: { streams, color, noColor } }) => looksOf(streams[stream], color, noColor),
    lineForm: ({ format }, output) => formFor(format, output),
    ownLine: ({ format }, line) => OWN_FORMATS[format](line),
    hasMessages: false,
    isFile: false,
    isReopened: false,
  },
  file: {
    destination: (target, store) => fileDestination(target, store),
    configure: (target, outlet) => {
      // The limits of a path that several logs share are those that were configured last.
      if (outlet instanceof FileInLane) outlet.file.limit(target, target.rules);
    },
    lineForm: ({ format }, output) => formFor(format, output),
    ownLine: ({ format }, line) => OWN_FORMATS[format](line),
    hasMessages: false,
    isFile: true,
    isReopened: true,
  },
  syslog: {
    destination: (_target, { deps: { natives, clock, syslogPath: path = SYSLOG_PATH } }) => ({
      id: `syslog ${path}`,
      name: `syslog (${path})`,
      type: 'service',
      makeOutlet: () => new SyslogOutlet({ path, natives, clock }),
    }),
    lineForm: (_target, output) => ({
      kind: 'prefix',
      prefix: new LinePrefix({ ...output, style: { ...output.style, ...SYSLOG_STYLE }, isColored: false }),
    }),
    ownLine: (_target, line) => formatOwnText(line),
    hasMessages: true,
    isFile: false,
    isReopened: false,
  },
  remote: {
    destination: (target, store) => serverDestination(target, store),
    lineForm: ({ form }, { origin: { process: name, stream }, pid }) => ({
      kind: 'prefix',
      prefix: new MessageHeader({ name, pid, severity: STREAM_SEVERITIES[stream] }, form),
    }),
    ownLine: ({ form }, { name, pid, level, text, wallMs }) => {
      const header = new MessageHeader({ name, pid, severity: LEVEL_SEVERITIES[level] }, form);
      return Buffer.concat([header.at(wallMs), Buffer.from(`${text}\n`)]);
    },
    hasMessages: true,
    isFile: false,
    isReopened: true,
  },
};

const OWN_FORMATS: Readonly<Record<LogFormat, (line: OwnLine) => string>> = {
  raw: formatOwnText,
  prefix: formatOwnText,
  json: formatOwnJson,
  logfmt: formatOwnLogfmt,
};

function formFor(format: LogFormat, output: PrefixParts): LineForm {
  switch (format) {
    case 'raw':
      return RAW;
    case 'prefix':
      return { kind: 'prefix', prefix: new LinePrefix(output) };
    case 'json':
    case 'logfmt': {
      const { origin, pid, style } = output;
      return { kind: 'record', record: new RecordFormat(format, origin, pid, style.jsonLines) };
    }
  }
}

function streamDestination(stream: ContainerStream, { deps, growth }: SinkStore): Destination {
  const fd = deps.streams[stream];
  return {
    // stdout and stderr are one destination where they lead to one place.
    id: identityOf(fd),
    name: stream === 1 ? 'standard output' : 'standard error',
    type: 'stream',
    goneOn: goneErrorsOf(fd),
    makeOutlet: () => openContainerStream(fd, growth, deps.clock),
  };
}

function fileDestination(target: TargetOf<'file'>, { files }: SinkStore): Destination {
  const resolved = resolvePath(target.path);
  // The same text twice is the same memory twice.
  const path = resolved === target.path ? target.path : resolved;
  return {
    id: path,
    name: path,
    type: 'path',
    makeOutlet: (host) => new FileInLane(path, new FileOutlet({ path, shared: files, host }, target, target.rules)),
  };
}

function serverDestination(target: TargetOf<'remote'>, { deps: { clock } }: SinkStore): Destination {
  const name = formatLogServer(target);
  return {
    // Targets that differ in the form of their messages only share a connection.
    id: connectionOf(target),
    name,
    type: 'server',
    makeOutlet: (host) =>
      new RemoteOutlet({
        name,
        longestMessage: MAX_MESSAGE_BYTES[target.protocol],
        connect: connectTo(target),
        clock,
        report: (problem) => host.report(problem),
      }),
  };
}

/** A target with its sink. */
export interface TargetSink extends Looks {
  readonly target: LogTarget;
  readonly sink: Sink;
}

/** Connects a target to its sink. The store must release the sink later. */
export function connectTarget(wanted: LogTarget, store: SinkStore): TargetSink {
  const target = resolveTarget(wanted);
  const kind = kindOf(target);
  const sink = store.acquire(kind.destination(target, store));
  kind.configure?.(target, sink.outlet);
  const { isTerminal, isColored } = kind.looks?.(target, store) ?? NO_TERMINAL;
  return { target, sink, isTerminal, isColored };
}

/** Makes the form of the lines of one pipe for a target. */
export function lineFormFor(target: LogTarget, output: PrefixParts): LineForm {
  return kindOf(target).lineForm(target, output);
}

/** Formats a line of the supervisor itself for a target: as one line, or as one for each message. */
export function ownLinesFor(target: LogTarget, line: OwnLine): Buffer[] {
  const { hasMessages, ownLine } = kindOf(target);
  // compat: in syslog, each line of a text has its own time and level.
  const texts = hasMessages ? line.text.split('\n') : [line.text];
  return texts.map((text) => Buffer.from(ownLine(target, { ...line, text })));
}

/** Returns true if the target takes records or messages, which may have more than one line (`log_multiline`). */
export function hasRecords(target: LogTarget): boolean {
  return kindOf(target).hasMessages || target.format === 'json' || target.format === 'logfmt';
}

/** Returns true if the destination of a target belongs to the log, so that clearing the log empties it. */
export function isFileTarget(target: LogTarget): boolean {
  return kindOf(target).isFile;
}

/** Returns true if a reopening of logs is for the destination of a target. */
export function isReopenedTarget(target: LogTarget): boolean {
  return kindOf(target).isReopened;
}

/** Returns the target that a path means if the path is one of our own streams. */
function resolveTarget(target: LogTarget): LogTarget {
  const stream = target.kind === 'file' ? parseContainerStream(target.path, process.pid) : null;
  return stream === null ? target : { kind: 'container', stream, format: target.format };
}

function kindOf<K extends Kind>(target: TargetOf<K>): TargetKind<TargetOf<K>> {
  return KINDS[target.kind];
}
