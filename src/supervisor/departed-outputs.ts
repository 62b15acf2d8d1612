/** Outputs of programs that are no longer configured. */
import { createNameFilter } from '../core/name-pattern.ts';
import { parseNamespec } from '../core/namespec.ts';
import type { LineSelection } from '../rpc/lines.ts';
import type { NamedOutput } from './line-sources.ts';

/** Time for which an output is remembered. */
const KEPT_MS = 60_000;
/** Maximum number of outputs with their lines, and of their bytes. Of the oldest, only the loss is remembered. */
const MAX_WITH_LINES = 1000;
const MAX_BYTES = 4 * 1024 * 1024;
/** Maximum number of outputs. */
const MAX_OUTPUTS = 10_000;

/** An output, and the time when it was closed. */
interface Departed {
  readonly output: NamedOutput;
  readonly bytes: number;
  readonly closedMs: number;
}

/**
 * The last lines of programs that are no longer configured, for clients that follow: a program writes its last lines
 * when `update` or a restart of the supervisor removes it, and a client asks for them a moment later. Bounded in time,
 * number and bytes: a client that asks for lines beyond the bounds is told how many bytes it has missed.
 */
export class DepartedOutputs {
  readonly #nowMs: () => number;
  /** The oldest first. */
  #kept: Departed[] = [];
  /** Number of the oldest outputs whose lines were dropped. */
  #withoutLines = 0;
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
    while (this.#bytes > MAX_BYTES || this.#kept.length - this.#withoutLines > MAX_WITH_LINES) this.#dropLines();
    if (this.#kept.length > MAX_OUTPUTS) this.#forgetFirst();
  }

  /** Returns the outputs that a client has selected. */
  select({ names, streams }: LineSelection): NamedOutput[] {
    const sinceMs = this.#nowMs() - KEPT_MS;
    while ((this.#kept[0]?.closedMs ?? Infinity) < sinceMs) this.#forgetFirst();
    const isNamed = createNameFilter(names);
    return this.#kept
      .map(({ output }) => output)
      .filter(({ name, stream }) => {
        const { group, process: proc } = parseNamespec(name);
        const isSelected = names.length === 0 || isNamed({ group, name: proc ?? '' });
        return isSelected && (streams.length === 0 || streams.includes(stream));
      });
  }

  /** Drops the lines of the oldest output that has some. Its memory still tells what was in it. */
  #dropLines(): void {
    const { output, bytes, closedMs } = this.#kept[this.#withoutLines] as Departed;
    const { name, stream } = output;
    const empty = { name, stream, memory: output.memory.resized(0) };
    this.#kept[this.#withoutLines] = { output: empty, bytes: 0, closedMs };
    this.#withoutLines += 1;
    this.#bytes -= bytes;
  }

  #forgetFirst(): void {
    this.#bytes -= this.#kept.shift()?.bytes ?? 0;
    this.#withoutLines = Math.max(0, this.#withoutLines - 1);
  }
}
