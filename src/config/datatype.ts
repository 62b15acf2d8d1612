/**
 * Contract of a type of option: from text to value, or to an error with the expected form. The types themselves are
 * in datatypes.ts and in the files named *-type.ts, *-types.ts and *-spec.ts.
 */
import type { Piece } from './expand.ts';

/** Users and groups, as NSS knows them; the native addon has these functions. */
export interface Users {
  userByName(name: string): { readonly home: string } | null;
  userById(uid: number): { readonly home: string } | null;
  groupByName(name: string): object | null;
  groupById(gid: number): object | null;
}

/** Facts about the machine that a value is checked against. */
export interface Host {
  /** Null if users cannot be looked up. Names of users are not checked then. */
  readonly users: Users | null;
  isDirectory(path: string): boolean;
  isFile(path: string): boolean;
}

/** Circumstances in which a value is read. */
export interface Context {
  /** Directory that relative paths of the supervisor itself start from. */
  readonly cwd: string;
  /** Value of `~`; null if HOME is not set. */
  readonly home: string | null;
  /** Null: no look-up that depends on the host is made (`--static`). */
  readonly host: Host | null;
}

/** A JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A type of option. */
export interface DataType<T> {
  /** For the reference, as `integer`. */
  readonly name: string;
  /** Reads the text of a value; throws {@link WrongValue}. */
  parse(text: string, context: Context): T;
  /** Reads a value that depends on which parts came from an expansion. Used instead of `parse`. */
  parsePieces?(pieces: readonly Piece[]): T;
  /**
   * Returns remarks about a valid value that is probably a mistake. They never repeat the value.
   *
   * @param isVariable - true for a name that can be expanded as `%(ENV_name)s`
   */
  remarks?(pieces: readonly Piece[], isVariable: (name: string) => boolean): string[];
  /** True if values have semicolons that begin no comment. */
  readonly hasSemicolons?: true;
  /** Returns the value for the JSON of `check`. Without this function, the value itself is shown. */
  show?(value: T): Json;
}

/** Reason why a text is not a value of a type, with the expected form. */
export class WrongValue extends Error {}

/** Reason why a text that ends within quotes is not a value. The missing part may be in a comment. */
export class UnclosedValue extends WrongValue {
  /** Another way to write the value; empty if there is none. */
  readonly wayOut: string;

  constructor(message: string, wayOut: string) {
    super(message);
    this.wayOut = wayOut;
  }
}

/** Makes a type. */
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
