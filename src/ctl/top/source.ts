/**
 * The data of the view: asks the supervisor for the processes once a second, and waits for lines of the log that is on
 * the screen. At most one request of each kind is under way. While the view is paused, no process is measured. A lost
 * connection is made again.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import type { XmlRpcValue } from '../../rpc/xmlrpc.ts';
import { ConnectionError, CtlError, HttpStatusError, InterruptError } from '../errors.ts';
import { type Entry, makeNotice, shownName } from '../logs/entry.ts';
import { type LinesAnswer, type ProcessInfo, SupervisorClient } from '../supervisor-client.ts';
import { type ProcessFacts, readFacts } from './facts.ts';
import { type LogLine, MAX_LINES } from './log-buffer.ts';
import type { Pane, TopEvent } from './state.ts';
import { Waiter } from './waiter.ts';

/** Pause between two samples. A supervisor that needs long for an answer is asked less often. */
const PERIOD_MS = 1000;
const PAUSE_PER_ANSWER = 10;
const LONGEST_PAUSE_MS = 3000;

const NO_DESCRIPTION = 'no description: the server has no such method';

/** Number of lines of the history, and the longest wait for new ones. */
const HISTORY_LINES = 1000;
const WAIT_MS = 25_000;
/** Shortest pause between two batches of lines: a program that floods is shown ten times a second. */
const LINES_MS = 100;

/** Calls a method; the signal ends the call. */
export type AbortableCall = (
  method: string,
  params: readonly XmlRpcValue[],
  signal: AbortSignal,
) => Promise<XmlRpcValue>;

/** The parts that the source needs. */
export interface SourceParts {
  readonly call: AbortableCall;
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
    const isOther = before.pane?.kind !== wishes.pane?.kind || before.pane?.target.name !== wishes.pane?.target.name;
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
      if (pane?.kind === 'logs') await this.#follow(pane.target, signal);
      // A log that has ended with an error is read again when it is opened again.
      if (!this.#ended.signal.aborted && !(signal.aborted && this.#wishes.pane !== null))
        await this.#reading.wait(null);
    }
  }

  /** Reads the history of a log, and then follows it until the signal is aborted. */
  async #follow(
    { name, request }: { readonly name: string; readonly request: string },
    signal: AbortSignal,
  ): Promise<void> {
    const { call, dispatch, nowMs } = this.#parts;
    const client = new SupervisorClient((method, ...params) => call(method, params, signal));
    const selection = { names: [request], streams: ['stdout', 'stderr'], events: true, ignore_unknown: true };
    let answer: LinesAnswer | null = null;
    let isLost = false;
    let isBehind = false;
    while (!signal.aborted) {
      try {
        const before: LinesAnswer | null = answer;
        const place: LinesAnswer | null = isBehind ? null : before;
        answer = await client.readLines(
          place === null
            ? { ...selection, limit: HISTORY_LINES }
            : { ...selection, after: place.next, epoch: place.epoch, wait: WAIT_MS, limit: MAX_LINES },
        );
        // A program that writes faster than this view reads would be shown later and later.
        isBehind = place !== null && answer.hasMore;
        const lines = noticesOf(before, answer, isLost).map((text) => noticeAt(nowMs(), text));
        lines.push(...toLines(before !== null && place === null ? withoutShown(before, answer) : answer));
        isLost = false;
        if (before === null || lines.length > 0)
          dispatch({ kind: 'lines', target: name, lines, isReset: before === null });
        if (before !== null && !isBehind) await this.#reading.wait(LINES_MS);
      } catch (error) {
        if (signal.aborted) return;
        const reason = this.#reasonOf(error);
        if (!isLost) dispatch({ kind: 'lines', target: name, lines: [noticeAt(nowMs(), reason)] });
        if (!isPassing(error)) return;
        isLost = true;
        await this.#reading.wait(PERIOD_MS);
      }
    }
  }
}

/** Returns the texts about what happened between two answers. */
function noticesOf(before: LinesAnswer | null, answer: LinesAnswer, isLost: boolean): string[] {
  if (before !== null && before.epoch !== answer.epoch) return ['the supervisor has been started anew'];
  return isLost ? ['connected again'] : [];
}

/** Returns the latest lines without those that were shown before. A notice stands for lines between both. */
function withoutShown(before: LinesAnswer, answer: LinesAnswer): LinesAnswer {
  if (before.epoch !== answer.epoch) return answer;
  const entries = answer.entries.filter(({ seq }) => seq === null || seq > before.next);
  if (entries.length < answer.entries.length) return { ...answer, entries };
  const at = entries[0]?.at ?? null;
  const skipped = makeNotice('skipped', 'lines were skipped: more come than can be shown');
  return { ...answer, entries: [{ ...skipped, at }, ...entries] };
}

/** True for an error that may pass: the supervisor restarts, or too many clients wait. */
function isPassing(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof HttpStatusError) return true;
  return error instanceof RpcFault && (error.code === faults.SHUTDOWN_STATE || error.code === faults.FAILED);
}

function noticeAt(at: number, text: string): LogLine {
  return { at, name: '', stream: 'notice', text, isPartial: false, isRest: false };
}

/** Reads the lines and events of an answer. Output that was dropped becomes a notice. */
function toLines({ entries, missed }: LinesAnswer): LogLine[] {
  const read = entries.map(toLine);
  const notices = missed.map(({ name, stream, bytes }) =>
    noticeAt(read[0]?.at ?? 0, `up to ${bytes} bytes of ${shownName(name)} (${stream}) are lost`),
  );
  return [...notices, ...read];
}

function toLine(entry: Entry): LogLine {
  const { name } = entry;
  const at = entry.at ?? 0;
  if (entry.kind === 'event') return { ...noticeAt(at, entry.text), name };
  const { text, isPartial, isRest } = entry;
  return { at, name, stream: entry.stream === 'stderr' ? 'stderr' : 'stdout', text, isPartial, isRest };
}
