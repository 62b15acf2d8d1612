/**
 * A limit for the bytes of all answers that clients have not taken yet, over all servers. Without one, clients that ask
 * and do not read fill the memory.
 * It counts bytes; it knows neither answers nor clients.
 */

/** There is no room for an answer now. `isFirst`: no other answer was refused since there was room. */
export class AnswerBudgetError extends Error {
  override readonly name = 'NoRoomError';
  readonly isFirst: boolean;

  constructor(isFirst: boolean) {
    super('too many bytes of answers wait for clients that do not read them');
    this.isFirst = isFirst;
  }
}

/** Counts bytes of an answer before they are made. Throws {@link AnswerBudgetError}. */
export type Reserve = (bytes: number) => void;

/** The room for one answer. */
export interface AnswerReservation {
  readonly reserve: Reserve;
  /** Gives back everything; to be called once the answer is sent or given up. */
  readonly release: () => void;
}

/** The room for all answers. */
export class AnswerBudget {
  readonly #limit: number;
  readonly #freeSize: number;
  #held = 0;
  #isRefusing = false;

  /**
   * `limit`: bytes of all answers. An answer of up to `freeSize` bytes is always given, so that a supervisor can be
   * asked and told something even when others block it.
   */
  constructor(limit: number, freeSize: number) {
    this.#limit = limit;
    this.#freeSize = freeSize;
  }

  /** Begins an answer. */
  share(): AnswerReservation {
    let own = 0;
    const reserve = (bytes: number): void => {
      if (own + bytes > this.#freeSize && this.#held + bytes > this.#limit) {
        const isFirst = !this.#isRefusing;
        this.#isRefusing = true;
        throw new AnswerBudgetError(isFirst);
      }
      own += bytes;
      this.#held += bytes;
    };
    const release = (): void => {
      this.#held -= own;
      if (own > this.#freeSize) this.#isRefusing = false;
      own = 0;
    };
    return { reserve, release };
  }
}
