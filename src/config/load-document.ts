/**
 * Loads the texts of a configuration into one document: the main file, its includes, ONEVISOR_CONF_TEXT. Knows
 * `[include]` and no other option. All access to files goes through the Source.
 */
import { posix } from 'node:path';
import { escapeWildcards } from '../core/path-pattern.ts';
import { addDocument, addText, type Document, emptyDocument, type TextProblems } from './dialect.ts';
import { ExpansionError, expand } from './expand.ts';
import { findMatches } from './glob.ts';
import type { SourceLocation } from './model.ts';
import { NameSpace } from './names.ts';
import { includeOptions } from './options.ts';
import type { Problems } from './problems.ts';
import { splitWords } from './python-text.ts';
import { isForbidden, type Source } from './source.ts';
import { findTemplateLines } from './template.ts';

/** Loads texts into one document. */
export class DocumentLoader {
  readonly document: Document;
  /** Files read by `[include]`, in order. */
  readonly included: string[] = [];
  /** Paths and patterns of the files that were read or searched. */
  readonly sources: string[] = [];
  readonly #source: Source;
  readonly #problems: Problems;

  /** `takes`: true for the sections of the files that are needed; missing for all. */
  constructor(source: Source, problems: Problems, takes?: Document['takes']) {
    this.document = emptyDocument(takes);
    this.#source = source;
    this.#problems = problems;
  }

  /** Adds the main file without its includes; false, with an error, if it cannot be read. */
  addMainFile(file: string): boolean {
    this.sources.push(escapeWildcards(file));
    return this.#addFile(this.document, file, null);
  }

  /** Adds the main file and its includes. `isStatic`: no include is read. */
  addFile(file: string, isStatic: boolean): void {
    if (!this.addMainFile(file)) return;
    this.#addIncludes(this.document, posix.dirname(file), isStatic);
    // compat: the section may be in an included file.
    if (!this.document.sections.has('supervisord'))
      this.#problems.error({ file, line: 0 }, 'supervisord', null, 'the section is missing; add a line [supervisord]');
  }

  /** Adds the text of ONEVISOR_CONF_TEXT and its own includes. `here`: directory for `%(here)s`. */
  addInlineText(here: string, isStatic: boolean): void {
    const { ONEVISOR_CONF_TEXT: text } = this.#source.env;
    if (text === undefined) return;
    if (!text.isWellFormed()) this.#problems.errorFrom('ONEVISOR_CONF_TEXT', 'it is not UTF-8; save it as UTF-8');
    const own = emptyDocument(this.document.takes);
    this.#report(addText(own, text, 'ONEVISOR_CONF_TEXT', here));
    this.#addIncludes(own, here, isStatic);
    addDocument(this.document, own);
  }

  /** Adds one file. `from`: the option that names it; null for the main file. */
  #addFile(document: Document, path: string, from: SourceLocation | null): boolean {
    const read = this.#source.read(path);
    if (read.ok) {
      this.#problems.markTemplate(path, () => findTemplateLines(read.text));
      this.#report(addText(document, read.text, path, posix.dirname(path)));
      return true;
    }
    const reason = `cannot read ${path}: ${read.reason}`;
    // compat: an included file that cannot be opened is left out; a file that is not UTF-8 is an error.
    if (from === null) this.#problems.errorFrom(path, reason);
    else if (isForbidden(read.code)) this.#problems.error(from, 'include', 'files', reason);
    else this.#problems.warn(from, 'include', 'files', reason);
    return false;
  }

  /** Adds the files of `[include]`, relative to the including file. Included files cannot include others. */
  #addIncludes(document: Document, here: string, isStatic: boolean): void {
    const section = document.sections.get('include');
    if (section === undefined) return;
    const raw = section.options.get('files') ?? document.defaults.get('files');
    if (raw === undefined) {
      const sample = String(includeOptions.files.sample);
      this.#problems.error(section.place, section.name, 'files', `is missing; add it, for example files=${sample}`);
      return;
    }
    const patterns = this.#expandPatterns(raw.value, here, raw.place);
    if (isStatic) return;
    this.sources.push(...patterns);
    for (const pattern of patterns) {
      const found = findMatches(pattern, this.#source);
      if (found.length === 0) this.#problems.warn(raw.place, section.name, 'files', `no file matches ${pattern}`);
      this.included.push(...found.filter((path) => this.#addFile(document, path, raw.place)));
    }
  }

  /** Returns the absolute patterns in a value of `files`; none, with an error, if the value cannot be expanded. */
  #expandPatterns(value: string, here: string, place: SourceLocation): string[] {
    const names = new NameSpace(this.#source.env, this.#source.hostname, true).forInclude(here);
    try {
      return splitWords(expand(value, names)).map((pattern) => posix.resolve(here, pattern));
    } catch (error) {
      if (!(error instanceof ExpansionError)) throw error;
      this.#problems.error(place, 'include', 'files', `cannot expand the value: ${error.message}`);
      return [];
    }
  }

  #report({ errors, warnings }: TextProblems): void {
    for (const problem of errors) this.#problems.error(problem, problem.section, problem.option, problem.reason);
    for (const problem of warnings) this.#problems.warn(problem, problem.section, problem.option, problem.reason);
  }
}
