/**
 * Patterns for the output of programs (`ready_log`). The time for a line is proportional to its length, whatever the
 * pattern and the line are: there is no backtracking. Pure.
 *
 * A pattern is a part of JavaScript's regular expressions (pattern-syntax.ts). It becomes a nondeterministic automaton
 * (pattern-program.ts), and while lines are read, a deterministic one (pattern-automaton.ts).
 *
 * A pattern may match anywhere in a line. Bytes are read as UTF-8. A byte that is not UTF-8 is a character of its own,
 * U+DC80 to U+DCFF, as in our strings. A carriage return at the end of a line does not belong to the line.
 */
import { LineScanner } from './line-scanner.ts';
import { PatternAutomaton } from './pattern-automaton.ts';
import { compilePattern } from './pattern-program.ts';
import { parsePattern } from './pattern-syntax.ts';

export type { LineScanner } from './line-scanner.ts';
export { PatternError } from './pattern-syntax.ts';

/** A pattern that lines are matched with. */
export class LinearPattern {
  readonly #automaton: PatternAutomaton;
  readonly #line: LineScanner;

  /** Throws {@link PatternError}. Its message follows "is not". */
  constructor(text: string) {
    this.#automaton = new PatternAutomaton(compilePattern(parsePattern(text)));
    this.#line = this.scanner();
  }

  /** Makes a scanner for one stream. The scanners of a pattern share its states. */
  scanner(): LineScanner {
    return new LineScanner(this.#automaton);
  }

  /** Work for this pattern so far, as `PatternAutomaton.steps` counts it. */
  get steps(): number {
    return this.#automaton.steps;
  }

  /** True if a whole line matches. The line has no newline. */
  matches(line: Uint8Array): boolean {
    this.#line.reset();
    return this.#line.read(line) || this.#line.end();
  }
}
