/** The secret of the web page. It protects against forged requests and messages of other sites. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { ActionResult } from './page.ts';

/**
 * A secret that other sites do not know, new at each start of the supervisor and never stored. It has the token in
 * every form, and the key that signs the messages in our links.
 */
export class PageSecret {
  /** Made when the first page needs them: Node's module for that would take 10 ms of each start. */
  #made: { readonly token: string; readonly key: Buffer } | null = null;

  /** The secret itself. */
  get token(): string {
    return this.#parts.token;
  }

  get #parts(): { readonly token: string; readonly key: Buffer } {
    this.#made ??= { token: randomBytes(24).toString('base64url'), key: randomBytes(32) };
    return this.#made;
  }

  /** True if a form came from one of our pages. Takes the same time for every wrong token. */
  isToken(given: string | null): boolean {
    return isSame(given ?? '', this.token);
  }

  /** Makes the signed query of a link from a result. */
  sign({ text, isError }: ActionResult): string {
    return new URLSearchParams({
      message: text,
      ...(isError ? { error: '1' } : {}),
      proof: this.#proofOf(text, isError),
    }).toString();
  }

  /** Reads the result from the query of a link; null if there is none, or if another site has made it. */
  verify(query: URLSearchParams): ActionResult | null {
    const text = query.get('message');
    const isError = query.has('error');
    if (text === null || !isSame(query.get('proof') ?? '', this.#proofOf(text, isError))) return null;
    return { text, isError };
  }

  #proofOf(text: string, isError: boolean): string {
    return createHmac('sha256', this.#parts.key)
      .update(`${isError ? 'error' : 'done'} ${text}`)
      .digest('base64url');
  }
}

function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
