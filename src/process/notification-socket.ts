/**
 * The socket of `notify=sd`: receives the sd_notify(3) messages of one run of a program, and of its short-lived
 * children. Owns the socket and decides which senders are accepted. The receiver interprets the messages.
 */
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock } from '../engine/ports.ts';
import { type NotifyFact, parseNotifyMessage } from '../core/notify-message.ts';
import type { Addon } from '../native/addon.ts';

/** Notice of a socket: a fact, or the reason why a message or the socket was dropped. */
export type SocketNotice =
  | NotifyFact
  | { readonly kind: 'refused'; readonly why: Refusal; readonly pid: number; readonly uid: number }
  /** The socket has failed and is closed. */
  | { readonly kind: 'socketFailed'; readonly errno: number };

/**
 * Reason to drop a message. `user`: the sender is another user. `namespace`: the sender is in another PID namespace.
 * `length`, `form`: the message is invalid.
 */
export type Refusal = 'user' | 'namespace' | 'length' | 'form';

export type SocketNatives = Pick<Addon, 'openDatagram' | 'receiveDatagram' | 'watchReadable' | 'unwatchReadable'>;

const NAME_BYTES = 16;
/** Limit of systemd. */
const MAX_MESSAGE_BYTES = 4096;
/**
 * Limit on datagrams in a period of time. A program that sends more waits in its own send, since the kernel's queue is
 * short.
 */
const WINDOW = { ms: 20, datagrams: 64 };

/** One socket for one run. */
export class NotificationSocket {
  /** Value of NOTIFY_SOCKET. */
  readonly address: string;
  readonly #fd: number;
  readonly #natives: SocketNatives;
  readonly #clock: Clock;
  readonly #users: ReadonlySet<number>;
  readonly #notify: (notice: SocketNotice) => void;
  readonly #message = new Uint8Array(MAX_MESSAGE_BYTES);
  readonly #facts = new Uint32Array(4);
  #mainPid: number | null = null;
  #isOpen = true;
  #windowMs = -Infinity;
  #taken = 0;
  #cancelAlarm: () => void = () => undefined;

  /**
   * Opens the socket at a unique address that cannot be guessed. `users`: accepted senders. Calls `tell` from the loop.
   * Throws errors of the addon.
   */
  constructor(natives: SocketNatives, clock: Clock, users: ReadonlySet<number>, tell: (notice: SocketNotice) => void) {
    this.#natives = natives;
    this.#clock = clock;
    this.#users = users;
    this.#notify = tell;
    // An abstract address needs no writable directory, no owner and no cleanup.
    const name = `onevisor/${randomBytes(NAME_BYTES).toString('hex')}`;
    this.address = `@${name}`;
    this.#fd = natives.openDatagram(name);
    try {
      this.#watch();
    } catch (error) {
      closeSync(this.#fd);
      throw error;
    }
  }

  /** Accepts the program itself under any user. Its pid cannot be reused until we have reaped it. */
  setMainPid(pid: number): void {
    this.#mainPid = pid;
  }

  /** Reads the datagrams that are available, within the limit. */
  readNow(): void {
    const nowMs = this.#clock.nowMs();
    if (nowMs >= this.#windowMs + WINDOW.ms) {
      this.#windowMs = nowMs;
      this.#taken = 0;
    }
    while (this.#isOpen && this.#taken < WINDOW.datagrams) {
      const errno = this.#natives.receiveDatagram(this.#fd, this.#message, this.#facts);
      if (errno === constants.errno.EAGAIN) return;
      if (errno !== 0) return this.#fail(errno);
      this.#taken++;
      this.#processDatagram();
    }
    if (this.#isOpen) this.#pause();
  }

  /** Closes the socket. No notice comes afterwards, and senders that wait get ECONNREFUSED. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#cancelAlarm();
    this.#natives.unwatchReadable(this.#fd);
    closeSync(this.#fd);
  }

  #watch(): void {
    this.#natives.watchReadable(this.#fd, (errno) => (errno === 0 ? this.readNow() : this.#fail(errno)));
  }

  #pause(): void {
    this.#natives.unwatchReadable(this.#fd);
    this.#cancelAlarm();
    this.#cancelAlarm = this.#clock.alarm(this.#windowMs + WINDOW.ms, () => this.#watchAgain());
  }

  #watchAgain(): void {
    try {
      this.#watch();
    } catch (error) {
      this.#fail(Math.abs((error as NodeJS.ErrnoException).errno ?? 0));
    }
  }

  #fail(errno: number): void {
    this.close();
    this.#notify({ kind: 'socketFailed', errno });
  }

  #processDatagram(): void {
    const [length = 0, pid = 0, uid = 0, isCut = 0] = this.#facts;
    const facts = parseNotifyMessage(this.#message.subarray(0, length));
    const refusal = this.#judge(pid, uid) ?? (isCut === 1 ? 'length' : null);
    if (refusal !== null || facts === null) return this.#notify({ kind: 'refused', why: refusal ?? 'form', pid, uid });
    for (const fact of facts) if (this.#isOpen) this.#notify(fact);
  }

  #judge(pid: number, uid: number): Refusal | null {
    if (pid === 0) return 'namespace';
    return this.#users.has(uid) || pid === this.#mainPid ? null : 'user';
  }
}
