/**
 * The hub: asks the other supervisors of `[dashboard] peers` for clients of ours. It asks only while clients ask, once
 * a second at most for all of them together, and no client waits for a peer that was slow or failed before. Clients
 * name a peer by its id only, so that configured addresses are the only ones that are ever asked.
 */
import type { LookupFunction } from 'node:net';
import type { SecureContext } from 'node:tls';
import type { PeerAnswer, PeerLogsAnswer } from '../api/peer-types.ts';
import type { ChangeResult } from '../api/types.ts';
import type { DashboardOptions } from '../config/options.ts';
import type { Level } from '../core/log-level.ts';
import { showText } from '../core/shown-text.ts';
import { readAuthorities, systemAuthorities } from '../files/authorities.ts';
import { pathProbe } from '../files/path-probe.ts';
import { FileError, readRegularFile } from '../files/read-file.ts';
import { ask, type PeerAccess, PeerConnections, PeerError } from './ask.ts';
import { jsonProtocol } from './json-protocol.ts';
import { Lane } from '../core/lane.ts';
import { defaultPeerLimits, type PeerLimits } from './limits.ts';
import { PeerNames } from './names.ts';
import { type Outcome, PeerState } from './peer-state.ts';
import type { AskPeer, PeerAction, PeerFacts, PeerProtocol, WantedLines } from './protocol.ts';
import { nameOf, type PeerTarget } from './target.ts';
import { xmlRpcProtocol } from './xmlrpc-protocol.ts';

const PROTOCOLS: Readonly<Record<PeerFacts['kind'], PeerProtocol>> = {
  onevisor: jsonProtocol,
  supervisor: xmlRpcProtocol,
};

/** Largest file with a password. */
const MAX_PASSWORD_BYTES = 4096;

/** Longest text of a peer in our log. */
const MOST_SHOWN = 200;

/** Extra time for an answer of a peer that may wait by itself. */
const PATIENCE_MS = 5000;

/** Parts of a {@link PeerHub}. */
export interface PeerHubParts {
  readonly options: DashboardOptions;
  readonly lookup: LookupFunction;
  readonly nowMs: () => number;
  readonly wallMs: () => number;
  readonly report: (level: Level, text: string) => void;
  /** Identifies this supervisor. */
  readonly epoch: string;
  readonly limits?: PeerLimits;
}

/** Too many requests of one kind are running. */
export class PeerBusyError extends Error {
  override readonly name = 'PeerBusyError';
}

/** Asks the configured peers. */
export class PeerHub {
  readonly #parts: PeerHubParts;
  readonly #limits: PeerLimits;
  readonly #names: PeerNames;
  readonly #states = new Map<string, PeerState>();
  readonly #connections = new PeerConnections();
  readonly #usual: Lane;
  readonly #doubtful: Lane;
  readonly #actions: Lane;
  readonly #logReads: Lane;
  #authorities: { readonly context: SecureContext | null } | null = null;
  #idleTimer: NodeJS.Timeout | null = null;

  constructor(parts: PeerHubParts) {
    this.#parts = parts;
    const limits = parts.limits ?? defaultPeerLimits;
    this.#limits = limits;
    this.#names = new PeerNames({ ...parts, peers: parts.options.peers, limits });
    this.#usual = new Lane(limits.atOnce);
    this.#doubtful = new Lane(limits.doubtfulAtOnce);
    this.#actions = new Lane(limits.actions);
    this.#logReads = new Lane(limits.logReads);
  }

  /** Returns all peers. Facts older than a second are asked again, for all clients together. Never rejects. */
  async list(): Promise<PeerAnswer[]> {
    this.#stayAwake();
    await this.#within(this.#names.refresh());
    const states = this.#currentStates();
    for (const state of states) this.#refresh(state);
    // A peer that an earlier client has waited for in vain is slow: this one does not wait for it.
    const latest = this.#parts.nowMs() - this.#limits.graceMs;
    const quick = states.filter(({ isDoubtful, askedMs }) => !isDoubtful && askedMs > latest);
    await this.#within(Promise.all(quick.map(({ asking }) => asking ?? Promise.resolve())));
    return states.map((state) => state.answer(this.#parts.epoch));
  }

  /** Returns the target with an id; null for an unknown one. Looks up names whose addresses are not known yet. */
  async find(id: string): Promise<PeerTarget | null> {
    this.#stayAwake();
    const known = this.#names.targets().find((target) => target.id === id);
    if (known !== undefined) return known;
    await this.#within(this.#names.refresh());
    return this.#names.targets().find((target) => target.id === id) ?? null;
  }

  /** True if no further action can begin now. */
  get isBusy(): boolean {
    return this.#actions.isFull;
  }

  /**
   * Runs an action at a peer. `by` names the client, for our log. Resolves with the results; a failure is a result.
   */
  async act(target: PeerTarget, name: string, action: PeerAction, by: string): Promise<readonly ChangeResult[]> {
    const { report } = this.#parts;
    const shown = nameOf(target);
    report('info', `${by} asks the peer ${shown} to ${action} ${name}`);
    try {
      const results = await this.#actions.run(async () => {
        const protocol = await this.#protocolOf(target);
        return protocol.act(this.#askFor(target, this.#limits.actionMs), name, action);
      });
      const failed = results.find(({ ok }) => !ok);
      if (failed !== undefined)
        report('warn', `the peer ${shown} did not ${action} ${name}: ${showText(failed.text, MOST_SHOWN)}`);
      return results;
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      report('warn', `the peer ${shown} did not ${action} ${name}: ${error.message}`);
      return [{ name, ok: false, text: `${name}: ERROR (${error.message})` }];
    } finally {
      // The next client sees the new state.
      const state = this.#states.get(target.id);
      if (state !== undefined) state.askedMs = -Infinity;
    }
  }

  /** Reads the latest lines of a program of a peer. Rejects with a PeerError or a {@link PeerBusyError}. */
  async lines(target: PeerTarget, wanted: WantedLines): Promise<PeerLogsAnswer> {
    if (this.#logReads.isFull)
      throw new PeerBusyError('too many logs of peers are being read; repeat the request later');
    return this.#logReads.run(async () => {
      const protocol = await this.#protocolOf(target);
      return protocol.lines(this.#askFor(target, this.#limits.requestMs), wanted);
    });
  }

  /** Closes all connections, and forgets all facts. */
  close(): void {
    if (this.#idleTimer !== null) clearTimeout(this.#idleTimer);
    this.#idleTimer = null;
    this.#connections.close();
    this.#states.clear();
  }

  /** Drops connections and facts some time after the last client. */
  #stayAwake(): void {
    if (this.#idleTimer !== null) {
      this.#idleTimer.refresh();
      return;
    }
    this.#idleTimer = setTimeout(() => this.close(), this.#limits.idleMs);
    this.#idleTimer.unref();
  }

  /** Returns the states of the present targets, and drops others. */
  #currentStates(): PeerState[] {
    const targets = this.#names.targets();
    const ids = new Set(targets.map(({ id }) => id));
    for (const id of this.#states.keys()) if (!ids.has(id)) this.#states.delete(id);
    return targets.map((target) => {
      const state = this.#states.get(target.id) ?? new PeerState(target);
      state.target = target;
      this.#states.set(target.id, state);
      return state;
    });
  }

  /** Begins to ask a peer, unless it is being asked or its facts are fresh. */
  #refresh(state: PeerState): void {
    const { nowMs, wallMs } = this.#parts;
    if (state.asking !== null || nowMs() - state.askedMs < this.#limits.freshMs) return;
    state.askedMs = nowMs();
    const lane = state.isDoubtful ? this.#doubtful : this.#usual;
    state.asking = lane
      .run(() => this.#read(state))
      .then((outcome) => state.take(outcome, wallMs()))
      .finally(() => {
        state.asking = null;
      });
  }

  async #read(state: PeerState): Promise<Outcome> {
    const begun = this.#parts.nowMs();
    try {
      const facts = await this.#readFacts(state.target, state.kind);
      return this.#cap(state, facts, this.#parts.nowMs() - begun);
    } catch (error) {
      if (error instanceof PeerError) return { error: error.message };
      // A mistake of ours about one peer must not end the page of all peers.
      this.#parts.report('critical', `cannot ask the peer ${nameOf(state.target)}: ${String(error)}`);
      return { error: 'internal error; see the log of the supervisor' };
    }
  }

  /** Reads the facts by the protocol of the latest answer, or finds the protocol. */
  async #readFacts(target: PeerTarget, kind: PeerFacts['kind'] | null): Promise<PeerFacts> {
    const send = this.#askFor(target, this.#limits.requestMs);
    const order: ReadonlyArray<PeerFacts['kind']> =
      kind === 'supervisor' ? ['supervisor', 'onevisor'] : ['onevisor', 'supervisor'];
    for (const name of order) {
      const facts = await PROTOCOLS[name].read(send);
      if (facts !== null) return facts;
    }
    throw new PeerError('it answers neither our JSON API nor the XML-RPC of a Supervisor');
  }

  async #protocolOf(target: PeerTarget): Promise<PeerProtocol> {
    const kind = this.#states.get(target.id)?.kind ?? null;
    return PROTOCOLS[kind ?? (await this.#readFacts(target, null)).kind];
  }

  /** Leaves out processes that would take too much memory. */
  #cap(state: PeerState, facts: PeerFacts, latencyMs: number): Outcome {
    const { processBytes, totalBytes } = this.#limits;
    const others = [...this.#states.values()].filter((other) => other !== state);
    const free = Math.max(0, totalBytes - others.reduce((sum, { bytes }) => sum + bytes, 0));
    const most = Math.min(processBytes, free);
    const bytes = JSON.stringify(facts.processes).length;
    if (bytes <= most) return { facts, latencyMs, isCapped: false, bytes };
    let size = 0;
    const processes = facts.processes.filter((proc) => {
      size += JSON.stringify(proc).length + 1;
      return size <= most;
    });
    return { facts: { ...facts, processes }, latencyMs, isCapped: true, bytes: most };
  }

  #askFor(target: PeerTarget, timeoutMs: number): AskPeer {
    let access: Promise<PeerAccess> | null = null;
    const waits = (path: string): number => (path.includes('/wait?') ? PATIENCE_MS * 5 : timeoutMs);
    return async (request) => {
      access ??= this.#access(target);
      const limits = { timeoutMs: waits(request.path), maxBytes: this.#limits.answerBytes };
      return ask(target, { ...request, ...limits }, await access);
    };
  }

  /** Returns the way to a peer. Rejects with a PeerError if a file of the options cannot be read or reached. */
  async #access(target: PeerTarget): Promise<PeerAccess> {
    const { peers_password_file: password, peers_ca_file: authorities } = this.#parts.options;
    const socket = target.address.kind === 'unix' ? target.address.path : null;
    const silence = await pathProbe.reach(() => [password, authorities, socket].filter((path) => path !== null));
    if (silence !== null) throw new PeerError(silence);
    return {
      lookup: this.#parts.lookup,
      authorization: this.#authorization(),
      authorities: () => (this.#authorities ??= { context: this.#readAuthorities() }).context,
      connections: this.#connections,
    };
  }

  #authorization(): string | null {
    const { peers_username: user, peers_password: password, peers_password_file: file } = this.#parts.options;
    if (user === null) return null;
    const secret = file === null ? (password ?? '') : readPassword(file);
    return `Basic ${Buffer.from(`${user}:${secret}`, 'utf8').toString('base64')}`;
  }

  #readAuthorities(): SecureContext | null {
    const { peers_ca_file: file } = this.#parts.options;
    if (file === null) return systemAuthorities();
    const authorities = readAuthorities([file]);
    if (authorities === null) throw new PeerError(`peers_ca_file ${file} has no certificates, or cannot be read`);
    return authorities;
  }

  /** Waits for work, for a short time at most. */
  async #within(work: Promise<unknown>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const isOver = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, this.#limits.graceMs);
    });
    await Promise.race([work, isOver]);
    clearTimeout(timer);
  }
}

function readPassword(file: string): string {
  try {
    return readRegularFile(file, MAX_PASSWORD_BYTES)
      .toString('utf8')
      .replace(/\r?\n$/, '');
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new PeerError(`cannot read peers_password_file ${file}: ${error.message}`);
  }
}
