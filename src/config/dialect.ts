/**
 * Python's ConfigParser dialect, as Supervisor sets it up (inline comments with `;` and `#`, strict=False), on top of
 * the `ini` package. Owns comments, continuation lines, delimiters, letter case and line numbers; `ini` does the
 * splitting into sections and keys. Never looks at what an option means, never touches a file.
 */
import { parse as parseIni } from 'ini';
import type { SourceLocation, Problem } from './model.ts';
import { indentation, isSpace, splitLines, strip, stripEnd } from './python-text.ts';

/** One option as it was written, its continuation lines joined by newlines. */
export interface RawOption {
  readonly value: string;
  readonly place: SourceLocation;
  /** Directory that `%(here)s` stands for: that of the file in which the option is. */
  readonly here: string;
  /** True: taken as it is, without expansion (command line flags). */
  readonly literal: boolean;
  /**
   * What the first comment begins with that was cut from the end of a line of the value; there is none where it is
   * missing.
   */
  readonly cutAt?: CommentMark;
}

/** What begins a comment. */
export type CommentMark = ';' | '#';

/** One section, all its occurrences together; option names are in lower case. */
export interface RawSection {
  readonly name: string;
  /** Where it occurs first. */
  readonly place: SourceLocation;
  readonly options: Map<string, RawOption>;
}

/** The sections of one or several files; `[DEFAULT]` stands apart, as in Python. */
export interface Document {
  readonly sections: Map<string, RawSection>;
  readonly defaults: Map<string, RawOption>;
}

interface Entry {
  readonly section: string;
  readonly key: string;
  readonly line: number;
  readonly parts: string[];
  cutAt: CommentMark | undefined;
}

interface Scan {
  readonly headers: Map<string, number>;
  readonly entries: Entry[];
  readonly wrong: Array<{ line: number; section: string; reason: string }>;
}

const PREFIXES: readonly CommentMark[] = [';', '#'];

/**
 * Where the comment of a line begins, or its length. compat: Python looks at the n-th `;` and the n-th `#` together,
 * round by round, and the first round that finds a comment ends the search. So ` ;` after a glued `;` is not a comment
 * where a ` #` comment is found in the first round.
 */
function findComment(line: string): number {
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

/** `[header]`: very permissive in Python, up to the last bracket; what follows it is ignored. */
function parseHeader(text: string): string | null {
  const end = text.lastIndexOf(']');
  return text.startsWith('[') && end > 1 ? text.slice(1, end) : null;
}

/** The lines of a file as sections and options; the rules are those of configparser.RawConfigParser. */
function scan(text: string): Scan {
  const found: Scan = { headers: new Map(), entries: [], wrong: [] };
  let section: string | null = null;
  let entry: Entry | null = null;
  let indent = 0;
  let orphaned = false;
  splitLines(text).forEach((line, index) => {
    const number = index + 1;
    const comment = findComment(line);
    const content = strip(line.slice(0, comment));
    const cutAt = PREFIXES.find((prefix) => prefix === line.charAt(comment));
    if (content === '') {
      if (comment === line.length) entry?.parts.push('');
      return;
    }
    const depth = indentation(line);
    if (entry !== null && depth > indent) {
      entry.parts.push(content);
      entry.cutAt ??= cutAt;
      return;
    }
    indent = depth;
    const header = parseHeader(content);
    if (header !== null) {
      section = header;
      entry = null;
      if (!found.headers.has(header)) found.headers.set(header, number);
      return;
    }
    if (section === null) {
      if (!orphaned) found.wrong.push({ line: number, section: '', reason: explainOrphan(content) });
      orphaned = true;
      return;
    }
    const delimiter = content.search(/[=:]/);
    if (delimiter < 1) {
      found.wrong.push({
        line: number,
        section,
        reason: `cannot understand this line: it is neither "option=value" nor a [section]: ${shorten(content)}`,
      });
      return;
    }
    entry = {
      section,
      key: stripEnd(content.slice(0, delimiter)).toLowerCase(),
      line: number,
      parts: [strip(content.slice(delimiter + 1))],
      cutAt,
    };
    found.entries.push(entry);
  });
  return found;
}

function explainOrphan(content: string): string {
  if (content.startsWith('\uFEFF'))
    return 'the file begins with a byte order mark, so its first section is not found; save it as UTF-8 without one';
  return `the first option stands before any [section]: ${shorten(content)}`;
}

function shorten(line: string): string {
  // oxlint-disable-next-line no-control-regex
  const text = line.replace(/[\x00-\x1f\x7f-\x9f]/g, '?');
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** A name that `ini` passes through as it is: no dots to split, no `[]`, no quotes, no escapes, no `__proto__`. */
function encodeName(name: string): string {
  return encodeURIComponent(name).replace(/[.!~*'()_]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** A value that `ini` passes through as it is: a JSON string, which it decodes. */
function encodeValue(value: string): string {
  return JSON.stringify(value).replace(/[\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16)}`);
}

/** The scan in the dialect of `ini`, one line an option, in the order of the file. */
function formatIni(found: Scan): string {
  const lines = [...found.headers.keys()].map((header) => `[${encodeName(header)}]`);
  for (const { section, key, parts } of found.entries)
    lines.push(`[${encodeName(section)}]`, `${encodeName(key)}=${encodeValue(stripEnd(parts.join('\n')))}`);
  return lines.join('\n');
}

/** Sections that are seldom meant to be in two files. */
const OF_ONE_FILE = /^(?:program|eventlistener|fcgi-program|group):/;

/** What is wrong with a text, and what is likely to be a mistake. */
export interface TextProblems {
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

/**
 * Adds the sections of one file to a document; options that are there already are replaced, as by a second
 * ConfigParser.read().
 *
 * @param file - what is shown as the file's name
 * @param here - directory for `%(here)s`
 * @returns lines that cannot be understood, and options that the same file has twice
 */
export function addText(document: Document, text: string, file: string, here: string): TextProblems {
  // What is decoded from UTF-8 has no lone surrogates; an environment variable could.
  const found = scan(text.toWellFormed());
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
        reason: `this section is in ${before.file}:${before.line} too; the options of both are put together, and these come last`,
      });
    }
    const target = name === 'DEFAULT' ? document.defaults : ensureSection(document, name, place).options;
    for (const [encodedKey, value] of Object.entries(options)) {
      const key = decodeURIComponent(encodedKey);
      const { line = place.line, cutAt } = entries.get(`${name}\n${key}`) ?? {};
      // `ini` turns the words true, false and null into values; they are text here.
      target.set(key, {
        value: String(value),
        place: { file, line },
        here,
        literal: false,
        ...(cutAt === undefined ? {} : { cutAt }),
      });
    }
  }
  return {
    errors: found.wrong.map(({ line, section, reason }) => ({ file, line, section, option: null, reason })),
    warnings: [...twice, ...findDoubles(found.entries, file)],
  };
}

/** Options that stand in one file twice: the last one counts, which is seldom meant. */
function findDoubles(entries: readonly Entry[], file: string): Problem[] {
  const lines = new Map<string, number>();
  return entries.flatMap(({ section, key, line }) => {
    const name = `${section}\n${key}`;
    const before = lines.get(name);
    lines.set(name, line);
    return before === undefined
      ? []
      : [{ file, line, section, option: key, reason: `is set in line ${before} already; this one counts` }];
  });
}

/** Adds the sections of another document to one, over what is there. */
export function addDocument(document: Document, other: Document): void {
  for (const [name, option] of other.defaults) document.defaults.set(name, option);
  for (const { name, place, options } of other.sections.values()) {
    const target = ensureSection(document, name, place).options;
    for (const [key, option] of options) target.set(key, option);
  }
}

/** The section of that name, made at the end of the document where there is none yet. */
export function ensureSection(document: Document, name: string, place: SourceLocation): RawSection {
  const known = document.sections.get(name);
  if (known !== undefined) return known;
  const made: RawSection = { name, place, options: new Map() };
  document.sections.set(name, made);
  return made;
}

/** A document without any section. */
export function emptyDocument(): Document {
  return { sections: new Map(), defaults: new Map() };
}
