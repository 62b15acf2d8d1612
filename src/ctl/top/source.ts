/**
 * The data of the view: asks the supervisor for the processes once a second, and waits for lines of the log that is on
 * the screen. At most one request of each kind is under way. While the view is paused, no process is measured. A lost
 * connection is made again.
 */
import { RpcFault } from '../../core/faults.ts';
import type { XmlRpcValue } from '../../rpc/xmlrpc.ts';
import { CtlError, InterruptError } from '../errors.ts';
import { type ProcessInfo, SupervisorClient } from '../supervisor-client.ts';
import { type ProcessFacts, readFacts } from './facts.ts';
import { readLog } from './log-reader.ts';
import type { LogPane, Pane, TopEvent } from './state.ts';
import { Waiter } from './waiter.ts';

/** Pause between two samples. A supervisor that needs long for an answer is asked less often. */
const PERIOD_MS = 1000;
const PAUSE_PER_ANSWER = 10;
const LONGEST_PAUSE_MS = 3000;

const NO_DESCRIPTION = 'no description: the server has no such method';

/** Calls a method; the signal ends the call. */
export type AbortableCall = (
  method: string,
  params: readonly XmlRpcValue[],
  signal: AbortSignal,
) => Promise<XmlRpcValue>;

/** The parts that the source needs. */
export interface SourceParts {
  readonly call: AbortableCall;
  readonly serverUrl: string;
  readonly explain: (error: unknown) => string;
  /** Formats the description of a process. */
  readonly describe: (info: ProcessInfo) => readonly string[];
  readonly dispatch: (event: TopEvent) => void;
  readonly nowMs: () => number;
}

/** The wishes of the view. */
export interface Wishes {
  readonly isPaused: boolean;
  readonly pane: Pane | null;
}

/** The data of one run of the view. */
export class TopSource {
  readonly #parts: SourceParts;
  readonly #client: SupervisorClient;
  readonly #ended = new AbortController();
  readonly #sampling = new Waiter();
  readonly #reading = new Waiter();
  #wishes: Wishes = { isPaused: false, pane: null };
  /** Ends the request for lines when another log is wanted. */
  #linesOf = new AbortController();
  #epoch: string | null = null;
  #isOwnServer = true;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.#client = new SupervisorClient((method, ...params) => parts.call(method, params, this.#ended.signal));
  }

  /** Reads the processes. Throws the errors of the call. */
  async readProcesses(): Promise<ProcessFacts[]> {
    const infos = this.#isOwnServer ? await this.#client.getStatus(true) : null;
    this.#isOwnServer = infos !== null;
    return (infos ?? (await this.#client.getAllProcessInfo())).map(readFacts);
  }

  /** Takes new wishes. */
  want(wishes: Wishes): void {
    const before = this.#wishes;
    this.#wishes = wishes;
    const isOther = isOtherPane(before.pane, wishes.pane);
    if (isOther) {
      this.#linesOf.abort();
      this.#linesOf = new AbortController();
      this.#reading.wake();
    }
    if (before.isPaused !== wishes.isPaused || (isOther && wishes.pane?.kind === 'description')) this.#sampling.wake();
  }

  /** Asks for the processes at once, after an action. */
  refresh(): void {
    this.#sampling.wake();
  }

  /** Runs until {@link end}. Rejects only for an error in this client. */
  async run(): Promise<void> {
    await Promise.all([this.#sample(), this.#readLines()]);
  }

  end(): void {
    this.#ended.abort();
    this.#linesOf.abort();
    this.#sampling.wake();
    this.#reading.wake();
  }

  async #sample(): Promise<void> {
    const { dispatch, nowMs } = this.#parts;
    let isLost = false;
    await this.#noteEpoch();
    while (!this.#ended.signal.aborted) {
      if (this.#wishes.isPaused) {
        await this.#sampling.wait(null);
        continue;
      }
      const begunMs = nowMs();
      try {
        const processes = await this.readProcesses();
        if (isLost) dispatch({ kind: 'message', message: await this.#greet() });
        isLost = false;
        dispatch({ kind: 'processes', processes });
        await this.#describe();
      } catch (error) {
        if (this.#ended.signal.aborted) return;
        isLost = true;
        dispatch({ kind: 'loss', loss: { sinceMs: nowMs(), reason: this.#reasonOf(error) } });
      }
      const pauseMs = Math.max(PERIOD_MS, (nowMs() - begunMs) * PAUSE_PER_ANSWER);
      await this.#sampling.wait(Math.min(LONGEST_PAUSE_MS, pauseMs));
    }
  }

  /** Returns the reason of a failed request. An error in this client is thrown. */
  #reasonOf(error: unknown): string {
    if (!(error instanceof RpcFault || error instanceof CtlError || error instanceof InterruptError)) throw error;
    return this.#parts.explain(error).replace(/^no supervisor answers at \S+(?: \(.*?\))?: /, '');
  }

  /** Notes which supervisor answers. Returns true for another one than before. */
  async #noteEpoch(): Promise<boolean> {
    const before = this.#epoch;
    try {
      this.#epoch = (await this.#client.readLines({ limit: 1, streams: ['supervisor'] })).epoch;
    } catch (error) {
      // The next sample shows the problem.
      this.#reasonOf(error);
    }
    return before !== null && before !== this.#epoch;
  }

  async #greet(): Promise<{ readonly text: string; readonly tone: 'good' | 'busy' }> {
    return (await this.#noteEpoch())
      ? { text: 'connected again: the supervisor has been started anew', tone: 'busy' }
      : { text: 'connected again: it is the same supervisor', tone: 'good' };
  }

  async #describe(): Promise<void> {
    const { pane } = this.#wishes;
    if (pane?.kind !== 'description') return;
    const { describe, dispatch } = this.#parts;
    const target = pane.target.name;
    try {
      const info = await this.#client.describeProcess(pane.target.request);
      dispatch({ kind: 'description', target, lines: info === null ? [NO_DESCRIPTION] : describe(info) });
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      dispatch({ kind: 'description', target, lines: [`no description: ${this.#parts.explain(error)}`] });
    }
  }

  async #readLines(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const { pane } = this.#wishes;
      const { signal } = this.#linesOf;
      if (pane?.kind === 'logs') await this.#readLog(pane, signal);
      // A log that has ended with an error is read again when it is opened again.
      if (!this.#ended.signal.aborted && !(signal.aborted && this.#wishes.pane !== null))
        await this.#reading.wait(null);
    }
  }

  async #readLog(pane: LogPane, signal: AbortSignal): Promise<void> {
    const { call, serverUrl, dispatch, nowMs } = this.#parts;
    const client = new SupervisorClient((method, ...params) => call(method, params, signal));
    const reasonOf = (error: unknown): string => this.#reasonOf(error);
    await readLog({ client, serverUrl, dispatch, nowMs, reasonOf, waiter: this.#reading, signal }, pane);
  }
}

/** True if another pane needs other data. */
function isOtherPane(before: Pane | null, after: Pane | null): boolean {
  if (before?.kind !== after?.kind || before?.target.name !== after?.target.name) return true;
  if (before?.kind !== 'logs' || after?.kind !== 'logs') return false;
  return before.range !== after.range || before.reading !== after.reading;
}
