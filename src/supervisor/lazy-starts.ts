/**
 * Starts lazy programs (`listen_lazy`) at the first connection to one of their sockets. Only asks the engine for that.
 *
 * A watch ends at the first connection, because a connection stays readable until the program accepts it: a program
 * that ends without accepting would keep the loop busy. A process is watched only while its record says that it waits
 * (hold `connection`): from the start of the supervisor on, and again after each end that nothing else follows
 * (EXITED), but at least a second after its start. It does not wait in BACKOFF and FATAL, nor after a stop.
 */
import { closeSync } from 'node:fs';
import type { ProcessConfig } from '../config/model.ts';
import type { Cause } from '../core/cause.ts';
import { reasonOf } from '../core/error-text.ts';
import { formatSocketAddress } from '../core/socket-address.ts';
import { Alarm } from '../engine/alarm.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Monitor } from '../engine/monitor.ts';
import type { Clock, Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { Addon } from '../native/addon.ts';
import type { ProgramSockets } from './program-sockets.ts';

/** Shortest time from one start to the next. A program may end without accepting the connection. */
const APART_MS = 1000;

/** Parts of {@link LazyStarts}. */
export interface LazyStartsParts {
  readonly engine: Pick<Engine, 'request' | 'process' | 'processesIn'>;
  readonly clock: Clock;
  readonly report: Report;
  readonly addon: Pick<Addon, 'openConnectionWatch' | 'watchReadable' | 'unwatchReadable'>;
  readonly sockets: Pick<ProgramSockets, 'findAll'>;
}

/** A watched socket. */
type Socket = NonNullable<ReturnType<ProgramSockets['findAll']>>[number];

/** Processes that wait for a connection to one socket. */
interface Waiting {
  readonly address: string;
  readonly ids: string[];
}

/** The lazy programs of one engine. */
export class LazyStarts implements Monitor {
  readonly #parts: LazyStartsParts;
  readonly #alarm: Alarm;
  /** Names of the processes that may wait, in the order of their starts. Others are never looked at. */
  readonly #candidates = new Set<string>();
  /** Descriptors of the watches, by socket. */
  readonly #watches = new Map<Socket, number>();

  constructor(parts: LazyStartsParts) {
    this.#parts = parts;
    this.#alarm = new Alarm(parts.clock, () => this.#watch());
  }

  begin(processes: readonly ProcessView[]): void {
    for (const proc of processes) if (isConcerned(proc)) this.#candidates.add(proc.id);
    this.#watch();
  }

  observe(event: EngineEvent): void {
    if (event.type === 'supervisor') return this.close();
    if (event.type === 'ready' || event.type === 'health' || event.type === 'spawned') return;
    if (event.type !== 'group') {
      if (!isConcerned(event.process)) return;
      this.#candidates.add(event.process.id);
    } else if (event.change === 'added') {
      for (const proc of this.#parts.engine.processesIn(event.group))
        if (isConcerned(proc)) this.#candidates.add(proc.id);
    }
    if (event.type === 'process') this.#waitAgain(event.process);
    this.#watch();
  }

  close(): void {
    this.#alarm.set(null);
    for (const socket of this.#watches.keys()) this.#endWatch(socket);
  }

  /** Lets a process wait again that has ended by itself and is not started again. */
  #waitAgain({ id, record }: ProcessView): void {
    if (record.state === 'EXITED' && record.deadlineMs === null && record.startCause !== null)
      this.#parts.engine.request(id, 'awaitConnection', record.startCause);
  }

  /** Watches the sockets of all waiting processes, and no others. */
  #watch(): void {
    const { found: wanted, laterMs } = this.#findWaiting(this.#parts.clock.nowMs());
    this.#alarm.set(laterMs);
    for (const socket of this.#watches.keys()) if (!wanted.has(socket)) this.#endWatch(socket);
    for (const [socket, waiting] of wanted) if (!this.#watches.has(socket)) this.#beginWatch(socket, waiting);
  }

  /** Finds the processes that wait, by socket. `laterMs`: when the next one may be started; null for none. */
  #findWaiting(nowMs: number): { readonly found: Map<Socket, Waiting>; readonly laterMs: number | null } {
    const found = new Map<Socket, Waiting>();
    let laterMs = Infinity;
    for (const id of this.#candidates) {
      const proc = this.#parts.engine.process(id);
      if (proc === null || !isConcerned(proc)) this.#candidates.delete(id);
      if (proc === null) continue;
      const { config, record } = proc;
      if (record.hold?.kind !== 'connection' || record.heldCause === null) continue;
      const soonestMs = record.startedMs === null ? nowMs : record.startedMs + APART_MS;
      if (soonestMs > nowMs) {
        laterMs = Math.min(laterMs, soonestMs);
        continue;
      }
      const sockets = config.options.listen_lazy ? this.#parts.sockets.findAll(config) : null;
      // Without a socket, the start tells the reason. A program that is not lazy any more need not wait.
      if (sockets === null) this.#start(id, record.heldCause);
      for (const [index, socket] of (sockets ?? []).entries()) {
        const waiting = found.get(socket) ?? { address: addressOf(config, index), ids: [] };
        waiting.ids.push(id);
        found.set(socket, waiting);
      }
    }
    return { found, laterMs: laterMs === Infinity ? null : laterMs };
  }

  #beginWatch(socket: Socket, { address }: Waiting): void {
    const { addon, report } = this.#parts;
    try {
      const watch = addon.openConnectionWatch(socket.fd);
      this.#watches.set(socket, watch);
      addon.watchReadable(watch, () => this.#connected(socket, address));
    } catch (error) {
      this.#endWatch(socket);
      report('error', `cannot watch ${address} for connections: ${reasonOf(error)}; its programs are started now`);
      this.#connected(socket, address);
    }
  }

  #endWatch(socket: Socket): void {
    const watch = this.#watches.get(socket);
    this.#watches.delete(socket);
    if (watch === undefined) return;
    this.#parts.addon.unwatchReadable(watch);
    closeSync(watch);
  }

  /** Starts all processes that wait at a socket. */
  #connected(socket: Socket, address: string): void {
    const { ids } = this.#findWaiting(this.#parts.clock.nowMs()).found.get(socket) ?? { ids: [] };
    this.#endWatch(socket);
    for (const id of ids) this.#start(id, { kind: 'connection', address });
  }

  #start(id: string, cause: Cause): void {
    this.#parts.engine.request(id, 'start', cause);
  }
}

/** True for a process that may begin or cease to wait. */
function isConcerned({ config, record }: ProcessView): boolean {
  return config.options.listen_lazy || record.hold?.kind === 'connection';
}

function addressOf({ options }: ProcessConfig, index: number): string {
  const spec = options.listen[index];
  return spec === undefined ? '' : formatSocketAddress(spec.address);
}
