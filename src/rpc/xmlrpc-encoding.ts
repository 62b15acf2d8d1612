/**
 * Encoding of XML-RPC. The layout of the XML is that of Python's xmlrpc.client, because scripts grep it. Other files
 * import this through xmlrpc.ts.
 */
import type { XmlRpcStruct, XmlRpcValue } from './xmlrpc.ts';

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const BASE64_LINE = 76;

/** Characters that need escaping or replacement in the content of an element, including surrogates. */
const SPECIAL = /[\x00-\x08\x0b-\x1f&<>\ud800-\udfff\ufffe\uffff]/;

/** Number of bytes of a {@link Utf8Text} that are encoded at a time. */
const PIECE_BYTES = 64 * 1024;

/**
 * Text in UTF-8 that is decoded in pieces while it is sent: the end of a log, which may have megabytes. It is sent as a
 * string; decoding an answer never creates this type. Bytes that are not UTF-8 become U+FFFD. A byte order mark is
 * kept.
 */
export class Utf8Text {
  readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  toString(): string {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.bytes);
  }

  /** Encodes the text as the content of an element, in pieces. */
  *encode(): Generator<string> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    for (let at = 0; at < this.bytes.length; at += PIECE_BYTES)
      yield escapeText(decoder.decode(this.bytes.subarray(at, at + PIECE_BYTES), { stream: true }));
    yield escapeText(decoder.decode());
  }
}

/** XML text, or a text that is encoded while it is sent. */
export type XmlPart = string | Utf8Text;

/** A part of an answer that is made slice by slice. */
export type ResponsePart = XmlPart | Buffer;

/** True if a value is a struct. */
export function isStruct(value: XmlRpcValue): value is XmlRpcStruct {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Date) &&
    !(value instanceof Uint8Array) &&
    !(value instanceof Utf8Text)
  );
}

/** Collects XML text and texts that are encoded later. */
class Writer {
  readonly #parts: XmlPart[] = [];
  #text = '';

  /** Adds XML. */
  write(text: string): this {
    this.#text += text;
    return this;
  }

  /** Adds the content of an element. */
  writeLater(text: Utf8Text): void {
    this.#flush();
    this.#parts.push(text);
  }

  end(): readonly XmlPart[] {
    this.#flush();
    return this.#parts;
  }

  #flush(): void {
    this.#parts.push(this.#text);
    this.#text = '';
  }
}

/** Encodes a request. */
export function encodeCall(method: string, params: readonly XmlRpcValue[]): string {
  const writer = new Writer().write(
    `<?xml version='1.0'?>\n<methodCall>\n<methodName>${escapeText(method)}</methodName>\n`,
  );
  writeParams(writer, params);
  return joinParts(writer.write('</methodCall>\n').end());
}

/** Encodes an answer. */
export function encodeResponse(value: XmlRpcValue): string {
  return joinParts(encodeResponseParts(value));
}

/** Encodes an answer, except for each {@link Utf8Text} in it. */
export function encodeResponseParts(value: XmlRpcValue): readonly XmlPart[] {
  const writer = new Writer().write("<?xml version='1.0'?>\n<methodResponse>\n");
  writeParams(writer, [value]);
  return writer.write('</methodResponse>\n').end();
}

/** Number of elements of an array that are encoded at a time. */
export const SLICE_ELEMENTS = 250;

/** Divides a long array into slices; null for any other value. */
export function slicesOf(value: XmlRpcValue): ReadonlyArray<readonly XmlRpcValue[]> | null {
  if (!isArray(value) || value.length <= SLICE_ELEMENTS) return null;
  const count = Math.ceil(value.length / SLICE_ELEMENTS);
  return Array.from({ length: count }, (_, index) => value.slice(index * SLICE_ELEMENTS, (index + 1) * SLICE_ELEMENTS));
}

/**
 * Encodes an answer as {@link encodeResponseParts}, but an array slice by slice. The caller may let the loop turn
 * between them: the table of thousands of processes has megabytes. Each element becomes bytes before the next one is
 * looked at. A text of them all would keep so many short strings alive that V8 spends most of the time on collecting.
 */
export function* encodeResponseSlices(value: XmlRpcValue): Generator<readonly ResponsePart[]> {
  if (!isArray(value)) return yield encodeResponseParts(value);
  const bytes = new ByteCollector();
  bytes.add("<?xml version='1.0'?>\n<methodResponse>\n<params>\n<param>\n<value><array><data>\n");
  for (const [index, element] of value.entries()) {
    if (index > 0 && index % SLICE_ELEMENTS === 0) yield bytes.take();
    const writer = new Writer();
    writeValue(writer, element);
    for (const part of writer.end()) bytes.add(part);
  }
  bytes.add('</data></array></value>\n</param>\n</params>\n</methodResponse>\n');
  yield bytes.take();
}

/** Collects texts as bytes. */
class ByteCollector {
  readonly #parts: ResponsePart[] = [];
  #open: Buffer | null = null;
  #used = 0;

  add(part: XmlPart): void {
    if (typeof part !== 'string') {
      this.#close();
      this.#parts.push(part);
      return;
    }
    // A unit of UTF-16 has three bytes at most.
    const mostBytes = 3 * part.length;
    if (this.#open !== null && this.#used + mostBytes > this.#open.length) this.#close();
    this.#open ??= Buffer.allocUnsafeSlow(Math.max(PIECE_BYTES, mostBytes));
    this.#used += this.#open.write(part, this.#used);
  }

  /** Returns what was collected since the last call. */
  take(): readonly ResponsePart[] {
    this.#close();
    return this.#parts.splice(0);
  }

  #close(): void {
    if (this.#open !== null) this.#parts.push(this.#open.subarray(0, this.#used));
    this.#open = null;
    this.#used = 0;
  }
}

/** Encodes a fault. */
export function encodeFault(code: number, text: string): string {
  const writer = new Writer().write("<?xml version='1.0'?>\n<methodResponse>\n<fault>\n");
  writeValue(writer, { faultCode: code, faultString: text });
  return joinParts(writer.write('</fault>\n</methodResponse>\n').end());
}

function joinParts(parts: readonly XmlPart[]): string {
  return parts.map((part) => (typeof part === 'string' ? part : [...part.encode()].join(''))).join('');
}

/** Replaces each {@link Utf8Text} in a value by a string, for plug-ins. */
export function decodeTexts(value: XmlRpcValue): XmlRpcValue {
  if (value instanceof Utf8Text) return value.toString();
  if (isArray(value)) return value.map(decodeTexts);
  return isStruct(value)
    ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, decodeTexts(member)]))
    : value;
}

function writeParams(writer: Writer, params: readonly XmlRpcValue[]): void {
  writer.write('<params>\n');
  for (const value of params) {
    writer.write('<param>\n');
    writeValue(writer, value);
    writer.write('</param>\n');
  }
  writer.write('</params>\n');
}

function writeValue(writer: Writer, value: XmlRpcValue): void {
  writer.write('<value>');
  writeTyped(writer, value);
  writer.write('</value>\n');
}

function writeTyped(writer: Writer, value: XmlRpcValue): void {
  if (value instanceof Utf8Text) {
    writer.write('<string>').writeLater(value);
    writer.write('</string>');
  } else if (isArray(value)) {
    writer.write('<array><data>\n');
    for (const member of value) writeValue(writer, member);
    writer.write('</data></array>');
  } else if (isStruct(value)) {
    writer.write('<struct>\n');
    for (const [name, member] of Object.entries(value)) {
      writer.write(`<member>\n<name>${escapeText(name)}</name>\n`);
      writeValue(writer, member);
      writer.write('</member>\n');
    }
    writer.write('</struct>');
  } else {
    writer.write(encodeScalar(value));
  }
}

function encodeScalar(value: string | number | boolean | null | Date | Uint8Array): string {
  if (value === null) return '<nil/>';
  if (typeof value === 'string') return `<string>${escapeText(value)}</string>`;
  if (typeof value === 'boolean') return `<boolean>${value ? 1 : 0}</boolean>`;
  if (typeof value === 'number') return encodeNumber(value);
  if (value instanceof Date)
    return `<dateTime.iso8601>${value.toISOString().replace(/-|\.\d+Z$/g, '')}</dateTime.iso8601>`;
  return `<base64>\n${encodeBase64(value)}</base64>`;
}

/** Array.isArray does not narrow a readonly array. */
function isArray(value: XmlRpcValue): value is readonly XmlRpcValue[] {
  return Array.isArray(value);
}

function encodeNumber(value: number): string {
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) {
    const type = value >= INT_MIN && value <= INT_MAX ? 'int' : 'i8';
    return `<${type}>${value}</${type}>`;
  }
  if (Number.isFinite(value)) return `<double>${Object.is(value, -0) ? '-0.0' : value}</double>`;
  if (Number.isNaN(value)) return '<double>nan</double>';
  return `<double>${value > 0 ? 'inf' : '-inf'}</double>`;
}

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(new RegExp(`.{1,${BASE64_LINE}}`, 'g'), '$&\n');
}

/**
 * Escapes the content of an element. Characters that XML 1.0 cannot contain in any form (most control characters, lone
 * surrogates) become U+FFFD. A carriage return becomes a reference, because a raw one would be read as a newline.
 */
function escapeText(text: string): string {
  // Most texts are plain, and an answer about a thousand processes has 30,000 of them.
  if (!SPECIAL.test(text)) return text;
  return text
    .toWellFormed()
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd')
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/\r/g, '&#13;');
}
