/** Outputs of programs that are no longer configured. */
import { createNameFilter } from '../core/name-pattern.ts';
import { parseNamespec } from '../core/namespec.ts';
import type { LineSelection } from '../rpc/lines.ts';
import type { NamedOutput } from './line-sources.ts';

/** Time for which the lines are kept. */
const KEPT_MS = 60_000;
/** Maximum number of outputs, and of their bytes. The oldest are dropped first. */
const MAX_OUTPUTS = 1000;
const MAX_BYTES = 4 * 1024 * 1024;

/** An output, and the time when it was closed. */
interface Departed {
  readonly output: NamedOutput;
  readonly bytes: number;
  readonly closedMs: number;
}

/**
 * The last lines of programs that are no longer configured, for clients that follow: a program writes its last lines
 * when `update` or a restart of the supervisor removes it, and a client asks for them a moment later. Bounded in time,
 * number and bytes.
 */
export class DepartedOutputs {
  readonly #nowMs: () => number;
  #kept: Departed[] = [];
  #bytes = 0;

  /** @param nowMs the monotonic clock */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Keeps an output that is closed now. */
  add(output: NamedOutput): void {
    const { size, oldest } = output.memory;
    const bytes = size - oldest;
    if (bytes === 0) return;
    this.#kept.push({ output, bytes, closedMs: this.#nowMs() });
    this.#bytes += bytes;
    this.#dropWhile(() => this.#bytes > MAX_BYTES || this.#kept.length > MAX_OUTPUTS);
  }

  /** Returns the outputs that a client has selected. */
  select({ names, streams }: LineSelection): NamedOutput[] {
    const sinceMs = this.#nowMs() - KEPT_MS;
    this.#dropWhile(({ closedMs }) => closedMs < sinceMs);
    const isNamed = createNameFilter(names);
    return this.#kept
      .map(({ output }) => output)
      .filter(({ name, stream }) => {
        const { group, process: proc } = parseNamespec(name);
        const isSelected = names.length === 0 || isNamed({ group, name: proc ?? '' });
        return isSelected && (streams.length === 0 || streams.includes(stream));
      });
  }

  #dropWhile(isOver: (first: Departed) => boolean): void {
    for (let [first] = this.#kept; first !== undefined && isOver(first); [first] = this.#kept) {
      this.#kept.shift();
      this.#bytes -= first.bytes;
    }
  }
}
