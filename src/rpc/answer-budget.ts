/**
 * The limit for the bytes of all answers of all servers that clients have not read yet. Without a limit, clients that
 * send requests and do not read the answers could fill the memory. Counts bytes only.
 */

/** The budget has no bytes left for an answer. `isFirst`: the first refusal since the budget had bytes left. */
export class AnswerBudgetError extends Error {
  override readonly name = 'AnswerBudgetError';
  readonly isFirst: boolean;

  constructor(isFirst: boolean) {
    super('too many bytes of answers wait for clients that do not read them');
    this.isFirst = isFirst;
  }
}

/** Reserves bytes of an answer before they are allocated. Throws {@link AnswerBudgetError}. */
export type Reserve = (bytes: number) => void;

/** The reserved bytes of one answer. */
export interface AnswerReservation {
  readonly reserve: Reserve;
  /** Releases all reserved bytes. Call this once, after the answer is sent or abandoned. */
  readonly release: () => void;
}

/** The budget for all answers. */
export class AnswerBudget {
  readonly #limit: number;
  readonly #freeSize: number;
  #held = 0;
  #isRefusing = false;

  /**
   * `limit` is the number of bytes for all answers. Answers of up to `freeSize` bytes are always given, so that a
   * supervisor can be controlled while other clients use up the budget.
   */
  constructor(limit: number, freeSize: number) {
    this.#limit = limit;
    this.#freeSize = freeSize;
  }

  /** Begins an answer. */
  begin(): AnswerReservation {
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
