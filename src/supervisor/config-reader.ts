/** Reads the configuration again for `reread`, `update` and a restart, and reports its warnings. Applies nothing. */
import type { Config, Reading } from '../config/model.ts';
import { formatProblem, isNote } from '../config/problems.ts';
import type { Message } from '../engine/messages.ts';
import type { Report } from '../engine/ports.ts';

/** Result of reading the configuration again: the configuration, or its problems, one line each. */
export type Reread = { readonly config: Config } | { readonly config: null; readonly problems: readonly string[] };

/** Reads the configuration again, and reports only warnings that the previous reading did not have. */
export class ConfigReader {
  readonly #read: () => Reading;
  readonly #report: Report;
  #warnings: readonly string[];

  /** `first` is the reading that the supervisor starts with. */
  constructor(read: () => Reading, first: Reading, report: Report) {
    this.#read = read;
    this.#report = report;
    this.#warnings = first.warnings.map(formatProblem);
  }

  /** Formats the warnings of the first reading. */
  firstWarnings(): Message[] {
    return this.#warnings.map(toMessage);
  }

  /** Reads the configuration again. */
  reread(): Reread {
    const reading = this.#read();
    const before = new Set(this.#warnings);
    this.#warnings = reading.warnings.map(formatProblem);
    for (const warning of this.#warnings) if (!before.has(warning)) this.#report(...toMessage(warning));
    return reading.config === null
      ? { config: null, problems: reading.errors.map(formatProblem) }
      : { config: reading.config };
  }
}

function toMessage(warning: string): Message {
  return [isNote(warning) ? 'info' : 'warn', warning];
}
