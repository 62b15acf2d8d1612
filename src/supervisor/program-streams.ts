/**
 * The standard streams of the programs, on our side: a log channel for each output, and our end of each input. Creates
 * the files for AUTO. Does not know when a program runs.
 */
import { processFields } from '../core/log-fields.ts';
import { closeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Config, ProcessConfig } from '../config/model.ts';
import { reasonOf } from '../core/error-text.ts';
import { STREAM_NAMES, type StreamName } from '../core/stream-name.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import { createAutoFile } from '../logs/auto-files.ts';
import type { ChannelSpec, LogChannel, Hub, Intake } from '../logs/ports.ts';
import type { SpawnResult } from '../native/addon.ts';
import type { NamedOutput } from './line-sources.ts';
import { channelSpec, type FilePorts } from './log-specs.ts';
import type { FindOwner } from './owner-lookup.ts';

/** Limit on unread input of a program. More input is refused. A single write to an empty pipe may be longer. */
const MAX_UNREAD_BYTES = 1024 * 1024;

const NO_INTAKES: readonly Intake[] = [];

/** Our end of a program's standard input. The first write creates the socket. */
interface Input {
  readonly fd: number;
  socket: Socket | null;
}

/** Parts of the streams. */
export interface StreamsParts {
  readonly hub: Hub;
  readonly report: Report;
  readonly supervisord: Config['supervisord'];
  readonly findOwner: FindOwner;
  /** Called with each output that is closed, unless it is the protocol of an event listener. */
  readonly departed: (output: NamedOutput) => void;
}

/** The streams of all programs of one configuration. */
export class ProgramStreams {
  readonly #parts: StreamsParts;
  #supervisord: Config['supervisord'];
  readonly #protocols = new Set<string>();
  /** By stream and namespec. */
  readonly #channels: Readonly<Record<StreamName, Map<string, LogChannel>>> = { stdout: new Map(), stderr: new Map() };
  readonly #inputs = new Map<string, Input>();
  /** Pipes with the output of a run, by pid, until the run was reaped. */
  readonly #intakes = new Map<number, readonly Intake[]>();
  /** Those of them with the protocol of an event listener. */
  readonly #protocolIntakes = new Map<number, readonly Intake[]>();

  constructor(parts: StreamsParts) {
    this.#parts = parts;
    this.#supervisord = parts.supervisord;
  }

  /** Opens the logs of a program, for as long as it is configured. */
  open(proc: ProcessConfig): void {
    const id = namespecOf(proc);
    for (const stream of STREAM_NAMES) {
      const spec = this.#specOf(proc, stream, () => this.#makeAutoFile(proc, stream));
      if (spec === null) continue;
      if (proc.type === 'eventlistener' && stream === 'stdout') this.#protocols.add(id);
      this.#channels[stream].set(id, this.#parts.hub.openChannel(spec));
    }
  }

  /** Applies options of `[supervisord]` that may change while programs run, to the given programs. */
  configureAll(supervisord: Config['supervisord'], processes: readonly ProcessConfig[]): void {
    this.#supervisord = supervisord;
    for (const proc of processes) this.configure(proc);
  }

  /** Applies those log options of a program that may change while it runs: forms of lines, mode and owner of files. */
  configure(proc: ProcessConfig): void {
    for (const stream of STREAM_NAMES) {
      const channel = this.channel(namespecOf(proc), stream);
      const made = channel?.spec.targets.find((target) => target.kind === 'file');
      const spec = this.#specOf(proc, stream, () => made?.path ?? null);
      if (channel !== null && spec !== null) channel.configure(spec);
    }
  }

  /** Takes over the pipes of a new run. */
  attach(proc: ProcessConfig, { pid, stdin, stdout, stderr }: SpawnResult): void {
    const id = namespecOf(proc);
    if (stdin !== null) this.#inputs.set(id, { fd: stdin, socket: null });
    const [out, err] = [this.#read(id, 'stdout', stdout, pid), this.#read(id, 'stderr', stderr, pid)];
    this.#intakes.set(pid, out.concat(err));
    if (proc.type === 'eventlistener') this.#protocolIntakes.set(pid, out);
  }

  /**
   * Reads the remaining output of a run that was reaped. The protocol pipe of an event listener is then closed.
   * Otherwise we would read forever what an orphan of the listener writes, only to drop it.
   */
  readRemaining(pid: number): void {
    const all = this.#intakes.get(pid) ?? NO_INTAKES;
    const protocol = this.#protocolIntakes.get(pid) ?? NO_INTAKES;
    this.#intakes.delete(pid);
    this.#protocolIntakes.delete(pid);
    for (const intake of all) intake.readRemaining();
    for (const intake of protocol) void intake.drained().then(() => intake.close());
  }

  /** Closes the pipes of earlier runs of a program that is stopped on request. */
  closeOldPipes(id: string): void {
    for (const stream of STREAM_NAMES) this.channel(id, stream)?.closeOldPipes();
  }

  /** Closes the standard input of a run that has ended. */
  closeInput(id: string): void {
    const input = this.#inputs.get(id);
    if (input === undefined) return;
    this.#inputs.delete(id);
    if (input.socket === null) closeSync(input.fd);
    else input.socket.destroy();
  }

  /** Closes the logs of a program that is no longer configured. */
  close(id: string): void {
    for (const stream of STREAM_NAMES) {
      const channel = this.channel(id, stream);
      if (channel === null) continue;
      const { memory } = channel;
      channel.close();
      this.#channels[stream].delete(id);
      if (stream !== 'stdout' || !this.#protocols.has(id)) this.#parts.departed({ name: id, stream, memory });
    }
    this.#protocols.delete(id);
    this.closeInput(id);
  }

  /** Closes all logs and inputs. */
  closeAll(): void {
    for (const stream of STREAM_NAMES) for (const id of this.#channels[stream].keys()) this.close(id);
    for (const id of this.#inputs.keys()) this.closeInput(id);
  }

  /** Returns the log channel of a stream; null if it has none of its own. */
  channel(id: string, stream: StreamName): LogChannel | null {
    return this.#channels[stream].get(id) ?? null;
  }

  /** Returns the channel of a stream that is a log: the standard output of an event listener is a protocol. */
  logChannel(id: string, stream: StreamName): LogChannel | null {
    return stream === 'stdout' && this.#protocols.has(id) ? null : this.channel(id, stream);
  }

  /** Returns all channels that are logs. */
  *logs(): Iterable<{ readonly id: string; readonly stream: StreamName; readonly channel: LogChannel }> {
    for (const stream of STREAM_NAMES)
      for (const [id, channel] of this.#channels[stream])
        if (stream !== 'stdout' || !this.#protocols.has(id)) yield { id, stream, channel };
  }

  /**
   * Writes to the standard input of a program, all bytes or none, and returns at once. `failed` is called later if no
   * process reads the bytes, also because the program has ended.
   */
  writeInput(id: string, bytes: Uint8Array, failed?: () => void): 'written' | 'closed' | 'full' {
    const input = this.#inputs.get(id);
    if (input === undefined) return 'closed';
    input.socket ??= this.#openInput(id, input.fd);
    if (input.socket.destroyed || !input.socket.writable) return 'closed';
    const unread = input.socket.writableLength;
    if (unread > 0 && unread + bytes.length > MAX_UNREAD_BYTES) return 'full';
    input.socket.write(bytes, (error) => {
      if (error) failed?.();
    });
    return 'written';
  }

  #specOf(proc: ProcessConfig, stream: StreamName, autoPath: FilePorts['autoPath']): ChannelSpec | null {
    const { findOwner } = this.#parts;
    const lookUpOwner: FilePorts['lookUpOwner'] = (owner) => findOwner(owner, `the ${stream} log of ${proc.name}`);
    const spec = channelSpec(proc, stream, this.#supervisord, { autoPath, lookUpOwner });
    // Event listeners have no capture mode. Their standard output is a protocol, so it must stay unchanged.
    return spec === null || proc.type !== 'eventlistener'
      ? spec
      : { ...spec, captureMaxBytes: 0, stripAnsi: spec.stripAnsi && stream === 'stderr' };
  }

  #openInput(id: string, fd: number): Socket {
    const socket = new Socket({ fd, readable: false, writable: true });
    // EPIPE: the program closed its standard input. The next write reports it.
    socket.on('error', (error: NodeJS.ErrnoException) =>
      this.#parts.report('debug', `cannot write to the standard input of ${id}: ${error.code}`),
    );
    return socket;
  }

  #read(id: string, stream: StreamName, fd: number | null, pid: number): Intake[] {
    if (fd === null) return [];
    const channel = this.#channels[stream].get(id);
    if (channel !== undefined) return [channel.read(fd, pid)];
    closeSync(fd);
    return [];
  }

  /**
   * Creates a log file for AUTO. If that fails, reports it. The program then runs without the file; its tail is in
   * memory.
   */
  #makeAutoFile(proc: ProcessConfig, stream: StreamName): string | null {
    const { childlogdir, identifier } = this.#supervisord;
    try {
      return createAutoFile(childlogdir, proc.name, stream, identifier);
    } catch (error) {
      this.#parts.report(
        'error',
        `cannot make the ${stream} log of ${proc.name} in ${childlogdir}: ${reasonOf(error)}`,
        {
          event: 'logging',
          ...processFields(proc),
        },
      );
      return null;
    }
  }
}
