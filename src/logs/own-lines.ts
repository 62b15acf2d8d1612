/**
 * Lines of the supervisor that a stalled target cannot take: a bounded number is kept, the rest is counted.
 * The supervisor never waits for a log.
 */

/** Bytes that are kept. */
const KEPT_BYTES = 256 * 1024;

/** See the head of this file. */
export class OwnLines {
  #lines: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #sayDropped: ((lines: number) => Buffer) | null = null;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Lines that are kept, and those that were not. */
  get lines(): number {
    return this.#lines.length + this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#dropped === 0;
  }

  /**
   * Keeps a line, or counts it. Once one was dropped so are those after it, or they would seem to follow what is kept.
   */
  keep(line: Buffer, sayDropped: (lines: number) => Buffer): void {
    this.#sayDropped = sayDropped;
    if (this.#dropped > 0 || this.#bytes + line.length > KEPT_BYTES) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
  }

  /** Hands out what was kept, and a line that tells how many were not. */
  drain(): Buffer[] {
    const lines = this.#lines;
    if (this.#dropped > 0 && this.#sayDropped !== null) lines.push(this.#sayDropped(this.#dropped));
    this.clear();
    return lines;
  }

  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
    this.#dropped = 0;
  }
}
