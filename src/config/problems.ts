/**
 * Collects the problems of a configuration, each of them once, and formats them. Decides nothing.
 */
import { showText } from '../core/shown-text.ts';
import type { Problem, SourceLocation } from './model.ts';
import { foldTemplate, type TemplateLines } from './template.ts';

/** Beginning of the reason of a note. */
export const NOTE = 'note: ';

/** True for a warning, formatted or not, that is a note: about something that the user may have meant. */
export function isNote(warning: string): boolean {
  return warning.startsWith(NOTE) || warning.includes(`: ${NOTE}`);
}

/** Returns the reason of a note without the word that marks it. */
export function withoutNote(reason: string): string {
  return reason.startsWith(NOTE) ? reason.slice(NOTE.length) : reason;
}

/** Sorts lists in place: files in the order of their first entry in any list, entries of one file by line. */
export function sortByPlace(...lists: ReadonlyArray<SourceLocation[]>): void {
  const files = new Map<string, number>();
  for (const { file } of lists.flat()) if (!files.has(file)) files.set(file, files.size);
  const rank = ({ file }: SourceLocation): number => files.get(file) ?? 0;
  for (const list of lists) list.sort((a, b) => rank(a) - rank(b) || a.line - b.line);
}

/** The problems of one reading. */
export class Problems {
  errors: Problem[] = [];
  warnings: Problem[] = [];
  readonly #templates = new Map<string, () => TemplateLines>();
  readonly #seen = new Set<string>();

  error({ file, line }: SourceLocation, section: string, option: string | null, reason: string): void {
    this.#add(this.errors, { file, line, section, option, reason });
  }

  warn({ file, line }: SourceLocation, section: string, option: string | null, reason: string): void {
    this.#add(this.warnings, { file, line, section, option, reason });
  }

  note(place: SourceLocation, section: string, option: string | null, reason: string): void {
    this.warn(place, section, option, NOTE + reason);
  }

  /** Reports an error that belongs to no line and section: `origin` is a file, an environment variable or a flag. */
  errorFrom(origin: string, reason: string): void {
    this.error({ file: origin, line: 0 }, '', null, reason);
  }

  /** Reports a warning in the same way. */
  warnFrom(origin: string, reason: string): void {
    this.warn({ file: origin, line: 0 }, '', null, reason);
  }

  /** Remembers how to find the lines of a file that look like a template, for {@link tidy}. */
  markTemplate(file: string, findLines: () => TemplateLines): void {
    this.#templates.set(file, findLines);
  }

  /**
   * Removes problems that follow from another problem: warnings about an option whose wrong value was replaced by its
   * default, and the single lines of a template that was not rendered.
   */
  tidy(): void {
    const wrong = new Set(
      this.errors.flatMap(({ section, option }) => (option === null ? [] : [`${section}\n${option}`])),
    );
    this.warnings = this.warnings.filter(({ section, option }) => !wrong.has(`${section}\n${option ?? ''}`));
    for (const [file, findLines] of this.#templates) {
      if (this.errors.length === 0) return;
      const folded = foldTemplate(this.errors, file, findLines());
      if (folded === null) continue;
      this.errors = folded.errors;
      this.warnings = this.warnings.filter((warning) => warning.file !== file || !folded.lines.has(warning.line));
    }
  }

  /** Sorts the problems: files in the order in which they were read, problems of one file by line. */
  sort(): void {
    sortByPlace(this.errors, this.warnings);
  }

  #add(list: Problem[], problem: Problem): void {
    // With numprocs, the same option is read many times.
    const key = formatProblem(problem);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    list.push(problem);
  }
}

/** Longest shown reason. A reason may repeat a value, which may be of any length and have several lines. */
const MAX_REASON = 2000;

/** Formats a problem as `FILE:LINE: [section] option: reason`, without the parts that it does not have. */
export function formatProblem({ file, line, section, option, reason }: Problem): string {
  const place = line > 0 ? `${file}:${line}` : file;
  const subject = [section === '' ? '' : `[${section}]`, option ?? ''].filter((part) => part !== '').join(' ');
  return `${place}: ${subject === '' ? '' : `${subject}: `}${showText(reason, MAX_REASON)}`;
}
