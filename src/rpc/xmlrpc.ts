/**
 * The XML-RPC codec of the servers and of supervisorctl. Encoding is in xmlrpc-encoding.ts, decoding is here. Decoding
 * accepts all forms that Python and Supervisor write, within the limits below.
 */
import { showText } from '../core/shown-text.ts';
import { parseXml, type XmlElement, XmlSyntaxError } from './xml.ts';
import { isStruct, type Utf8Text } from './xmlrpc-encoding.ts';

export {
  decodeTexts,
  encodeCall,
  encodeFault,
  encodeResponse,
  encodeResponseParts,
  encodeResponseSlices,
  isStruct,
  slicesOf,
  Utf8Text,
  type ResponsePart,
} from './xmlrpc-encoding.ts';

/**
 * A parameter or an answer. Integers are sent as int, other numbers as double, bytes as base64, and a Date as dateTime
 * in UTC, without its milliseconds.
 */
export type XmlRpcValue =
  string | number | boolean | null | Date | Uint8Array | Utf8Text | readonly XmlRpcValue[] | XmlRpcStruct;

/** Named values. Decoded members are own properties, whatever their names. */
export interface XmlRpcStruct {
  readonly [name: string]: XmlRpcValue;
}

/** A request. */
export interface XmlRpcCall {
  readonly method: string;
  readonly params: readonly XmlRpcValue[];
}

/** An answer: the value, or a fault with Supervisor's number. Only answers in JSON have a reason. */
export type XmlRpcResponse =
  | { readonly kind: 'value'; readonly value: XmlRpcValue }
  | { readonly kind: 'fault'; readonly code: number; readonly text: string; readonly reason?: string };

/** A text that is not XML-RPC or exceeds a limit. The message has the reason, without the text itself. */
export class XmlRpcSyntaxError extends Error {
  override readonly name = 'XmlRpcSyntaxError';
}

/** Maximum number of characters of a document. */
export const MAX_TEXT_LENGTH = 64 * 1024 * 1024;

/** Maximum nesting of elements; an array or a struct takes three levels. */
export const MAX_DEPTH = 100;

/** Maximum number of elements of an answer; the records of 20,000 processes have fewer. */
const MAX_ELEMENTS = 2_000_000;

/**
 * Maximum number of elements of a request, whose parsing blocks the event loop. A `system.multicall` of 3,000 calls has
 * fewer.
 */
export const MAX_CALL_ELEMENTS = 50_000;

/** Parses a document. Throws {@link XmlRpcSyntaxError} for every error. */
function parseDocument(text: string, elements: number): XmlElement {
  if (text.length > MAX_TEXT_LENGTH)
    throw new XmlRpcSyntaxError(`the text is longer than ${MAX_TEXT_LENGTH} characters`);
  try {
    return parseXml(text, { depth: MAX_DEPTH, elements });
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    throw new XmlRpcSyntaxError(`not well-formed XML: ${error.message}`, { cause: error });
  }
}

/** Decodes a request. Throws {@link XmlRpcSyntaxError}. */
export function decodeCall(text: string): XmlRpcCall {
  const root = parseDocument(text, MAX_CALL_ELEMENTS);
  if (root.name !== 'methodCall') throw new XmlRpcSyntaxError(`<methodCall> is expected, and this is <${root.name}>`);
  requireOnly(root, ['methodName', 'params']);
  const method = textOf(findChild(root, 'methodName')).trim();
  if (method === '') throw new XmlRpcSyntaxError('<methodName> is empty');
  const params = root.elements.find((element) => element.name === 'params');
  return { method, params: params === undefined ? [] : decodeParams(params) };
}

/** Decodes an answer or a fault, of at most `elements` elements. Throws {@link XmlRpcSyntaxError}. */
export function decodeResponse(text: string, elements = MAX_ELEMENTS): XmlRpcResponse {
  const root = parseDocument(text, elements);
  if (root.name !== 'methodResponse')
    throw new XmlRpcSyntaxError(`<methodResponse> is expected, and this is <${root.name}>`);
  const fault = root.elements.find((element) => element.name === 'fault');
  if (fault !== undefined) {
    const value = decodeValue(findChild(fault, 'value'));
    if (!isStruct(value) || typeof value['faultCode'] !== 'number' || typeof value['faultString'] !== 'string')
      throw new XmlRpcSyntaxError('<fault> has no faultCode and faultString');
    return { kind: 'fault', code: value['faultCode'], text: value['faultString'] };
  }
  const values = decodeParams(findChild(root, 'params'));
  if (values.length !== 1) throw new XmlRpcSyntaxError(`an answer has one <param>, and this one has ${values.length}`);
  return { kind: 'value', value: values[0] ?? null };
}

/** Refuses an element that holds others than these, or one of them twice: clients could mean anything by that. */
function requireOnly({ name, elements }: XmlElement, names: readonly string[]): void {
  const odd = elements.find(
    (inner, index) => !names.includes(inner.name) || elements.findIndex((other) => other.name === inner.name) !== index,
  );
  if (odd !== undefined) throw new XmlRpcSyntaxError(`<${name}> holds an unexpected <${odd.name}>`);
}

function findChild(element: XmlElement, name: string): XmlElement {
  const child = element.elements.find((inner) => inner.name === name);
  if (child === undefined) throw new XmlRpcSyntaxError(`<${element.name}> has no <${name}>`);
  return child;
}

/** Returns the text of an element that holds no others. */
function textOf({ name, text, elements }: XmlElement): string {
  const [inner] = elements;
  if (inner !== undefined) throw new XmlRpcSyntaxError(`<${name}> holds an element, <${inner.name}>`);
  return text;
}

function decodeParams(params: XmlElement): XmlRpcValue[] {
  return params.elements.map((param) => {
    if (param.name !== 'param')
      throw new XmlRpcSyntaxError(`<param> is expected in <params>, and this is <${param.name}>`);
    requireOnly(param, ['value']);
    return decodeValue(findChild(param, 'value'));
  });
}

/** Decodes a `<value>`. A value without an element is a string. */
function decodeValue(value: XmlElement): XmlRpcValue {
  if (value.name !== 'value') throw new XmlRpcSyntaxError(`<value> is expected, and this is <${value.name}>`);
  if (value.elements.length > 1) throw new XmlRpcSyntaxError('a <value> holds more than one element');
  const typed = value.elements[0];
  return typed === undefined ? value.text : decodeTyped(typed);
}

function decodeTyped(typed: XmlElement): XmlRpcValue {
  switch (typed.name) {
    case 'string':
      return textOf(typed);
    case 'int':
    case 'i1':
    case 'i2':
    case 'i4':
    case 'i8':
      return decodeInt(textOf(typed).trim());
    case 'boolean':
      return decodeBoolean(textOf(typed).trim());
    case 'double':
      return decodeDouble(textOf(typed).trim());
    case 'nil':
      return null;
    case 'base64':
      return decodeBase64(textOf(typed));
    case 'dateTime.iso8601':
      return decodeDate(textOf(typed).trim());
    case 'array':
      requireOnly(typed, ['data']);
      return findChild(typed, 'data').elements.map(decodeValue);
    case 'struct':
      return Object.fromEntries(typed.elements.map(decodeMember));
    default:
      throw new XmlRpcSyntaxError(`<${typed.name}> is not a type of XML-RPC`);
  }
}

function decodeMember(member: XmlElement): [string, XmlRpcValue] {
  if (member.name !== 'member')
    throw new XmlRpcSyntaxError(`<member> is expected in <struct>, and this is <${member.name}>`);
  requireOnly(member, ['name', 'value']);
  return [textOf(findChild(member, 'name')), decodeValue(findChild(member, 'value'))];
}

function decodeInt(text: string): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw new XmlRpcSyntaxError(`"${showText(text)}" is not an integer`);
  // "-0" is 0, as for Python. A sum is never the -0 of JavaScript.
  return value + 0;
}

function decodeBoolean(text: string): boolean {
  if (text === '1' || text === 'true') return true;
  if (text === '0' || text === 'false') return false;
  throw new XmlRpcSyntaxError(`"${showText(text)}" is not a boolean`);
}

function decodeDouble(text: string): number {
  if (/^[+-]?nan$/i.test(text)) return Number.NaN;
  if (/^[+-]?inf(?:inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (!/^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text))
    throw new XmlRpcSyntaxError(`"${showText(text)}" is not a double`);
  return Number(text);
}

function decodeBase64(text: string): Uint8Array {
  try {
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
    return bytes;
  } catch (error) {
    throw new XmlRpcSyntaxError('a <base64> holds something else', { cause: error });
  }
}

function decodeDate(text: string): Date {
  const parts = /^(\d{4})-?(\d\d)-?(\d\d)T(\d\d):(\d\d):(\d\d)Z?$/.exec(text);
  const date = new Date(
    parts === null
      ? Number.NaN
      : Date.parse(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z`),
  );
  if (Number.isNaN(date.getTime())) throw new XmlRpcSyntaxError(`"${showText(text)}" is not a dateTime.iso8601`);
  return date;
}
