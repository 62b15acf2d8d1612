/**
 * Waits until something is true about the processes of a supervisor: looks at them after each event. The supervisor
 * holds the request until there is an event. A supervisord, which cannot do so, is asked every second.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { faults, RpcFault } from '../core/faults.ts';
import { escapeControls } from '../core/shown-text.ts';
import type { XmlRpcStruct } from '../rpc/xmlrpc.ts';
import { InterruptError } from './errors.ts';
import type { EventReading } from './own-answers.ts';
import { cutEnd, readScreen } from './screen.ts';
import type { Session } from './session.ts';

/** Time of a wait without `--timeout`. */
export const DEFAULT_WAIT_MS = 60_000;

/** Time between two looks at a supervisor that cannot wait for events. */
const POLL_MS = 1000;

/** Longest time between two looks: some facts change without an event, such as the end of flapping. */
const LOOK_MS = 10_000;

/** The events of a supervisor, one after the other. */
export class EventStream {
  readonly #session: Session;
  /** Null before the first look, and for a supervisord. */
  #after: number | null = null;

  constructor(session: Session) {
    this.#session = session;
  }

  /** Finds the latest event. Events after this call are not missed. */
  async open(): Promise<void> {
    const { next } = (await this.#session.client.readEvents(Number.MAX_SAFE_INTEGER, 0)) ?? { next: null };
    this.#after = next;
  }

  /** Waits for the next events, or for some time. Throws {@link InterruptError} after Ctrl-C or the timeout. */
  async wait(): Promise<readonly XmlRpcStruct[]> {
    const reading = this.#after === null ? null : await this.#read(this.#after);
    if (reading !== null) {
      this.#after = reading.next;
      return reading.events;
    }
    await pause(this.#session);
    return [];
  }

  async #read(after: number): Promise<EventReading | null> {
    try {
      return await this.#session.client.readEvents(after, LOOK_MS);
    } catch (error) {
      // Too many clients wait already.
      if (error instanceof RpcFault && error.code === faults.FAILED) return null;
      throw error;
    }
  }
}

/** Waits for a second. Throws {@link InterruptError} after Ctrl-C or the timeout. */
export async function pause(session: Session): Promise<void> {
  try {
    await delay(POLL_MS, undefined, { signal: session.interrupt.signal });
  } catch (error) {
    throw new InterruptError('', { cause: error });
  }
}

/** A line at the bottom of a terminal that is drawn again every second, with the time since the beginning. */
export class WaitLine {
  readonly #session: Session;
  readonly #beganMs = performance.now();
  readonly #timer: NodeJS.Timeout | null;
  #text = '';
  #isDrawn = false;

  constructor(session: Session) {
    this.#session = session;
    this.#timer = session.isForPeople ? setInterval(() => this.#draw(), POLL_MS) : null;
    session.clearLine = (): void => this.#clear();
  }

  /** Shows another text from the next second on; none if it is empty. */
  set text(text: string) {
    this.#text = escapeControls(text);
  }

  /** Removes the line for good. */
  close(): void {
    this.#clear();
    this.#session.clearLine = null;
    if (this.#timer !== null) clearInterval(this.#timer);
  }

  #clear(): void {
    if (this.#isDrawn) this.#session.io.stdout.write('\r\x1b[K');
    this.#isDrawn = false;
  }

  #draw(): void {
    if (this.#text === '') return;
    const screen = readScreen(this.#session.io);
    // The last column stays free: some terminals begin a new line after it.
    const columns = (screen.columns ?? 80) - 1;
    const time = ` (${Math.round((performance.now() - this.#beganMs) / 1000)} s)`;
    this.#isDrawn = true;
    this.#session.io.stdout.write(`\r\x1b[K${cutEnd(this.#text, columns - time.length, screen)}${time}`);
  }
}
