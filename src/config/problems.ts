/**
 * Collects what is wrong with a configuration, each thing once, and prints it. Decides nothing.
 */
import type { Place, Problem } from './model.ts';

/** The problems of one reading. */
export class Problems {
  readonly errors: Problem[] = [];
  readonly warnings: Problem[] = [];
  readonly #seen = new Set<string>();

  error(place: Place, section: string, option: string | null, reason: string): void {
    this.#add(this.errors, place, section, option, reason);
  }

  warn(place: Place, section: string, option: string | null, reason: string): void {
    this.#add(this.warnings, place, section, option, reason);
  }

  /** Puts them in the order in which they are met in the files, those of one file by line. */
  sort(): void {
    const files = [...new Set([...this.errors, ...this.warnings].map(({ file }) => file))];
    for (const list of [this.errors, this.warnings]) list.sort((a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line);
  }

  #add(list: Problem[], { file, line }: Place, section: string, option: string | null, reason: string): void {
    const problem = { file, line, section, option, reason };
    // With numprocs the same option is read many times.
    const key = formatProblem(problem);
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    list.push(problem);
  }
}

/** `FILE:LINE: [section] option: reason`, without the parts that there are not. */
export function formatProblem({ file, line, section, option, reason }: Problem): string {
  const place = line > 0 ? `${file}:${line}` : file;
  const subject = [section === '' ? '' : `[${section}]`, option ?? ''].filter((part) => part !== '').join(' ');
  return `${place}: ${subject === '' ? '' : `${subject}: `}${reason}`;
}
