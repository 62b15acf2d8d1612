/**
 * Reading the body of a request: bounded in size and in time, and all bodies of a server together bounded too.
 */
import type { IncomingMessage } from 'node:http';

/** Why there is no body: the status to answer with. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  /** 408 too slow, 411 no length, 413 too large, 503 too many at once; 400 when it broke off. */
  readonly status: 400 | 408 | 411 | 413 | 503;

  constructor(status: BodyError['status']) {
    super(`cannot read the body of a request: status ${status}`);
    this.status = status;
  }
}

/** What bounds the bodies of one server. */
export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyMs: number;
  /** Bytes of all bodies that are being read or answered. */
  readonly totalBytes: number;
}

/** Reads bodies for one server. */
export class BodyReader {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Reads a whole body as text. Rejects with a {@link BodyError}; what is left of the body is not read then. */
  async read(request: IncomingMessage, maxBytes = this.#limits.bodyBytes): Promise<string> {
    const limit = Math.min(maxBytes, this.#limits.bodyBytes);
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (length === undefined && encoding === undefined) throw new BodyError(411);
    if (Number(length ?? 0) > limit) throw new BodyError(413);
    const parts: Buffer[] = [];
    let size = 0;
    try {
      await this.#collect(request, (part) => {
        size += part.length;
        this.#heldBytes += part.length;
        if (size > limit) return 413;
        if (this.#heldBytes > this.#limits.totalBytes) return 503;
        parts.push(part);
        return null;
      });
    } finally {
      this.#heldBytes -= size;
    }
    return Buffer.concat(parts, size).toString('utf8');
  }

  /**
   * Gives each piece to `take`, until the end or until that returns a status to give up with. Listeners, not an
   * iterator: ending one destroys the connection, and with it the answer.
   */
  #collect(request: IncomingMessage, take: (part: Buffer) => BodyError['status'] | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (status: BodyError['status'] | null): void => {
        clearTimeout(timer);
        request.off('data', data).off('end', end).off('close', broken).off('error', broken);
        request.pause();
        // An error after this has no meaning any more, and without a listener it would be one of the whole process.
        request.on('error', ignoreLate);
        if (status === null) resolve();
        else reject(new BodyError(status));
      };
      const data = (part: Buffer): void => {
        const status = take(part);
        if (status !== null) settle(status);
      };
      const end = (): void => settle(null);
      const broken = (): void => settle(400);
      const timer = setTimeout(() => settle(408), this.#limits.bodyMs);
      request.on('data', data).on('end', end).on('close', broken).on('error', broken);
    });
  }
}

function ignoreLate(): void {
  return undefined;
}
