/**
 * The socket of `notify=sd`: what one run of a program says by sd_notify(3), also through children of its own that end
 * at once. Owns the socket and judges who may be heard; it does not know what follows from a message.
 */
import { randomBytes } from 'node:crypto';
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Clock } from '../engine/ports.ts';
import { type NotifyFact, parseNotifyMessage } from '../core/notify-message.ts';
import type { Addon } from '../native/addon.ts';

/** What comes of a socket: what was said, or why something was not heard. */
export type SocketNotice =
  | NotifyFact
  | { readonly kind: 'refused'; readonly why: Refusal; readonly pid: number; readonly uid: number }
  /** The socket has failed, and nothing is heard any more. */
  | { readonly kind: 'deaf'; readonly errno: number };

/** `user`: its sender is of another user. `namespace`: of another pid namespace. `length`, `form`: it is no message. */
export type Refusal = 'user' | 'namespace' | 'length' | 'form';

export type SocketNatives = Pick<Addon, 'openDatagram' | 'receiveDatagram' | 'watchReadable' | 'unwatchReadable'>;

const NAME_BYTES = 16;
/** As systemd takes them. */
const MOST_MESSAGE_BYTES = 4096;
/**
 * So many datagrams are taken in such a time and no more: a program that floods waits in its own send, since the
 * kernel's queue is short, and costs us little.
 */
const WINDOW = { ms: 20, datagrams: 64 };

/** One socket for one run. */
export class NotificationSocket {
  /** The value of NOTIFY_SOCKET. */
  readonly address: string;
  readonly #fd: number;
  readonly #natives: SocketNatives;
  readonly #clock: Clock;
  readonly #users: ReadonlySet<number>;
  readonly #tell: (notice: SocketNotice) => void;
  readonly #message = new Uint8Array(MOST_MESSAGE_BYTES);
  readonly #facts = new Uint32Array(4);
  #mainPid: number | null = null;
  #isOpen = true;
  #windowMs = -Infinity;
  #taken = 0;
  #callOff: () => void = () => undefined;

  /**
   * Opens it at an address of its own that cannot be guessed. `users`: whose messages are heard. `tell` is called from
   * the loop. Throws what the addon throws.
   */
  constructor(natives: SocketNatives, clock: Clock, users: ReadonlySet<number>, tell: (notice: SocketNotice) => void) {
    this.#natives = natives;
    this.#clock = clock;
    this.#users = users;
    this.#tell = tell;
    // Abstract: it needs no directory that can be written to, no owner and no clean-up.
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

  /** The program itself is heard whatever user it has made itself: nobody else has its pid until we have reaped it. */
  setMainPid(pid: number): void {
    this.#mainPid = pid;
  }

  /** Takes what is there already, as far as the flood gate lets it. */
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
      this.#hear();
    }
    if (this.#isOpen) this.#pause();
  }

  /** Lets go of it; nothing is told any more, and who still waits in a send gets ECONNREFUSED. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#callOff();
    this.#natives.unwatchReadable(this.#fd);
    closeSync(this.#fd);
  }

  #watch(): void {
    this.#natives.watchReadable(this.#fd, (errno) => (errno === 0 ? this.readNow() : this.#fail(errno)));
  }

  #pause(): void {
    this.#natives.unwatchReadable(this.#fd);
    this.#callOff();
    this.#callOff = this.#clock.alarm(this.#windowMs + WINDOW.ms, () => this.#watch());
  }

  #fail(errno: number): void {
    this.close();
    this.#tell({ kind: 'deaf', errno });
  }

  #hear(): void {
    const [length = 0, pid = 0, uid = 0, isCut = 0] = this.#facts;
    const facts = parseNotifyMessage(this.#message.subarray(0, length));
    const refusal = this.#judge(pid, uid) ?? (isCut === 1 ? 'length' : null);
    if (refusal !== null || facts === null) return this.#tell({ kind: 'refused', why: refusal ?? 'form', pid, uid });
    for (const fact of facts) if (this.#isOpen) this.#tell(fact);
  }

  #judge(pid: number, uid: number): Refusal | null {
    if (pid === 0) return 'namespace';
    return this.#users.has(uid) || pid === this.#mainPid ? null : 'user';
  }
}
