/** Checks the lines of workers in one destination: each line once, in order, under the name of its program. */
import type { LedgerContent } from './ledger.ts';

/** Lines of a worker: slot and number. */
const LINE = /^L (\d+) (\d+) x*$/;

/** Most violations that are kept. */
const MAX_VIOLATIONS = 20;

/** Last line of each run, and what was wrong. */
export class LineCheck {
  readonly violations: string[] = [];
  /** Number of lines. */
  lines = 0;
  readonly #sink: string;
  readonly #last: number[] = [];
  readonly #names: string[] = [];
  /** Number of lines that are missing. */
  gaps = 0;
  /** Places of the first ones. */
  readonly missing: string[] = [];
  /** Number of missing lines by the name of the worker. */
  readonly missingOf = new Map<string, number>();
  readonly #mayMiss: boolean;

  /** `mayMiss`: a gap is no violation by itself, since the destination tells about lost lines. */
  constructor(sink: string, mayMiss = false) {
    this.#sink = sink;
    this.#mayMiss = mayMiss;
  }

  /** Takes a line of a program; null if the destination has no names. Returns false for lines of no worker. */
  take(name: string | null, text: string): boolean {
    const match = LINE.exec(text);
    if (match === null) return false;
    const [slot, number] = [Number(match[1]), Number(match[2])];
    this.lines += 1;
    const last = this.#last[slot] ?? 0;
    this.#last[slot] = number;
    const known = this.#names[slot];
    if (name !== null && known !== undefined && known !== name)
      this.violate(`run ${slot} of ${known} has a line under the name ${name}`);
    if (name !== null) this.#names[slot] = name;
    if (number === last + 1) return true;
    if (number <= last) this.violate(`line ${number} of run ${slot} (${name}) follows line ${last}`);
    else if (this.#mayMiss) this.#miss(number - last - 1, name ?? '', `before line ${number} of run ${slot}`);
    else this.violate(`line ${number} of run ${slot} (${name}) follows line ${last}: lines are missing`);
    return true;
  }

  /** Compares with the records of the workers. */
  compare({ runs }: LedgerContent): void {
    for (const { slot, name, written, attempted } of runs) {
      const last = this.#last[slot] ?? 0;
      if (last > attempted) this.violate(`run ${slot} (${name}) wrote ${attempted} lines, and ${last} came`);
      const isShort = last < written;
      if (isShort && this.#mayMiss) this.#miss(written - last, name, `after line ${last} of run ${slot}`);
      else if (isShort) this.violate(`run ${slot} (${name}) wrote ${written} lines, and only ${last} came`);
      const known = this.#names[slot];
      if (known !== undefined && !isNameOf(known, name)) this.violate(`lines of ${name} came as those of ${known}`);
    }
  }

  #miss(count: number, name: string, where: string): void {
    this.gaps += count;
    this.missingOf.set(name, (this.missingOf.get(name) ?? 0) + count);
    if (this.missing.length < MAX_VIOLATIONS) this.missing.push(`${count} lines ${where} (${name})`);
  }

  violate(text: string): void {
    if (this.violations.length < MAX_VIOLATIONS) this.violations.push(`${this.#sink}: ${text}`);
  }
}

/** True if a shown name, `group:process` or `process`, is that of a process. */
function isNameOf(shown: string, name: string): boolean {
  return shown === name || shown.endsWith(`:${name}`);
}
