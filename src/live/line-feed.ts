/** Lines of one selection, for all clients that want the same lines. */
import type { LineFollow, LineSelection, LogLines } from '../rpc/lines.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { displayName, MESSAGE_END } from './messages.ts';

/** Limits of one message of lines. */
const MESSAGE_LIMITS = { lines: 2000, bytes: 192 * 1024 } as const;
/** Number of bytes that all feeds read between two ticks. Programs that write more do not take all of the loop. */
export const TICK_BYTES = 2 * 1024 * 1024;

/** Maximum number of bytes of the lines that a client begins with. */
const MAX_TAIL_BYTES = 1024 * 1024;

/** Encoded lines. */
export interface LineBatch {
  /** The data of the message and its end. */
  readonly body: Buffer;
  readonly lines: number;
  /** Number up to which the client has all lines with this batch. */
  readonly position: number;
}

/** The rest of the reading budget of a tick, shared by all feeds. */
export interface ReadBudget {
  bytes: number;
}

/** Receiver of batches. */
export interface BatchReceiver {
  pushLines(batch: LineBatch): void;
}

/** Returns the text that identifies a selection. */
export function keyOf({ names, streams }: LineSelection): string {
  return JSON.stringify([names.toSorted(), streams.toSorted()]);
}

/** Encodes lines with display names; null if there is nothing to tell. */
export function encodeLines({ lines, missed, next }: LogLines, names: Map<string, string>): LineBatch | null {
  if (lines.length === 0 && missed.length === 0) return null;
  const nameOf = (id: string): string => {
    const known = names.get(id);
    if (known !== undefined) return known;
    const name = displayName(id);
    names.set(id, name);
    return name;
  };
  const data = {
    lines: lines.map((line) => ({ ...line, name: nameOf(line.name) })),
    missed: missed.map((lost) => ({ ...lost, name: nameOf(lost.name) })),
  };
  return { body: Buffer.from(JSON.stringify(data) + MESSAGE_END), lines: lines.length, position: next };
}

/**
 * The lines of one selection, read and encoded once for all clients that want the same lines. Lines are read every 50
 * ms, and earlier if new output would overwrite them: the memory of an output is small (`tail_bytes`). What was
 * overwritten before it was read is told as `missed`.
 */
export class LineFeed {
  readonly #api: SupervisorApi;
  readonly #selection: LineSelection;
  readonly #follow: LineFollow;
  readonly #names = new Map<string, string>();
  readonly #told = new WeakMap<object, number>();
  readonly #receivers = new Set<BatchReceiver>();
  readonly #changed: () => void;
  /** Number up to which lines were read. */
  #position: number;
  #unread = 0;
  readonly #budget: ReadBudget;
  #isStale = false;

  /** `changed` is called when there is something to read or to send. */
  constructor(api: SupervisorApi, selection: LineSelection, budget: ReadBudget, changed: () => void) {
    this.#api = api;
    this.#budget = budget;
    this.#selection = selection;
    this.#changed = changed;
    this.#position = api.latestSeq;
    this.#follow = api.followLines(selection, (...output) => this.#outputComes(...output));
  }

  get position(): number {
    return this.#position;
  }

  get isUnused(): boolean {
    return this.#receivers.size === 0;
  }

  /** Adds a receiver that has all lines up to {@link position}. */
  join(receiver: BatchReceiver): void {
    this.#receivers.add(receiver);
  }

  leave(receiver: BatchReceiver): void {
    this.#receivers.delete(receiver);
  }

  has(receiver: BatchReceiver): boolean {
    return this.#receivers.has(receiver);
  }

  /**
   * Reads the latest `count` lines for a new receiver, and makes this feed continue behind them. `before`: the number
   * before the first of these lines.
   */
  latest(count: number): { readonly batch: LineBatch | null; readonly before: number } {
    if (count === 0) {
      this.#advance(() => true);
      return { batch: null, before: this.#position };
    }
    const query = { after: null, before: null, sinceMs: null, untilMs: null };
    const limits = { lines: count, bytes: MAX_TAIL_BYTES };
    const read = this.#api.readLines(this.#selection, { ...query, limits }, () => undefined);
    this.#advance(() => true);
    const batch = encodeLines(read, this.#names);
    const first = read.lines[0];
    return { batch, before: first === undefined ? this.#position : first.seq - 1 };
  }

  /** Reads all new lines. Returns true if the feed is then at a position, so that a receiver there can join. */
  meet(position: number): boolean {
    this.#advance(() => true);
    return this.#position === position;
  }

  /** Tells that programs have come or gone. Their outputs are looked up before the next reading. */
  markStale(): void {
    this.#isStale = true;
  }

  /** Reads lines for one client that is behind. `told`: the losses that it knows, by output. */
  readAfter(
    position: number,
    told: WeakMap<object, number>,
  ): { readonly batch: LineBatch | null; readonly next: number; readonly hasMore: boolean } {
    this.#refresh();
    const read = this.#follow.read(position, MESSAGE_LIMITS, told);
    return { batch: encodeLines(read, this.#names), next: read.next, hasMore: read.hasMore };
  }

  /** Reads the new lines as far as the budget goes. Returns true if there may be more. */
  tick(): boolean {
    return this.#advance(() => this.#budget.bytes > 0);
  }

  /** Reads the new lines while `mayRead` allows it. Returns true if there may be more. */
  #advance(mayRead: () => boolean): boolean {
    this.#refresh();
    // Without output, no number up to the latest belongs to a line of this selection.
    if (this.#unread === 0) this.#position = Math.max(this.#position, this.#api.latestSeq);
    while (this.#unread > 0) {
      if (!mayRead()) return true;
      this.#read();
    }
    return false;
  }

  close(): void {
    this.#follow.close();
  }

  /** Called before new bytes are kept. Reads the lines that they may overwrite. */
  #outputComes(bytes: number, memoryBytes: number): void {
    const isFull = this.#unread > 0 && this.#unread + bytes > memoryBytes;
    try {
      if (isFull && this.#budget.bytes > 0) this.#read();
    } catch (error) {
      this.#api.report('error', `cannot read lines for a stream: ${String(error)}`);
    }
    this.#unread += bytes;
    this.#changed();
  }

  #refresh(): void {
    if (!this.#isStale) return;
    this.#isStale = false;
    this.#follow.refresh();
    // New outputs may have written already.
    this.#unread += 1;
  }

  #read(): void {
    const read = this.#follow.read(this.#position, MESSAGE_LIMITS, this.#told);
    this.#position = read.next;
    if (!read.hasMore) this.#unread = 0;
    if (this.#names.size > 10_000) this.#names.clear();
    const batch = encodeLines(read, this.#names);
    if (batch === null) return;
    this.#budget.bytes -= batch.body.length;
    for (const receiver of this.#receivers) receiver.pushLines(batch);
  }
}
