/** Reads members of answers that only our own server sends. A member that is missing or differs is null. Pure. */
import { showText } from '../core/shown-text.ts';
import { isStruct, type XmlRpcStruct, type XmlRpcValue } from '../rpc/xmlrpc.ts';

/** Longest text from a server that is shown. */
const TEXT_LENGTH = 1000;

/** Reads a text, made safe for a terminal. */
export function textOf(struct: XmlRpcStruct | null, name: string): string | null {
  const value = struct?.[name];
  return typeof value === 'string' && value !== '' ? showText(value, TEXT_LENGTH) : null;
}

export function numberOf(struct: XmlRpcStruct | null, name: string): number | null {
  const value = struct?.[name];
  return typeof value === 'number' ? value : null;
}

export function booleanOf(struct: XmlRpcStruct | null, name: string): boolean | null {
  const value = struct?.[name];
  return typeof value === 'boolean' ? value : null;
}

export function structOf(struct: XmlRpcStruct | null, name: string): XmlRpcStruct | null {
  const value = struct?.[name];
  return value !== undefined && isStruct(value) ? value : null;
}

/** Reads an array; empty if it is missing. */
export function listOf(struct: XmlRpcStruct | null, name: string): readonly XmlRpcValue[] {
  const value = struct?.[name];
  return Array.isArray(value) ? (value as readonly XmlRpcValue[]) : [];
}

/** Reads an array of structs; empty if it is missing. */
export function structsOf(struct: XmlRpcStruct | null, name: string): readonly XmlRpcStruct[] {
  return listOf(struct, name).filter(isStruct);
}

/** Reads an array of texts, made safe for a terminal. */
export function textsOf(struct: XmlRpcStruct | null, name: string): readonly string[] {
  return listOf(struct, name).flatMap((value) => (typeof value === 'string' ? [showText(value, TEXT_LENGTH)] : []));
}
