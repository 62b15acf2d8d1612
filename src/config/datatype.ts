/**
 * What a type of option is: how its text becomes a value, and what would be right where it cannot.
 * Owns the contract only; the types are in datatypes.ts, log-target.ts and relations.ts.
 */
import type { Piece } from './expand.ts';

/** Users and groups, as NSS knows them; the native addon has these functions. */
export interface Users {
  userByName(name: string): { readonly home: string } | null;
  userById(uid: number): { readonly home: string } | null;
  groupByName(name: string): object | null;
  groupById(gid: number): object | null;
}

/** What parsing may ask about the machine. */
export interface Host {
  /** Null where users cannot be looked up; they are taken as they are then. */
  readonly users: Users | null;
  isDirectory(path: string): boolean;
  isFile(path: string): boolean;
}

/** Where a value is read. */
export interface Context {
  /** What relative paths of the supervisor itself are relative to. */
  readonly cwd: string;
  /** `~`; null where HOME is not set. */
  readonly home: string | null;
  /** Null: no look-up that depends on the host is made (`--static`). */
  readonly host: Host | null;
}

/** What JSON can say. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A type of option. */
export interface DataType<T> {
  /** For the reference, as `integer`. */
  readonly name: string;
  /** Reads the text of a value; throws {@link WrongValue}. */
  parse(text: string, context: Context): T;
  /** Reads a value that must know which parts of it came from an expansion; used instead of parse where present. */
  parsePieces?(pieces: readonly Piece[]): T;
  /**
   * Remarks about a value that can be read and is hardly meant so. They never repeat the value. `isVariable`: a name
   * can be expanded as `%(ENV_name)s`.
   */
  remarks?(pieces: readonly Piece[], isVariable: (name: string) => boolean): string[];
  /** The effective value in the JSON of `check`; without it, the value itself. */
  show?(value: T): Json;
}

/** Why a text is no value of a type, with what would be right. */
export class WrongValue extends Error {}

/** Why a text that ends within quotes is no value: what is missing may stand in a comment. */
export class UnclosedValue extends WrongValue {
  /** What to do instead of writing it without what begins a comment; empty where there is nothing. */
  readonly wayOut: string;

  constructor(message: string, wayOut: string) {
    super(message);
    this.wayOut = wayOut;
  }
}

/** A type from its parts. */
export function dataType<T>(
  name: string,
  parse: (text: string, context: Context) => T,
  show?: (value: T) => Json,
): DataType<T> {
  return show === undefined ? { name, parse } : { name, parse, show };
}

/** Throws a {@link WrongValue} in the words `"<text>" is not <what>`. */
export function reject(text: string, what: string): never {
  throw new WrongValue(text === '' ? `the value is empty; expected ${what}` : `"${text}" is not ${what}`);
}
