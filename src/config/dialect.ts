/**
 * Python's ConfigParser dialect, as Supervisor sets it up (inline comments with `;` and `#`, strict=False), on top of
 * the `ini` package. Owns comments, continuation lines, delimiters, letter case and line numbers; `ini` does the
 * splitting into sections and keys. Knows no option and touches no file.
 */
import { parse as parseIni } from 'ini';
import type { SourceLocation, Problem } from './model.ts';
import { indentation, isSpace, splitLines, strip, stripEnd } from './python-text.ts';

/** An option as it was written, with continuation lines joined by newlines. */
export interface RawOption {
  readonly value: string;
  readonly place: SourceLocation;
  /** Directory of the file, the value of `%(here)s`. */
  readonly here: string;
  /** True for a value that is not expanded (command line flags). */
  readonly literal: boolean;
  /** The first comment that was cut from the end of a line of the value, with its mark; missing if none was cut. */
  readonly comment?: string;
}

/** A section with all its occurrences together; option names are in lower case. */
export interface RawSection {
  readonly name: string;
  /** First occurrence. */
  readonly place: SourceLocation;
  readonly options: Map<string, RawOption>;
}

/** The sections of one or several files; `[DEFAULT]` is separate, as in Python. */
export interface Document {
  readonly sections: Map<string, RawSection>;
  readonly defaults: Map<string, RawOption>;
  /** True for the sections of files that the document takes. */
  readonly takes: (section: string) => boolean;
}

interface Entry {
  readonly section: string;
  readonly key: string;
  readonly line: number;
  readonly parts: string[];
  comment: string | undefined;
}

interface Scan {
  readonly headers: Map<string, number>;
  readonly entries: Entry[];
  readonly wrong: Array<{ line: number; section: string; reason: string }>;
}

/** Characters that begin a comment. */
const PREFIXES = [';', '#'] as const;

/**
 * Returns where the comment of a line begins, or the length of the line. compat: Python looks at the n-th `;` and the
 * n-th `#` together, round by round. The first round that finds a comment ends the search. So ` ;` after a `;` without
 * a space is no comment if the first round finds a ` #`.
 */
function findComment(line: string): number {
  if (!line.includes(';') && !line.includes('#')) return line.length;
  const first = strip(line).charAt(0);
  if (first === ';' || first === '#') return 0;
  const last = new Map<string, number>(PREFIXES.map((prefix) => [prefix, -1]));
  let start = line.length;
  while (start === line.length && last.size > 0) {
    for (const prefix of PREFIXES) {
      const previous = last.get(prefix);
      if (previous === undefined) continue;
      const at = line.indexOf(prefix, previous + 1);
      if (at === -1) {
        last.delete(prefix);
        continue;
      }
      last.set(prefix, at);
      if (at === 0 || isSpace(line.charAt(at - 1))) start = Math.min(start, at);
    }
  }
  return start;
}

/** Reads `[header]`. As in Python, the header ends at the last bracket, and text after it is ignored. */
function parseHeader(text: string): string | null {
  const end = text.lastIndexOf(']');
  return text.startsWith('[') && end > 1 ? text.slice(1, end) : null;
}

/** An option on a line without a comment and without white space before it, as most lines are. */
const SIMPLE_OPTION = /^[A-Za-z_]+[=:][^;#]*$/;

/** Divides the lines of a file into sections and options, by the rules of configparser.RawConfigParser. */
class LineScanner {
  readonly found: Scan = { headers: new Map(), entries: [], wrong: [] };
  readonly #takes: Document['takes'];
  #section: string | null = null;
  #isTaken = false;
  /** Option that continuation lines belong to. */
  #entry: Entry | null = null;
  #indent = 0;
  #hasOrphan = false;

  constructor(takes: Document['takes']) {
    this.#takes = takes;
  }

  /** Adds a line with its number; the first line is 1. */
  add(line: string, number: number): void {
    if (this.#section !== null && !this.#isTaken && SIMPLE_OPTION.test(line)) {
      this.#indent = 0;
      this.#entry = { section: this.#section, key: '', line: number, parts: [], comment: undefined };
      return;
    }
    const comment = findComment(line);
    const content = strip(line.slice(0, comment));
    if (content === '') {
      // compat: an empty line is part of a value, a comment is not.
      if (comment === line.length) this.#entry?.parts.push('');
      return;
    }
    const cut = comment === line.length ? undefined : line.slice(comment);
    const depth = indentation(line);
    if (this.#entry !== null && depth > this.#indent) {
      this.#entry.parts.push(content);
      this.#entry.comment ??= cut;
      return;
    }
    this.#indent = depth;
    const header = parseHeader(content);
    if (header === null) return this.#addOption(content, number, cut);
    this.#section = header;
    this.#entry = null;
    this.#isTaken = this.#takes(header);
    if (this.#isTaken && !this.found.headers.has(header)) this.found.headers.set(header, number);
  }

  #addOption(content: string, line: number, comment: string | undefined): void {
    const section = this.#section;
    if (section === null) {
      if (!this.#hasOrphan) this.found.wrong.push({ line, section: '', reason: explainOrphan(content) });
      this.#hasOrphan = true;
      return;
    }
    const delimiter = content.search(/[=:]/);
    if (delimiter < 1) {
      const reason = 'cannot understand this line: it is neither "option=value" nor a [section]';
      this.found.wrong.push({ line, section, reason: `${reason}: ${shorten(content)}` });
      return;
    }
    if (!this.#isTaken) {
      this.#entry = { section, key: '', line, parts: [], comment };
      return;
    }
    const key = stripEnd(content.slice(0, delimiter)).toLowerCase();
    this.#entry = { section, key, line, parts: [strip(content.slice(delimiter + 1))], comment };
    this.found.entries.push(this.#entry);
  }
}

function scan(text: string, { takes }: Document): Scan {
  const scanner = new LineScanner((section) => section === 'DEFAULT' || takes(section));
  splitLines(text).forEach((line, index) => scanner.add(line, index + 1));
  return scanner.found;
}

function explainOrphan(content: string): string {
  if (content.startsWith('\uFEFF'))
    return 'the file begins with a byte order mark, so its first section is not found; save it without that mark';
  return `the first option stands before any [section]: ${shorten(content)}`;
}

function shorten(line: string): string {
  // oxlint-disable-next-line no-control-regex
  const text = line.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** Encodes a name so that `ini` does not change it: no dots, `[]`, quotes, escapes or `__proto__`. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/[.!~*'()_]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Encodes a value so that `ini` does not change it: as a JSON string, which `ini` decodes. */
function encodeValue(value: string): string {
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

/** Formats a scan in the dialect of `ini`: one line for each option, in the order of the file. */
function formatIni({ headers, entries }: Scan): string {
  const lines = [...headers.keys()].map((header) => `[${encodeName(header)}]`);
  let current: string | null = null;
  for (const { section, key, parts } of entries) {
    if (section !== current) lines.push(`[${encodeName(section)}]`);
    current = section;
    lines.push(`${encodeName(key)}=${encodeValue(stripEnd(parts.join('\n')))}`);
  }
  return lines.join('\n');
}

/** Kinds of sections that normally are in one file only. */
const OF_ONE_FILE = /^(?:program|eventlistener|fcgi-program|group):/;

/** Errors of a text, and warnings about likely mistakes. */
export interface TextProblems {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Adds the sections of one file to a document; options that are there already are replaced, as by a second
 * ConfigParser.read().
 *
 * @param file - name of the file in messages
 * @param here - directory for `%(here)s`
 * @returns lines that cannot be understood, and options that the same file has twice
 */
export function addText(document: Document, text: string, file: string, here: string): TextProblems {
  // Text from a file has no lone surrogates. An environment variable may have some.
  const found = scan(text.toWellFormed(), document);
  const parsed = parseIni(formatIni(found)) as Record<string, Record<string, unknown>>;
  const entries = new Map(found.entries.map((entry) => [`${entry.section}\n${entry.key}`, entry]));
  const twice: Problem[] = [];
  for (const [encoded, options] of Object.entries(parsed)) {
    const name = decodeURIComponent(encoded);
    const place = { file, line: found.headers.get(name) ?? 0 };
    const before = document.sections.get(name)?.place;
    if (before !== undefined && before.file !== file && OF_ONE_FILE.test(name)) {
      twice.push({
        ...place,
        section: name,
        option: null,
        reason:
          `this section is also in ${before.file}:${before.line}; both are merged, and an option that both set ` +
          'has the value from this file',
      });
    }
    const target = name === 'DEFAULT' ? document.defaults : ensureSection(document, name, place).options;
    for (const [encodedKey, value] of Object.entries(options)) {
      const key = decodeURIComponent(encodedKey);
      const { line = place.line, comment } = entries.get(`${name}\n${key}`) ?? {};
      // `ini` turns the words true, false and null into values; they are text here.
      target.set(key, {
        value: String(value),
        place: { file, line },
        here,
        literal: false,
        ...(comment === undefined ? {} : { comment }),
      });
    }
  }
  return {
    errors: found.wrong.map(({ line, section, reason }) => ({ file, line, section, option: null, reason })),
    warnings: [...twice, ...findDoubles(found.entries, file)],
  };
}

/** Finds options that are in one file twice. The last one is used, and the first one is probably a mistake. */
function findDoubles(entries: readonly Entry[], file: string): Problem[] {
  const lines = new Map<string, number>();
  return entries.flatMap(({ section, key, line }) => {
    const name = `${section}\n${key}`;
    const before = lines.get(name);
    lines.set(name, line);
    return before === undefined
      ? []
      : [{ file, line, section, option: key, reason: `is set in line ${before} already; this value is used` }];
  });
}

/** Adds the sections of another document. Its options replace existing options. */
export function addDocument(document: Document, other: Document): void {
  for (const [name, option] of other.defaults) document.defaults.set(name, option);
  for (const { name, place, options } of other.sections.values()) {
    const target = ensureSection(document, name, place).options;
    for (const [key, option] of options) target.set(key, option);
  }
}

/** Returns the section of that name; a new one at the end of the document if there is none. */
export function ensureSection(document: Document, name: string, place: SourceLocation): RawSection {
  const known = document.sections.get(name);
  if (known !== undefined) return known;
  const made: RawSection = { name, place, options: new Map() };
  document.sections.set(name, made);
  return made;
}

/**
 * Makes a document without any section. A client needs few sections, and converting those of 500 programs takes longer
 * than its request. All lines are checked, also those of other sections.
 *
 * @param takes - true for the sections of files that the document takes; missing for all
 */
export function emptyDocument(takes: Document['takes'] = () => true): Document {
  return { sections: new Map(), defaults: new Map(), takes };
}
