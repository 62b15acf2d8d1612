/**
 * Lines of the supervisor that a stalled destination cannot take. Some are kept, up to a limit, and the others are
 * counted. The supervisor never waits for a log.
 */

/** Maximum number of bytes that are kept. */
const KEPT_BYTES = 256 * 1024;

/** Lines of the supervisor that wait for a stalled destination. */
export class OwnLines {
  #lines: Buffer[] = [];
  #bytes = 0;
  #dropped = 0;
  #formatDropped: ((lines: number) => Buffer) | null = null;

  /** Bytes that are kept. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of the lines that are kept, and of those that were dropped. */
  get lines(): number {
    return this.#lines.length + this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#dropped === 0;
  }

  /**
   * Keeps a line, or drops and counts it. After a dropped line all others are dropped too, or they would seem to follow
   * the kept lines. `formatDropped` makes the line that says how many were dropped.
   */
  keep(line: Buffer, formatDropped: (lines: number) => Buffer): void {
    this.#formatDropped = formatDropped;
    if (this.#dropped > 0 || this.#bytes + line.length > KEPT_BYTES) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    this.#bytes += line.length;
  }

  /** Returns the kept lines, with a line that says how many were dropped. */
  drain(): Buffer[] {
    const lines = this.#lines;
    if (this.#dropped > 0 && this.#formatDropped !== null) lines.push(this.#formatDropped(this.#dropped));
    this.clear();
    return lines;
  }

  clear(): void {
    this.#lines = [];
    this.#bytes = 0;
    this.#dropped = 0;
  }
}
