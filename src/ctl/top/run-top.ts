/** Connects the parts of the full-screen view: the core, the terminal, the data and the actions. */
import { setTimeout as delay } from 'node:timers/promises';
import { fitMessage } from '../../core/shown-text.ts';
import { explainError } from '../explain.ts';
import { ExitCode } from '../exit-codes.ts';
import type { TerminalPort } from '../io.ts';
import { formatDescription } from '../description.ts';
import { readStatus } from '../process-status.ts';
import { readScreen } from '../screen.ts';
import type { Session } from '../session.ts';
import { callRemoteMethod } from '../transport.ts';
import { formatDaytime } from '../amounts.ts';
import { Actions } from './actions.ts';
import { noticeAt } from './log-reader.ts';
import { type AbortableCall, TopSource } from './source.ts';
import { type Effect, initialState, type Message, type TopEvent, type TopState } from './state.ts';
import { TerminalView } from './terminal-view.ts';
import type { Abilities } from './text.ts';
import { update } from './update.ts';
import { viewOf } from './view.ts';

/** Shortest pause between two drawings for data, in milliseconds. Keys are answered at once. */
const DRAW_MS = 100;

/** Longest text that terminals take with OSC 52, in bytes. */
const MAX_COPY = 74_000;
const NEWLINE = 0x0a;

/** Runs the view until the user leaves it. Errors of the first request are thrown before the screen changes. */
export async function runTop(session: Session, port: TerminalPort, isReadOnly: boolean): Promise<void> {
  const top = new Top(session, port, isReadOnly);
  await top.run();
}

/** One run of the view. */
class Top {
  readonly #session: Session;
  readonly #port: TerminalPort;
  readonly #view: TerminalView;
  readonly #source: TopSource;
  readonly #actions: Actions;
  readonly #abilities: Abilities;
  readonly #isReadOnly: boolean;
  #state: TopState;
  /** Ends the pager. */
  readonly #paging = new AbortController();
  /** The pager that has the terminal. */
  #pager: Promise<void> | null = null;
  #drawing: NodeJS.Timeout | null = null;
  #drawnMs = 0;
  #end: { resolve: () => void; reject: (error: unknown) => void } | null = null;

  constructor(session: Session, port: TerminalPort, isReadOnly: boolean) {
    const call: AbortableCall = (method, params, signal) => callRemoteMethod(session.endpoint, method, params, signal);
    const explain = (error: unknown): string =>
      fitMessage((explainError(error, session.endpoint)[0] ?? '').replace(/^Error: /, '')).replaceAll('\n', ' ');
    this.#session = session;
    this.#port = port;
    this.#isReadOnly = isReadOnly;
    this.#abilities = readScreen(session.io);
    this.#view = new TerminalView(session.io, port, {
      onKeys: (keys) => this.#guard(() => keys.forEach((key) => this.#dispatch(key))),
      onResize: (size) => this.#guard(() => this.#dispatch({ kind: 'resize', size })),
      onEnd: (signal) => this.#leave(signal),
    });
    this.#source = new TopSource({
      call,
      serverUrl: session.endpoint.serverUrl,
      explain,
      describe: (info) => formatDescription(readStatus(info), [], { ...this.#abilities, columns: null }),
      dispatch: (event) => this.#dispatch(event),
      nowMs: () => Date.now(),
    });
    this.#actions = new Actions({
      call: (method, ...params) => call(method, params, session.interrupt.signal),
      explain,
      show: (message) => this.#show(message),
      pause: (ms) => delay(ms, undefined, { signal: session.interrupt.signal }),
    });
    this.#state = initialState(this.#view.size, isReadOnly);
  }

  async run(): Promise<void> {
    const { gone, interrupt } = this.#session;
    const processes = await this.#source.readProcesses();
    this.#state = initialState(this.#view.size, this.#isReadOnly, processes);
    const stop = (): void => this.#leave(null);
    const end = new Promise<void>((resolve, reject) => (this.#end = { resolve, reject }));
    const stopInterrupted = (): void => this.#leave(2);
    gone.addEventListener('abort', stop);
    interrupt.signal.addEventListener('abort', stopInterrupted);
    try {
      this.#view.open();
      this.#dispatch({ kind: 'processes', processes });
      const data = this.#source.run().catch((error: unknown) => this.#end?.reject(error));
      await end;
      this.#source.end();
      await data;
    } finally {
      this.#source.end();
      gone.removeEventListener('abort', stop);
      interrupt.signal.removeEventListener('abort', stopInterrupted);
      if (this.#drawing !== null) clearTimeout(this.#drawing);
      this.#end = null;
      this.#paging.abort();
      await this.#pager;
      this.#view.close();
    }
    await this.#finishActions();
  }

  /** A process that was stopped for a restart must be started again. */
  async #finishActions(): Promise<void> {
    for (const name of this.#actions.unfinished)
      this.#session.output(`finishing the ${name}; Ctrl-C leaves it stopped`);
    await this.#actions.finish();
  }

  /** Ends the view. `signal`: number of the signal that ends it; null if the user or the terminal has ended it. */
  #leave(signal: number | null): void {
    if (signal !== null) this.#session.exitCode = signal === 2 ? ExitCode.INTERRUPTED : 128 + signal;
    this.#end?.resolve();
  }

  /** Runs a callback. An error in it ends the view, which gives the terminal back. */
  #guard(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#end?.reject(error);
    }
  }

  #show(message: Message): void {
    if (this.#end === null) this.#session.output(message.text);
    else this.#dispatch({ kind: 'message', message });
    this.#source.refresh();
  }

  #dispatch(event: TopEvent): void {
    const { state, effects } = update(this.#state, event);
    this.#state = state;
    this.#source.want(state);
    for (const effect of effects) this.#perform(effect);
    const isData = event.kind === 'lines' || event.kind === 'processes';
    this.#scheduleDrawing(isData ? Math.max(0, this.#drawnMs + DRAW_MS - Date.now()) : 0);
  }

  #perform(effect: Effect): void {
    switch (effect.kind) {
      case 'quit':
        this.#leave(null);
        return;
      case 'suspend':
        this.#view.suspend();
        return;
      case 'redraw':
        this.#view.forget();
        return;
      case 'copy':
        this.#copy(effect.text);
        return;
      case 'page':
        this.#pager ??= this.#page(effect.text).finally(() => (this.#pager = null));
        return;
      case 'mark':
        this.#mark(effect.target);
        return;
      case 'act':
        this.#actions.begin(effect.action);
    }
  }

  /** Asks the terminal to copy a text (OSC 52). The terminal may not know that, or refuse it, and says nothing. */
  #copy(text: string): void {
    const all = Buffer.from(text);
    // Of a long text the newest lines count.
    const start = all.length <= MAX_COPY ? 0 : all.indexOf(NEWLINE, all.length - MAX_COPY) + 1;
    const bytes = all.subarray(start);
    this.#view.write(`\x1b]52;c;${bytes.toString('base64')}\x07`);
    const lines = bytes.reduce((count, byte) => count + Number(byte === NEWLINE), 0);
    const what = lines > 0 ? `${lines} ${lines === 1 ? 'line' : 'lines'}` : text;
    this.#show({ text: `copied, if the terminal allows it: ${start > 0 ? 'the newest ' : ''}${what}`, tone: 'idle' });
  }

  /** Shows a text in the pager. The view goes on below: lines that come meanwhile are there afterwards. */
  async #page(text: string): Promise<void> {
    const { signal } = this.#paging;
    try {
      await this.#view.lend(async () => {
        const problem = await this.#port.page(text, signal);
        if (problem !== null) this.#show({ text: problem, tone: 'bad' });
      });
    } catch (error) {
      this.#end?.reject(error);
    }
  }

  /** Puts a mark into the log, to see afterwards what has come since. */
  #mark(target: string): void {
    const nowMs = Date.now();
    const text = `---- mark at ${formatDaytime(nowMs)} ----`;
    this.#dispatch({ kind: 'lines', target, lines: [noticeAt(nowMs, text)] });
  }

  /** Draws after a time; an earlier drawing counts. */
  #scheduleDrawing(ms: number): void {
    if (this.#drawing !== null) {
      if (ms > 0) return;
      clearTimeout(this.#drawing);
    }
    this.#drawing = setTimeout(() => {
      this.#drawing = null;
      this.#drawnMs = Date.now();
      this.#guard(() => this.#view.draw(viewOf(this.#state, this.#abilities)));
    }, ms);
  }
}
