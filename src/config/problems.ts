/**
 * Collects what is wrong with a configuration, each thing once, and prints it. Decides nothing.
 */
import { showText } from '../core/shown-text.ts';
import type { SourceLocation, Problem } from './model.ts';
import { foldTemplate, type TemplateLines } from './template.ts';

/** Beginning of the reason of a warning that may be all right. */
const NOTE = 'note: ';

/** True for a warning, formatted or not, that is only a note. */
export function isNote(warning: string): boolean {
  return warning.startsWith(NOTE) || warning.includes(`: ${NOTE}`);
}

/** The problems of one reading. */
export class Problems {
  errors: Problem[] = [];
  warnings: Problem[] = [];
  readonly #templates = new Map<string, TemplateLines>();
  readonly #seen = new Set<string>();

  error(place: SourceLocation, section: string, option: string | null, reason: string): void {
    this.#add(this.errors, place, section, option, reason);
  }

  warn(place: SourceLocation, section: string, option: string | null, reason: string): void {
    this.#add(this.warnings, place, section, option, reason);
  }

  /** Adds a warning about what may be all right. */
  note(place: SourceLocation, section: string, option: string | null, reason: string): void {
    this.warn(place, section, option, NOTE + reason);
  }

  /** The lines of a file that look like a template; see {@link tidy}. */
  markTemplate(file: string, lines: TemplateLines): void {
    this.#templates.set(file, lines);
  }

  /**
   * Leaves out what follows from another problem: warnings about an option that is wrong, whose default stands in for
   * it, and what a template that was not rendered has on each of its lines.
   */
  tidy(): void {
    const wrong = new Set(
      this.errors.flatMap(({ section, option }) => (option === null ? [] : [`${section}\n${option}`])),
    );
    this.warnings = this.warnings.filter(({ section, option }) => !wrong.has(`${section}\n${option ?? ''}`));
    for (const [file, lines] of this.#templates) {
      const folded = foldTemplate(this.errors, file, lines);
      if (folded === null) continue;
      this.errors = folded.errors;
      this.warnings = this.warnings.filter((warning) => warning.file !== file || !folded.lines.has(warning.line));
    }
  }

  /** Puts them in the order in which they are met in the files, those of one file by line. */
  sort(): void {
    const files = [...new Set([...this.errors, ...this.warnings].map(({ file }) => file))];
    for (const list of [this.errors, this.warnings])
      list.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
  }

  #add(list: Problem[], { file, line }: SourceLocation, section: string, option: string | null, reason: string): void {
    const problem = { file, line, section, option, reason };
    // With numprocs the same option is read many times.
    const key = formatProblem(problem);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    list.push(problem);
  }
}

/** A reason may repeat a value, which may be of any length and have several lines. */
const MOST_CHARACTERS = 2000;

/** `FILE:LINE: [section] option: reason`, without the parts that there are not. */
export function formatProblem({ file, line, section, option, reason }: Problem): string {
  const place = line > 0 ? `${file}:${line}` : file;
  const subject = [section === '' ? '' : `[${section}]`, option ?? ''].filter((part) => part !== '').join(' ');
  return `${place}: ${subject === '' ? '' : `${subject}: `}${showText(reason, MOST_CHARACTERS)}`;
}
