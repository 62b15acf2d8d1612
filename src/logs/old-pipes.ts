/**
 * The pipes of ended runs that are still open, because processes that the runs have left behind keep them, or because
 * output waits in them. Their output is still logged. Each takes a descriptor, so there is a limit: without it, a
 * program that leaves a process behind at each run would use up all descriptors, and no other program could start.
 */
import type { LogFields } from '../core/log-fields.ts';
import { processFields } from '../core/log-fields.ts';
import { formatNamespec } from '../core/namespec.ts';
import type { ChannelSpec, LogClock, LogNatives } from './ports.ts';

/** Maximum number of old pipes of one channel. */
export const MAX_OLD_PIPES = 8;

/** Part of our open files that the old pipes of all channels may take. */
const SHARE_OF_FILES = 1 / 4;

/** A program is reported again if none of its pipes had to be closed for this time. */
const REPORT_MS = 600_000;

const ENDING = 'kill_orphans=cgroup ends such processes';

/** The pipe of an ended run. */
export interface OldPipe {
  /** The channel of the pipe. */
  readonly channel: { readonly spec: Pick<ChannelSpec, 'group' | 'process' | 'stream'> };
  /**
   * Reads what is in the pipe, and closes the pipe. Does nothing while the pipe is being read. Returns true if the pipe
   * was closed although a process keeps it.
   */
  abandon(): boolean;
}

/** Parts of {@link OldPipes}. */
export interface OldPipesParts {
  readonly clock: Pick<LogClock, 'nowMs'>;
  readonly natives: Pick<LogNatives, 'getLimit'>;
  readonly warn: (text: string, fields: LogFields) => void;
}

/** The old pipes of all channels. */
export class OldPipes {
  readonly #parts: OldPipesParts;
  /** The oldest first. */
  readonly #pipes = new Set<OldPipe>();
  /** Times of the last reports, by process. */
  readonly #reported = new Map<string, number>();

  constructor(parts: OldPipesParts) {
    this.#parts = parts;
  }

  /** Takes a pipe whose run has ended. Closes the oldest pipes beyond the limits. */
  add(pipe: OldPipe): void {
    this.#pipes.add(pipe);
    const { channel } = pipe;
    this.#trim(this.#of(channel), MAX_OLD_PIPES, `the last ${MAX_OLD_PIPES} are read`);
    const all = Math.max(MAX_OLD_PIPES, Math.floor(this.#parts.natives.getLimit('nofile').soft * SHARE_OF_FILES));
    this.#trim([...this.#pipes], all, `the last ${all} of all programs are read`);
  }

  /** Forgets a pipe that was closed. */
  remove(pipe: OldPipe): void {
    this.#pipes.delete(pipe);
  }

  /**
   * Closes the old pipes of a channel whose program is stopped on request. The last one stays, and so does that of the
   * current run: processes that end with the program may still write.
   */
  stopped(channel: OldPipe['channel']): void {
    this.#trim(this.#of(channel), 1, 'since it is stopped, only the last one is read');
  }

  /** Closes all old pipes, because there is no descriptor. Returns false if there are none. */
  closeAll(): boolean {
    const before = this.#pipes.size;
    this.#trim([...this.#pipes], 0, 'none is read any more, because too many files are open');
    return this.#pipes.size < before;
  }

  #of(channel: OldPipe['channel']): OldPipe[] {
    return [...this.#pipes].filter((pipe) => pipe.channel === channel);
  }

  /** Closes the oldest of some pipes. */
  #trim(pipes: readonly OldPipe[], limit: number, rule: string): void {
    for (const pipe of pipes.slice(0, Math.max(0, pipes.length - limit))) {
      if (pipe.abandon()) this.#report(pipe.channel.spec, rule);
    }
  }

  /** Reports a process once. Each of its runs may leave another process behind. */
  #report({ group, process: name, stream }: OldPipe['channel']['spec'], rule: string): void {
    const nowMs = this.#parts.clock.nowMs();
    const id = formatNamespec(group, name);
    const reportedMs = this.#reported.get(id) ?? -Infinity;
    this.#reported.set(id, nowMs);
    if (nowMs - reportedMs < REPORT_MS) return;
    for (const [other, atMs] of this.#reported) if (nowMs - atMs >= REPORT_MS) this.#reported.delete(other);
    const text = `processes that earlier runs of ${id} have left behind keep its ${stream} open; ${rule}; ${ENDING}`;
    this.#parts.warn(text, { event: 'logging', ...processFields({ group, name }) });
  }
}
