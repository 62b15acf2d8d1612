/** Lines of the supervisor's own log among the output: what they tell of lines that a file could not take. */

/** True if a line has a piece of a worker's line. Our own log shows the texts of clients, which may be all `x`. */
export function isPieceOfWorker(line: string): boolean {
  const isOwn = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} [A-Z]+ /.test(line);
  return /L \d+ \d+/.test(line) || (!isOwn && /x{10}/.test(line));
}

/** Lines that our log says were dropped, by the name of the worker whose file could not be written. */
export class ToldLosses {
  readonly #lines = new Map<string, number>();

  /** Takes a line of our own log. */
  take(line: string): void {
    const again = /\/(\w+)\.log is written again; (\d+) lines? /.exec(line);
    const closed = /(\d+) lines? \(\d+ bytes\) for \S+\/(\w+)\.log were dropped/.exec(line);
    const name = again?.[1] ?? closed?.[2];
    if (name !== undefined) this.#lines.set(name, this.of(name) + Number(again?.[2] ?? closed?.[1]));
  }

  of(name: string): number {
    return this.#lines.get(name) ?? 0;
  }
}
