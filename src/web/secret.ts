/**
 * What a start of the supervisor knows and other sites do not: the token that every form carries, and the proof that a
 * message in a link is ours. Both end with the process; nothing is stored.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ActionResult } from './page.ts';

/** See the head of this file. */
export class PageSecret {
  readonly token = randomBytes(24).toString('base64url');
  readonly #key = randomBytes(32);

  /** Whether a form came from a page of ours. Takes the same time whatever is wrong. */
  isToken(given: string | null): boolean {
    return isSame(given ?? '', this.token);
  }

  /** An outcome as the query of a link. */
  sign({ text, isError }: ActionResult): string {
    return new URLSearchParams({
      message: text,
      ...(isError ? { error: '1' } : {}),
      proof: this.#proofOf(text, isError),
    }).toString();
  }

  /**
   * The outcome in the query of a link; null where there is none, or none of ours: others must not put words into our
   * mouth.
   */
  verify(query: URLSearchParams): ActionResult | null {
    const text = query.get('message');
    const isError = query.has('error');
    if (text === null || !isSame(query.get('proof') ?? '', this.#proofOf(text, isError))) return null;
    return { text, isError };
  }

  #proofOf(text: string, isError: boolean): string {
    return createHmac('sha256', this.#key)
      .update(`${isError ? 'error' : 'done'} ${text}`)
      .digest('base64url');
  }
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
