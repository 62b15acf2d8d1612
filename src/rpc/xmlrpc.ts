/**
 * The XML-RPC codec that the servers and supervisorctl share: values to text and back. The text is laid out as Python's
 * xmlrpc.client lays it out, because there are scripts that grep it.
 * Reading accepts what Python and Supervisor write and never more than the limits below; it expands no entities but the five
 * predefined ones and character references. Never touches the network, knows no method.
 */
import { XMLParser } from 'fast-xml-parser';

/** What a parameter or an answer can be. Whole numbers travel as int, others as double; bytes as base64; a Date, without its milliseconds, as dateTime in UTC. */
export type XmlRpcValue = string | number | boolean | null | Date | Uint8Array | readonly XmlRpcValue[] | XmlRpcStruct;

/** Named values. Members read from the wire are own properties, whatever their names. */
export interface XmlRpcStruct {
  readonly [name: string]: XmlRpcValue;
}

/** A request. */
export interface XmlRpcCall {
  readonly method: string;
  readonly params: readonly XmlRpcValue[];
}

/** An answer: the value, or a fault as Supervisor numbers them. */
export type XmlRpcResponse =
  | { readonly kind: 'value'; readonly value: XmlRpcValue }
  | { readonly kind: 'fault'; readonly code: number; readonly text: string };

/** A text that is not XML-RPC, or is beyond the limits. The message is the reason, without the text itself. */
export class XmlRpcSyntaxError extends Error {
  override readonly name = 'XmlRpcSyntaxError';
}

/** Characters of a text that is read at all; a log of this size is not fetched in one answer. */
export const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

/** Elements within each other; an array or a struct takes three. */
export const MAX_DEPTH = 100;

const INT_MIN = -(2 ** 31);
const INT_MAX = 2 ** 31 - 1;
const BASE64_LINE = 76;

/** A request as XML. */
export function encodeCall(method: string, params: readonly XmlRpcValue[]): string {
  return `<?xml version='1.0'?>\n<methodCall>\n<methodName>${escapeText(method)}</methodName>\n${encodeParams(params)}</methodCall>\n`;
}

/** An answer as XML. */
export function encodeResponse(value: XmlRpcValue): string {
  return `<?xml version='1.0'?>\n<methodResponse>\n${encodeParams([value])}</methodResponse>\n`;
}

/** A fault as XML. */
export function encodeFault(code: number, text: string): string {
  return `<?xml version='1.0'?>\n<methodResponse>\n<fault>\n${encodeValue({ faultCode: code, faultString: text })}</fault>\n</methodResponse>\n`;
}

function encodeParams(params: readonly XmlRpcValue[]): string {
  return `<params>\n${params.map((value) => `<param>\n${encodeValue(value)}</param>\n`).join('')}</params>\n`;
}

function encodeValue(value: XmlRpcValue): string {
  return `<value>${encodeTyped(value)}</value>\n`;
}

function encodeTyped(value: XmlRpcValue): string {
  if (value === null) return '<nil/>';
  if (typeof value === 'string') return `<string>${escapeText(value)}</string>`;
  if (typeof value === 'boolean') return `<boolean>${value ? 1 : 0}</boolean>`;
  if (typeof value === 'number') return encodeNumber(value);
  if (value instanceof Date) return `<dateTime.iso8601>${value.toISOString().replace(/-|\.\d+Z$/g, '')}</dateTime.iso8601>`;
  if (value instanceof Uint8Array) return `<base64>\n${encodeBase64(value)}</base64>`;
  if (isArray(value)) return `<array><data>\n${value.map(encodeValue).join('')}</data></array>`;
  const members = Object.entries(value).map(([name, member]) => `<member>\n<name>${escapeText(name)}</name>\n${encodeValue(member)}</member>\n`);
  return `<struct>\n${members.join('')}</struct>`;
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
  return `<double>${Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf'}</double>`;
}

function encodeBase64(bytes: Uint8Array): string {
  let binary = '';
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replace(new RegExp(`.{1,${BASE64_LINE}}`, 'g'), '$&\n');
}

/**
 * Text as the content of an element. Characters that XML 1.0 cannot carry in any form (most control characters, half surrogate
 * pairs) become U+FFFD; a carriage return becomes a reference, since a raw one would be read as a newline.
 */
function escapeText(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, '\ufffd')
    .replace(/[&<>\r]/g, (character) => (character === '&' ? '&amp;' : character === '<' ? '&lt;' : character === '>' ? '&gt;' : '&#13;'));
}

/** An element as the parser gives it: a single property, the name of the element with what it contains, or `#text`. */
type ParsedNode = Readonly<Record<string, unknown>>;

interface Element {
  readonly name: string;
  readonly elements: readonly Element[];
  /** All its text that is not within an inner element. */
  readonly text: string;
}

const PREDEFINED: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
]);

/** Replaces the parser's own entities: what a document declares is refused before it could be expanded. */
const entityDecoder = {
  setExternalEntities: (): void => undefined,
  setXmlVersion: (): void => undefined,
  reset: (): void => undefined,
  addInputEntities: (): never => {
    throw new XmlRpcSyntaxError('a document type declaration is not accepted');
  },
  decode: (text: string): string =>
    text.replace(/&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(\w{1,8}))?;?/g, (reference: string, decimal?: string, hexadecimal?: string, name?: string) => {
      const character = name !== undefined ? PREDEFINED.get(name) : parseCharacter(decimal, hexadecimal);
      if (character === undefined || !reference.endsWith(';')) throw new XmlRpcSyntaxError(`"${reference}" is not a character reference; an ampersand is written &amp;`);
      return character;
    }),
};

function parseCharacter(decimal: string | undefined, hexadecimal: string | undefined): string | undefined {
  const code = decimal !== undefined ? Number.parseInt(decimal, 10) : Number.parseInt(hexadecimal ?? '', 16);
  const isCarried = code === 9 || code === 10 || code === 13 || (code >= 0x20 && code < 0xd800) || (code > 0xdfff && code < 0xfffe) || (code > 0xffff && code <= 0x10ffff);
  return isCarried ? String.fromCodePoint(code) : undefined;
}

const parser = new XMLParser({
  preserveOrder: true,
  trimValues: false,
  parseTagValue: false,
  ignoreAttributes: true,
  ignoreDeclaration: true,
  ignorePiTags: true,
  maxNestedTags: MAX_DEPTH,
  jPath: false,
  entityDecoder,
});

/** The root element of a document. Throws {@link XmlRpcSyntaxError} whatever is wrong with it. */
function parseDocument(text: string): Element {
  if (text.length > MAX_TEXT_LENGTH) throw new XmlRpcSyntaxError(`the text is longer than ${MAX_TEXT_LENGTH} characters`);
  let nodes: unknown;
  try {
    nodes = parser.parse(text, true);
  } catch (error) {
    if (error instanceof XmlRpcSyntaxError) throw error;
    throw new XmlRpcSyntaxError(`not well-formed XML: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
  const root = readElement('', nodes).elements[0];
  if (root === undefined) throw new XmlRpcSyntaxError('not well-formed XML: there is no element');
  return root;
}

function readElement(name: string, content: unknown): Element {
  const elements: Element[] = [];
  let text = '';
  for (const node of content as readonly ParsedNode[]) {
    const [inner, value] = Object.entries(node)[0] ?? ['#text', ''];
    if (inner === '#text') text += String(value);
    else elements.push(readElement(inner, value));
  }
  return { name, elements, text };
}

/** A request. Throws {@link XmlRpcSyntaxError}. */
export function decodeCall(text: string): XmlRpcCall {
  const root = parseDocument(text);
  if (root.name !== 'methodCall') throw new XmlRpcSyntaxError(`<methodCall> is expected, and this is <${root.name}>`);
  const method = findChild(root, 'methodName').text.trim();
  if (method === '') throw new XmlRpcSyntaxError('<methodName> is empty');
  const params = root.elements.find((element) => element.name === 'params');
  return { method, params: params === undefined ? [] : decodeParams(params) };
}

/** An answer or a fault. Throws {@link XmlRpcSyntaxError}. */
export function decodeResponse(text: string): XmlRpcResponse {
  const root = parseDocument(text);
  if (root.name !== 'methodResponse') throw new XmlRpcSyntaxError(`<methodResponse> is expected, and this is <${root.name}>`);
  const fault = root.elements.find((element) => element.name === 'fault');
  if (fault !== undefined) {
    const value = decodeValue(findChild(fault, 'value'));
    if (!isStruct(value) || typeof value['faultCode'] !== 'number' || typeof value['faultString'] !== 'string') throw new XmlRpcSyntaxError('<fault> has no faultCode and faultString');
    return { kind: 'fault', code: value['faultCode'], text: value['faultString'] };
  }
  const values = decodeParams(findChild(root, 'params'));
  if (values.length !== 1) throw new XmlRpcSyntaxError(`an answer has one <param>, and this one has ${values.length}`);
  return { kind: 'value', value: values[0] ?? null };
}

/** Whether a value is a struct. */
export function isStruct(value: XmlRpcValue): value is XmlRpcStruct {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date) && !(value instanceof Uint8Array);
}

function findChild(element: Element, name: string): Element {
  const child = element.elements.find((inner) => inner.name === name);
  if (child === undefined) throw new XmlRpcSyntaxError(`<${element.name}> has no <${name}>`);
  return child;
}

function decodeParams(params: Element): XmlRpcValue[] {
  return params.elements.map((param) => {
    if (param.name !== 'param') throw new XmlRpcSyntaxError(`<param> is expected in <params>, and this is <${param.name}>`);
    return decodeValue(findChild(param, 'value'));
  });
}

/** A `<value>`: without an element in it, it is a string. */
function decodeValue(value: Element): XmlRpcValue {
  if (value.name !== 'value') throw new XmlRpcSyntaxError(`<value> is expected, and this is <${value.name}>`);
  if (value.elements.length > 1) throw new XmlRpcSyntaxError('a <value> holds more than one element');
  const typed = value.elements[0];
  return typed === undefined ? value.text : decodeTyped(typed);
}

function decodeTyped(typed: Element): XmlRpcValue {
  switch (typed.name) {
    case 'string':
      return typed.text;
    case 'int':
    case 'i1':
    case 'i2':
    case 'i4':
    case 'i8':
      return decodeInt(typed.text.trim());
    case 'boolean':
      return decodeBoolean(typed.text.trim());
    case 'double':
      return decodeDouble(typed.text.trim());
    case 'nil':
      return null;
    case 'base64':
      return decodeBase64(typed.text);
    case 'dateTime.iso8601':
      return decodeDate(typed.text.trim());
    case 'array':
      return findChild(typed, 'data').elements.map(decodeValue);
    case 'struct':
      return Object.fromEntries(typed.elements.map(decodeMember));
    default:
      throw new XmlRpcSyntaxError(`<${typed.name}> is not a type of XML-RPC`);
  }
}

function decodeMember(member: Element): [string, XmlRpcValue] {
  if (member.name !== 'member') throw new XmlRpcSyntaxError(`<member> is expected in <struct>, and this is <${member.name}>`);
  return [findChild(member, 'name').text, decodeValue(findChild(member, 'value'))];
}

function decodeInt(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new XmlRpcSyntaxError(`"${shorten(text)}" is not an integer`);
  return value;
}

function decodeBoolean(text: string): boolean {
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new XmlRpcSyntaxError(`"${shorten(text)}" is not a boolean`);
}

function decodeDouble(text: string): number {
  const word = /^([+-]?)(?:(inf|infinity)|nan)$/i.exec(text);
  if (word !== null) return word[2] === undefined ? Number.NaN : word[1] === '-' ? -Infinity : Infinity;
  if (!/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) throw new XmlRpcSyntaxError(`"${shorten(text)}" is not a double`);
  return Number(text);
}

function decodeBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch (error) {
    throw new XmlRpcSyntaxError('a <base64> holds something else', { cause: error });
  }
}

function decodeDate(text: string): Date {
  const parts = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):(\d\d):(\d\d)Z?$/.exec(text);
  const date = new Date(parts === null ? Number.NaN : Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`));
  if (Number.isNaN(date.getTime())) throw new XmlRpcSyntaxError(`"${shorten(text)}" is not a dateTime.iso8601`);
  return date;
}

function shorten(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
