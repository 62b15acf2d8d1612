/**
 * Regular expressions of the user. They run in this client, never in the supervisor, on the first characters of a line,
 * and within a time limit: a pattern such as `(a+)+$` can take years on one line.
 */
import { createContext, Script, type Context } from 'node:vm';
import { CtlError } from '../errors.ts';

/** Characters of a line that are searched. */
export const SEARCHED = 16 * 1024;

/** Maximum time for the lines of one answer. Without trouble, 10,000 lines take some 10 ms. */
const LIMIT_MS = 3000;

/** A match: its first character, and the character after its last. */
export type Span = readonly [start: number, end: number];

const TEST = new Script('lines.map((line) => patterns.some((pattern) => pattern.test(line)))');
const SPANS = new Script(
  'lines.map((line) => patterns.flatMap((p) => Array.from(line.matchAll(p), (m) => [m.index, m.index + m[0].length])))',
);

/** One or more patterns. A line matches if any of them does. */
export class Patterns {
  readonly #sources: readonly string[];
  readonly #flags: string;
  readonly #context: Context = createContext({});

  /** Throws SyntaxError for a source that is no regular expression of JavaScript. */
  constructor(sources: readonly string[], isCaseIgnored: boolean) {
    this.#sources = sources;
    this.#flags = isCaseIgnored ? 'i' : '';
    for (const source of sources) new RegExp(source, this.#flags).test('');
  }

  /** Returns true for each line that matches. Throws {@link CtlError} if that takes too long. */
  test(lines: readonly string[]): readonly boolean[] {
    return this.#run(TEST, lines, this.#flags) as readonly boolean[];
  }

  /** Returns the matches of each line, in order. Throws {@link CtlError} if that takes too long. */
  spans(lines: readonly string[]): ReadonlyArray<readonly Span[]> {
    const found = this.#run(SPANS, lines, `g${this.#flags}`) as ReadonlyArray<readonly Span[]>;
    // The arrays belong to the other context.
    return Array.from(found, (spans) =>
      Array.from(spans, ([start, end]): Span => [start, end]).sort(([a], [b]) => a - b),
    );
  }

  #run(script: Script, lines: readonly string[], flags: string): unknown {
    this.#context['lines'] = lines.map((line) => line.slice(0, SEARCHED));
    this.#context['patterns'] = this.#sources.map((source) => new RegExp(source, flags));
    try {
      return script.runInContext(this.#context, { timeout: LIMIT_MS });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      const which = this.#sources.join(', ').slice(0, 100);
      const text = `the pattern ${which} takes too long on a line: write it without repetitions in repetitions`;
      throw new CtlError('re.error', text, { cause: error });
    }
  }
}
