/** All streams of one supervisor. */
import type { SupervisorEvent } from '../engine/events.ts';
import { isFlapping } from '../rpc/status-methods.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';
import { keyOf, LineFeed, type ReadBudget, TICK_BYTES } from './line-feed.ts';
import { displayName, formatMessage, MESSAGE_END } from './messages.ts';
import type { Position, StreamId } from './position.ts';
import { type FactSources, StatusTexts } from './status-texts.ts';
import type { StreamClient } from './stream-client.ts';
import type { LiveTimers } from './timers.ts';

/** Time for which changes are collected. */
const TICK_MS = 50;
/** Interval of the timer for pings and stalled clients, and the silence that needs a ping. */
const PING_MS = 5000;
const QUIET_MS = 2500;
/** Number of processes in one piece of a snapshot. */
const SNAPSHOT_PIECE = 100;

/** Parts of {@link LiveHub}. */
export interface LiveHubParts extends FactSources {
  readonly timers: LiveTimers;
  /** Tells about a sample of the usage, for the history of the usage. */
  readonly sampled?: (usages: Awaited<ReturnType<SupervisorApi['usage']>>) => void;
}

/**
 * All streams of one supervisor: collects changes for 50 ms, reads lines for them, and has the timers. With no client
 * there is no subscription and no timer. The cost of a change does not depend on the number of processes.
 */
export class LiveHub {
  readonly #parts: LiveHubParts;
  readonly #clients = new Set<StreamClient>();
  readonly #feeds = new Map<string, LineFeed>();
  readonly #budget: ReadBudget = { bytes: TICK_BYTES };
  /** Changed processes that may be flapping, and those that are. They stop to flap without an event. */
  readonly #changedSinceTick = new Set<string>();
  readonly #flapping = new Set<string>();
  #unsubscribe: Array<() => void> = [];
  #cancelTick: (() => void) | null = null;
  #cancelPing: (() => void) | null = null;
  #cancelUsage: (() => void) | null = null;
  #isFlushDue = false;
  #isMeasuring = false;
  /** Processes that clients know; empty without clients. */
  #known: ReadonlySet<string> = new Set();
  #isStructureDirty = false;

  constructor(parts: LiveHubParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#clients.size;
  }

  /** Sends a client everything it wants until it is removed. `after`: the position of a client that comes back. */
  async serve(client: StreamClient, after: StreamId | null): Promise<void> {
    this.#add(client);
    const { api } = this.#parts;
    const problem = after === null ? null : this.#problemOf(after, client.query.hasStatus);
    if (problem !== null) client.send('reset', { reason: problem });
    const isResumed = after !== null && problem === null;
    const start: Position = isResumed ? after : { lines: api.latestSeq, events: api.latestSeq };
    client.moveTo(start);
    if (isResumed) this.#markSince(client, start.events);
    else client.clearMarks();
    const isWhole = client.query.hasStatus && (!isResumed || api.history.structureSeq > start.events);
    if (!isResumed) this.#beginLines(client);
    if (isWhole) await this.#sendSnapshot(client, isResumed ? 'follow' : 'skipped');
    if (isResumed) await this.#catchUp(client);
    if (client.isGone || !this.#clients.has(client)) return;
    client.isLive = true;
    this.#flush(client, this.#texts());
  }

  /** Removes a client. */
  remove(client: StreamClient): void {
    if (!this.#clients.delete(client)) return;
    const { selection } = client.query;
    const key = selection === null ? null : keyOf(selection);
    const feed = key === null ? undefined : this.#feeds.get(key);
    feed?.leave(client);
    if (feed?.isUnused === true && key !== null && !this.#hasSelection(key)) {
      feed.close();
      this.#feeds.delete(key);
    }
    if (this.#clients.size === 0) this.#stop();
    else this.#planUsage();
  }

  /** Sends the last changes to a client whose server closes, and ends its answer. */
  finish(client: StreamClient): void {
    if (this.#clients.has(client) && client.isLive) {
      this.#feedOf(client)?.tick();
      if (this.#isStructureDirty) this.#compareStructure();
      client.flush(this.#texts());
    }
    this.remove(client);
    client.end();
  }

  #hasSelection(key: string): boolean {
    return [...this.#clients].some(({ query }) => query.selection !== null && keyOf(query.selection) === key);
  }

  #texts(): StatusTexts {
    return new StatusTexts(this.#parts);
  }

  #add(client: StreamClient): void {
    const { api, timers } = this.#parts;
    if (this.#clients.size === 0) {
      this.#known = new Set(api.processes().map(({ id }) => id));
      for (const id of this.#known) if (isFlapping(api, id)) this.#flapping.add(id);
      this.#unsubscribe = [
        api.subscribe((event) => this.#observe(event)),
        api.history.subscribe(() => this.#planTick()),
      ];
      this.#planPing();
    }
    this.#clients.add(client);
    const { usageMs } = client.query;
    if (usageMs !== null) {
      // Clients with the same interval share the times.
      client.usageDueMs = Math.floor(timers.nowMs() / usageMs) * usageMs;
      this.#planUsage();
    }
  }

  #stop(): void {
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.#unsubscribe = [];
    for (const cancel of [this.#cancelTick, this.#cancelPing, this.#cancelUsage]) cancel?.();
    this.#cancelTick = null;
    this.#cancelPing = null;
    this.#cancelUsage = null;
    this.#known = new Set();
    this.#changedSinceTick.clear();
    this.#flapping.clear();
    this.#isStructureDirty = false;
  }

  /** Returns the reason why a position cannot be continued; null if it can. */
  #problemOf({ epoch, events, lines }: StreamId, hasEvents: boolean): string | null {
    const { api } = this.#parts;
    if (epoch !== api.epoch) return 'the supervisor was started again';
    if (events > api.latestSeq || lines > api.latestSeq) return 'the position is not known';
    return !hasEvents || api.history.eventsAfter(events, 1).isComplete ? null : 'the position is too old';
  }

  /** Marks the processes that may have changed since a number. */
  #markSince(client: StreamClient, seq: number): void {
    const { api } = this.#parts;
    for (const event of api.history.eventsAfter(seq, Infinity).events) if ('id' in event) client.markChanged(event.id);
    // The pid of a process that was spawned meanwhile comes without an event.
    for (const { id, record } of api.processes()) if (record.state === 'STARTING') client.markChanged(id);
    client.markState();
  }

  /**
   * Sends the states of all processes. `earlier`: events before the snapshot that the client has not had follow, or are
   * skipped because the client begins here.
   */
  async #sendSnapshot(client: StreamClient, earlier: 'follow' | 'skipped'): Promise<void> {
    const { api } = this.#parts;
    const seq = api.latestSeq;
    client.clearMarks();
    const ids = api.processes().map(({ id }) => id);
    if (earlier === 'skipped')
      client.moveTo(client.query.selection === null ? { events: seq, lines: seq } : { events: seq });
    client.writeHead('snapshot', client.position);
    client.write(`{"seq":${seq},"state":${JSON.stringify(api.state())},"processes":[`);
    let separator = '';
    for (let at = 0; at < ids.length; at += SNAPSHOT_PIECE) {
      const texts = this.#texts();
      const piece = ids.slice(at, at + SNAPSHOT_PIECE).flatMap((id) => texts.statusOf(id) ?? []);
      if (piece.length === 0) continue;
      client.write(separator + piece.join(','));
      separator = ',';
      await client.taken();
      if (client.isGone) return;
    }
    client.write(`]}${MESSAGE_END}`);
  }

  #feedOf(client: StreamClient): LineFeed | null {
    const { selection } = client.query;
    if (selection === null) return null;
    const key = keyOf(selection);
    const known = this.#feeds.get(key);
    if (known !== undefined) return known;
    const feed = new LineFeed(this.#parts.api, selection, this.#budget, () => this.#outputArrived());
    this.#feeds.set(key, feed);
    return feed;
  }

  /** Lets a new client have the lines from now on, and the latest ones before if it wants them. */
  #beginLines(client: StreamClient): void {
    const feed = this.#feedOf(client);
    if (feed === null) return;
    const { batch, before } = feed.latest(client.query.tail);
    feed.join(client);
    client.moveTo({ lines: before });
    if (batch !== null) client.pushLines(batch);
  }

  /** Reads the lines that a client has missed, as fast as it takes them. */
  async #catchUp(client: StreamClient): Promise<void> {
    const feed = this.#feedOf(client);
    if (feed === null) return;
    let after = client.position.lines;
    const told = new WeakMap<object, number>();
    client.isLive = true;
    for (;;) {
      const { batch, next, hasMore } = feed.readAfter(after, told);
      after = next;
      if (batch !== null) client.pushLines(batch);
      if (!hasMore && feed.meet(next)) break;
      this.#flush(client, this.#texts());
      await client.taken();
      if (client.isGone || !this.#clients.has(client)) return;
    }
    feed.join(client);
    client.linesAreReadTo(after);
  }

  #observe(event: SupervisorEvent): void {
    switch (event.type) {
      case 'process':
      case 'spawned':
      case 'ready':
      case 'health':
      case 'held':
        this.#processChanged(event.process.id);
        break;
      case 'configured':
        this.#processChanged(event.process.id);
        this.#structureChanged();
        break;
      case 'group':
        this.#structureChanged();
        break;
      case 'restarted':
        this.#structureChanged();
        for (const client of this.#clients) client.markState();
        break;
      case 'supervisor':
        for (const client of this.#clients) client.markState();
        break;
    }
    this.#planTick();
  }

  #processChanged(id: string): void {
    for (const client of this.#clients) client.markChanged(id);
    this.#changedSinceTick.add(id);
  }

  #structureChanged(): void {
    this.#isStructureDirty = true;
    for (const feed of this.#feeds.values()) feed.markStale();
  }

  /** Compares the processes with those that the clients know. */
  #compareStructure(): void {
    this.#isStructureDirty = false;
    const now = new Set(this.#parts.api.processes().map(({ id }) => id));
    const removed = [...this.#known].filter((id) => !now.has(id));
    const added = [...now].filter((id) => !this.#known.has(id));
    for (const client of this.#clients) {
      for (const id of removed) client.markRemoved(id);
      for (const id of added) client.markChanged(id);
    }
    this.#known = now;
  }

  #outputArrived(): void {
    this.#planTick();
    if (this.#isFlushDue || ![...this.#clients].some((client) => client.hasManyLines())) return;
    this.#isFlushDue = true;
    this.#parts.timers.soon(() => {
      this.#isFlushDue = false;
      this.#flushAll();
    });
  }

  #planTick(): void {
    this.#cancelTick ??= this.#parts.timers.after(TICK_MS, () => {
      this.#cancelTick = null;
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#isStructureDirty) this.#compareStructure();
    for (const id of this.#changedSinceTick) if (isFlapping(this.#parts.api, id)) this.#flapping.add(id);
    this.#changedSinceTick.clear();
    this.#budget.bytes = TICK_BYTES;
    const unfinished = [...this.#feeds].filter(([, feed]) => feed.tick());
    for (const [key, feed] of unfinished) {
      this.#planTick();
      // Its turn comes after the others next time.
      this.#feeds.delete(key);
      this.#feeds.set(key, feed);
    }
    this.#flushAll();
  }

  #flushAll(): void {
    const texts = this.#texts();
    for (const client of this.#clients) this.#flush(client, texts);
  }

  /** Called when a client has read. */
  drained(client: StreamClient): void {
    if (this.#clients.has(client)) this.#flush(client, this.#texts());
  }

  #flush(client: StreamClient, texts: StatusTexts): void {
    // The position that a client gets with the next message is behind the change, so it must have the change, too.
    if (this.#isStructureDirty) this.#compareStructure();
    if (!client.isLive) return;
    const isComplete = client.flush(texts);
    const feed = this.#feedOf(client);
    if (feed?.has(client) === true) client.linesAreReadTo(feed.position);
    if (isComplete) return;
    client.isLive = false;
    client.send('reset', { reason: 'too many events since the client has read' });
    void this.#sendSnapshot(client, 'skipped').then(() => {
      client.isLive = true;
      if (this.#clients.has(client)) this.#flush(client, this.#texts());
    });
  }

  #planPing(): void {
    this.#cancelPing = this.#parts.timers.after(PING_MS, () => {
      this.#planPing();
      for (const client of this.#clients) {
        if (client.isStalled) client.destroy();
        else if (client.needsPing(QUIET_MS)) client.send('ping', {});
      }
      for (const id of this.#flapping) {
        if (isFlapping(this.#parts.api, id)) continue;
        this.#flapping.delete(id);
        for (const client of this.#clients) client.markChanged(id);
        this.#planTick();
      }
    });
  }

  /** Sets the timer for the client whose usage is due first. */
  #planUsage(): void {
    this.#cancelUsage?.();
    this.#cancelUsage = null;
    const times = [...this.#clients].flatMap(({ query, usageDueMs }) => (query.usageMs === null ? [] : usageDueMs));
    if (times.length === 0 || this.#isMeasuring) return;
    const waitMs = Math.max(0, Math.min(...times) - this.#parts.timers.nowMs());
    this.#cancelUsage = this.#parts.timers.after(waitMs, () => {
      this.#cancelUsage = null;
      void this.#sendUsage();
    });
  }

  async #sendUsage(): Promise<void> {
    const { api, timers, sampled } = this.#parts;
    this.#isMeasuring = true;
    try {
      const usages = await api.usage();
      sampled?.(usages);
      const entries = [...usages].map(([id, { cpuPercent, residentBytes, processes }]) => [
        displayName(id),
        {
          ...(cpuPercent === null ? {} : { cpu: Math.round(cpuPercent * 10) / 10 }),
          memory: residentBytes,
          processes: processes.length,
        },
      ]);
      const data = { at: Math.round(api.wallMs()), processes: Object.fromEntries(entries) as object };
      const text = formatMessage('usage', data);
      for (const client of this.#dueForUsage()) if (client.isLive && !client.isBlocked) client.write(text);
    } catch (error) {
      api.report('warn', `cannot measure the programs: ${String(error)}`);
    }
    for (const client of this.#dueForUsage()) {
      const interval = client.query.usageMs ?? 1000;
      client.usageDueMs = (Math.floor(timers.nowMs() / interval) + 1) * interval;
    }
    this.#isMeasuring = false;
    this.#planUsage();
  }

  #dueForUsage(): StreamClient[] {
    const nowMs = this.#parts.timers.nowMs();
    return [...this.#clients].filter(({ query, usageDueMs }) => query.usageMs !== null && usageDueMs <= nowMs);
  }
}
