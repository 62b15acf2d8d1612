/**
 * A small XML parser for elements and their text, which is all that XML-RPC needs. The time is linear in the length of
 * any text: `indexOf` finds the next markup, and regular expressions see names only. Attributes are checked and
 * dropped. A document type declaration is refused, so only the five predefined entities and character references exist.
 */
import { showText } from '../core/shown-text.ts';

/** A text that this parser does not accept. The message has parts of the text as {@link showText} shows them. */
export class XmlSyntaxError extends Error {
  override readonly name = 'XmlSyntaxError';
}

/** An element. */
export interface XmlElement {
  readonly name: string;
  readonly elements: readonly XmlElement[];
  /** The text of the element, without the text of inner elements. */
  readonly text: string;
}

/** Limits of a document. */
export interface XmlLimits {
  /** Maximum nesting of elements. */
  readonly depth: number;
  readonly elements: number;
}

/** Maximum length of a name. */
const MAX_NAME_LENGTH = 64;

/** The longest reference, `&#x10FFFF;`, with a few zeros in front. */
const MAX_REFERENCE_LENGTH = 12;

const SEMICOLON = 0x3b;

const NAME = /^[A-Za-z_][\w.:-]*$/;

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** The shared list of elements without inner elements. */
const NONE: readonly XmlElement[] = [];

class OpenElement implements XmlElement {
  readonly name: string;
  elements: XmlElement[] | typeof NONE = NONE;
  text = '';

  constructor(name: string) {
    this.name = name;
  }

  add(inner: XmlElement): void {
    if (this.elements === NONE) this.elements = [inner];
    else (this.elements as XmlElement[]).push(inner);
  }
}

/** Parses a document and returns its root element. Throws {@link XmlSyntaxError} for every error. */
export function parseXml(text: string, limits: XmlLimits): XmlElement {
  return new Reader(text, limits).read();
}

class Reader {
  readonly #text: string;
  readonly #limits: XmlLimits;
  #at = 0;
  #count = 0;
  readonly #open: OpenElement[] = [];
  /** Names that were checked already: a document repeats a few names many times. */
  readonly #names = new Set<string>();
  #root: OpenElement | null = null;

  constructor(text: string, limits: XmlLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  read(): XmlElement {
    if (this.#text.startsWith('\ufeff')) this.#at = 1;
    while (this.#at < this.#text.length) {
      const mark = this.#text.indexOf('<', this.#at);
      const end = mark === -1 ? this.#text.length : mark;
      if (end > this.#at) this.#takeText(this.#text.slice(this.#at, end));
      this.#at = end;
      if (mark !== -1) this.#takeMarkup();
    }
    const unclosed = this.#open.at(-1);
    if (unclosed !== undefined) throw new XmlSyntaxError(`<${unclosed.name}> is not closed`);
    if (this.#root === null) throw new XmlSyntaxError('there is no element');
    return this.#root;
  }

  /** Adds text to the open element, with its references decoded and its line ends normalized. */
  #takeText(raw: string): void {
    const element = this.#open.at(-1);
    if (element !== undefined) element.text += raw.includes('&') || raw.includes('\r') ? decodeText(raw) : raw;
    else if (raw.trim() !== '') throw new XmlSyntaxError('there is text outside of the root element');
  }

  /** Parses a construct that begins with `<`. */
  #takeMarkup(): void {
    switch (this.#text.charAt(this.#at + 1)) {
      case '/':
        return this.#takeEnd();
      case '?':
        this.#skipTo('?>', 2);
        return;
      case '!':
        return this.#takeDeclaration();
      default:
        return this.#takeStart();
    }
  }

  #takeDeclaration(): void {
    if (this.#text.startsWith('<!--', this.#at)) {
      this.#skipTo('-->', 4);
    } else if (this.#text.startsWith('<![CDATA[', this.#at)) {
      const content = this.#skipTo(']]>', 9);
      const element = this.#open.at(-1);
      if (element === undefined) throw new XmlSyntaxError('there is text outside of the root element');
      element.text += normalizeLineEnds(content);
    } else {
      throw new XmlSyntaxError('a declaration as <!DOCTYPE is not accepted');
    }
  }

  /** Moves behind `mark`. Returns the text before it, without the first `length` characters. */
  #skipTo(mark: string, length: number): string {
    const from = this.#at + length;
    const end = this.#text.indexOf(mark, from);
    if (end === -1) throw new XmlSyntaxError(`"${mark}" is missing`);
    this.#at = end + mark.length;
    return this.#text.slice(from, end);
  }

  #takeEnd(): void {
    const name = this.#skipTo('>', 2).trimEnd();
    const element = this.#open.pop();
    if (element === undefined || element.name !== name)
      throw new XmlSyntaxError(`</${showText(name)}> closes no element`);
  }

  #takeStart(): void {
    const name = this.#takeName();
    const isEmpty = this.#skipAttributes(name);
    const parent = this.#open.at(-1);
    if (parent === undefined && this.#root !== null) throw new XmlSyntaxError('there is more than one root element');
    this.#count += 1;
    if (this.#count > this.#limits.elements)
      throw new XmlSyntaxError(`there are more than ${this.#limits.elements} elements`);
    const element = new OpenElement(name);
    if (parent === undefined) this.#root = element;
    else parent.add(element);
    if (isEmpty) return;
    this.#open.push(element);
    if (this.#open.length > this.#limits.depth)
      throw new XmlSyntaxError(`more than ${this.#limits.depth} elements are within each other`);
  }

  #takeName(): string {
    const from = this.#at + 1;
    const latest = Math.min(this.#text.length, from + MAX_NAME_LENGTH + 1);
    let end = from;
    while (end < latest && !isNameEnd(this.#text.charCodeAt(end))) end += 1;
    const name = this.#text.slice(from, end);
    if (!this.#names.has(name)) {
      if (name.length > MAX_NAME_LENGTH || !NAME.test(name))
        throw new XmlSyntaxError(`"<${showText(name)}" begins no element`);
      this.#names.add(name);
    }
    this.#at = end;
    return name;
  }

  /** Moves behind the `>` of a start tag. Returns true for an empty element (`/>`). */
  #skipAttributes(element: string): boolean {
    for (;;) {
      this.#skipBlanks();
      const character = this.#text.charAt(this.#at);
      this.#at += 1;
      if (character === '>') return false;
      if (character === '/' && this.#text.charAt(this.#at) === '>') {
        this.#at += 1;
        return true;
      }
      this.#skipAttribute(element);
    }
  }

  /** Moves behind one `name="value"`. */
  #skipAttribute(element: string): void {
    while (this.#at < this.#text.length && !isAttributeNameEnd(this.#text.charCodeAt(this.#at))) this.#at += 1;
    this.#skipBlanks();
    const isAssigned = this.#text.charAt(this.#at) === '=';
    this.#at += 1;
    this.#skipBlanks();
    const quote = this.#text.charAt(this.#at);
    const end = isAssigned && (quote === '"' || quote === "'") ? this.#text.indexOf(quote, this.#at + 1) : -1;
    if (end === -1) throw new XmlSyntaxError(`the tag <${element} is not complete`);
    this.#at = end + 1;
  }

  #skipBlanks(): void {
    while (isBlank(this.#text.charCodeAt(this.#at))) this.#at += 1;
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x09 || code === 0x0d;
}

function isNameEnd(code: number): boolean {
  return isBlank(code) || code === 0x2f /* / */ || code === 0x3e /* > */ || code === 0x3c; /* < */
}

function isAttributeNameEnd(code: number): boolean {
  return isNameEnd(code) || code === 0x3d /* = */ || code === 0x22 /* " */ || code === 0x27; /* ' */
}

function decodeText(raw: string): string {
  return decodeReferences(normalizeLineEnds(raw));
}

function normalizeLineEnds(text: string): string {
  return text.includes('\r') ? text.replace(/\r\n/g, '\n').replace(/\r/g, '\n') : text;
}

function decodeReferences(text: string): string {
  const parts: string[] = [];
  let at = 0;
  for (let mark = text.indexOf('&'); mark !== -1; mark = text.indexOf('&', at)) {
    // Search a few characters only: otherwise a text full of ampersands would take quadratic time.
    let end = mark + 1;
    while (end <= mark + MAX_REFERENCE_LENGTH && text.charCodeAt(end) !== SEMICOLON) end += 1;
    const character = decodeReference(text.slice(mark + 1, end));
    if (character === undefined || text.charCodeAt(end) !== SEMICOLON)
      throw new XmlSyntaxError(
        `"${showText(text.slice(mark, end))}" is not a character reference; an ampersand is written &amp;`,
      );
    if (mark > at) parts.push(text.slice(at, mark));
    parts.push(character);
    at = end + 1;
  }
  if (at === 0) return text;
  parts.push(text.slice(at));
  return parts.join('');
}

/**
 * Decodes `amp`, `#13` or `#x1F600`. Returns undefined for any other text, and for a character that XML 1.0 does not
 * allow.
 */
function decodeReference(reference: string): string | undefined {
  const predefined = PREDEFINED.get(reference);
  if (predefined !== undefined) return predefined;
  const [, decimal, hexadecimal] = /^#(?:(\d{1,7})|x([0-9a-fA-F]{1,6}))$/.exec(reference) ?? [];
  if (decimal !== undefined) return characterOf(Number.parseInt(decimal, 10));
  return hexadecimal === undefined ? undefined : characterOf(Number.parseInt(hexadecimal, 16));
}

function characterOf(code: number): string | undefined {
  const isCarried =
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 0x20 && code < 0xd800) ||
    (code > 0xdfff && code < 0xfffe) ||
    (code > 0xffff && code <= 0x10ffff);
  return isCarried ? String.fromCodePoint(code) : undefined;
}
