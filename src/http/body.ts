/**
 * Reading the body of a request, with limits for its size, its time, and the size of all bodies of a server together.
 */
import type { IncomingMessage } from 'node:http';
import { ByteCollector } from '../core/byte-collector.ts';

/** A body that cannot be read. `status` is the status of the answer. */
export class BodyError extends Error {
  override readonly name = 'BodyError';
  /**
   * 400 ended early, 408 too slow, 411 no length, 413 too large or in too many pieces, 415 compressed, 503 too many
   * bodies at once.
   */
  readonly status: 400 | 408 | 411 | 413 | 415 | 503;

  constructor(status: BodyError['status']) {
    super(`cannot read the body of a request: status ${status}`);
    this.status = status;
  }
}

/** Limits for the bodies of one server. */
export interface BodyLimits {
  readonly bodyBytes: number;
  readonly bodyMs: number;
  /** Bytes of all bodies that are being read. */
  readonly totalBytes: number;
}

/** Reads bodies for one server. */
export class BodyReader {
  readonly #limits: BodyLimits;
  #heldBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  /** Reads a whole body as text. Rejects with a {@link BodyError}; the rest of the body stays unread then. */
  async read(request: IncomingMessage, maxBytes = this.#limits.bodyBytes): Promise<string> {
    const limit = Math.min(maxBytes, this.#limits.bodyBytes);
    const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
    if (length === undefined && encoding === undefined) throw new BodyError(411);
    // Nothing is decompressed, so a small body cannot become a large one (RFC 9110, section 8.4).
    if (!isPlain(request.headers['content-encoding'])) throw new BodyError(415);
    if (Number(length ?? 0) > limit) throw new BodyError(413);
    const body = new ByteCollector();
    let held = 0;
    try {
      await this.#collect(request, (part) => {
        held += part.length;
        this.#heldBytes += part.length;
        if (this.#heldBytes > this.#limits.totalBytes) return 503;
        return body.add(part, limit) === 'taken' ? null : 413;
      });
    } finally {
      this.#heldBytes -= held;
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(body.bytes);
  }

  /**
   * Gives each piece to `take` until the end of the body, or until `take` returns an error status. Uses listeners
   * because ending an async iterator destroys the connection, and with it the answer.
   */
  #collect(request: IncomingMessage, take: (part: Buffer) => BodyError['status'] | null): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (status: BodyError['status'] | null): void => {
        clearTimeout(timer);
        request.off('data', data).off('end', end).off('close', broken).off('error', broken);
        request.pause();
        // A later error does not matter here, but without a listener it would end the process.
        request.on('error', ignoreLate);
        if (status === null) resolve();
        else reject(new BodyError(status));
      };
      const data = (part: Buffer): void => {
        const status = take(part);
        if (status !== null) finish(status);
      };
      const end = (): void => finish(null);
      const broken = (): void => finish(400);
      const timer = setTimeout(() => finish(408), this.#limits.bodyMs);
      request.on('data', data).on('end', end).on('close', broken).on('error', broken);
    });
  }
}

function isPlain(contentEncoding: string | undefined): boolean {
  return ['', 'identity'].includes((contentEncoding ?? '').trim().toLowerCase());
}

function ignoreLate(): void {
  return undefined;
}
