/**
 * Descriptions of values: of parameters, of bodies and of answers. One description gives both the JSON Schema of the
 * OpenAPI document and the check of a value. Unknown members are errors. Checks take linear time, because there are no
 * patterns. Pure.
 */
import { nearestName } from '../config/nearest.ts';
import { showText } from '../core/shown-text.ts';

/** A JSON Schema (draft 2020-12, as in OpenAPI 3.1). */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** The description of a value of type T. */
export interface Schema<T> {
  readonly json: JsonSchema;
  /** Returns the value if it fits. Throws {@link SchemaError}. `at` names the value: `names[2]`; empty for a body. */
  readonly check: (value: unknown, at: string) => T;
}

/** A schema that the OpenAPI document has under a name. */
export interface NamedSchema<T> extends Schema<T> {
  readonly name: string;
  readonly definition: JsonSchema;
}

/** A value that does not fit. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  /** `unknown_member` for a member that does not exist, otherwise `bad_value`. */
  readonly code: 'unknown_member' | 'bad_value';

  constructor(message: string, code: SchemaError['code'] = 'bad_value') {
    super(message);
    this.code = code;
  }
}

/** Longest part of a text of a client that an error repeats. */
const SHOWN = 60;

/** Maximum number of elements of a list without a limit of its own. */
const MAX_ELEMENTS = 1000;

function wrong(at: string, rule: string): SchemaError {
  return new SchemaError(`${at === '' ? 'the body' : at} must be ${rule}`);
}

/** Describes any object. For answers only. */
export const anything: Schema<unknown> = { json: { type: 'object' }, check: (value) => value };

/** Limits of a text. */
export interface TextLimits {
  readonly min?: number;
  readonly max?: number;
  readonly help?: string;
}

/** Describes a text. */
export function text({ min, max, help }: TextLimits = {}): Schema<string> {
  return {
    json: {
      type: 'string',
      ...(min === undefined ? {} : { minLength: min }),
      ...(max === undefined ? {} : { maxLength: max }),
      ...described(help),
    },
    check: (value, at) => {
      if (typeof value !== 'string') throw wrong(at, 'a string');
      if (value.length < (min ?? 0)) throw wrong(at, min === 1 ? 'a string that is not empty' : `at least ${min} long`);
      if (value.length > (max ?? Infinity)) throw wrong(at, `a string of at most ${max} characters`);
      return value;
    },
  };
}

/** Describes one of several texts. */
export function oneOf<const T extends string>(values: readonly T[], help?: string): Schema<T> {
  return {
    json: { type: 'string', enum: [...values], ...described(help) },
    check: (value, at) => {
      const known = values.find((candidate) => candidate === value);
      if (known !== undefined) return known;
      const near = typeof value === 'string' ? suggest(value, values) : '';
      throw wrong(at, `one of ${values.join(', ')}${near}`);
    },
  };
}

/** Limits of a number. */
export interface NumberLimits {
  readonly min?: number;
  readonly max?: number;
  /** For the document only: the caller fills it in. */
  readonly standard?: number;
  readonly help?: string;
}

function numberOf(type: 'integer' | 'number', { min, max, standard, help }: NumberLimits): Schema<number> {
  const noun = type === 'integer' ? 'an integer' : 'a number';
  const range = rangeText(min, max);
  return {
    json: {
      type,
      ...(min === undefined ? {} : { minimum: min }),
      ...(max === undefined ? {} : { maximum: max }),
      ...(standard === undefined ? {} : { default: standard }),
      ...described(help),
    },
    check: (value, at) => {
      const isNumber = type === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!isNumber) throw wrong(at, noun + range);
      const number = value as number;
      if (number < (min ?? -Infinity) || number > (max ?? Infinity)) throw wrong(at, noun + range);
      return number;
    },
  };
}

function rangeText(min: number | undefined, max: number | undefined): string {
  if (min !== undefined && max !== undefined) return ` from ${min} to ${max}`;
  if (min !== undefined) return ` of at least ${min}`;
  return max === undefined ? '' : ` of at most ${max}`;
}

/** Describes an integer. */
export function integer(limits: NumberLimits = {}): Schema<number> {
  return numberOf('integer', limits);
}

/** Describes a number. */
export function number(limits: NumberLimits = {}): Schema<number> {
  return numberOf('number', limits);
}

/** Describes true or false. */
export function truth(help?: string): Schema<boolean> {
  return {
    json: { type: 'boolean', ...described(help) },
    check: (value, at) => {
      if (typeof value !== 'boolean') throw wrong(at, 'true or false');
      return value;
    },
  };
}

/** Describes a fixed value. */
export function constant<const T extends string | number | boolean>(fixed: T): Schema<T> {
  return {
    json: { const: fixed },
    check: (value, at) => {
      if (value !== fixed) throw wrong(at, JSON.stringify(fixed));
      return fixed;
    },
  };
}

/** Describes null or another value. */
export function nullable<T>(schema: Schema<T>): Schema<T | null> {
  return {
    json: { anyOf: [schema.json, { type: 'null' }] },
    check: (value, at) => (value === null ? null : schema.check(value, at)),
  };
}

/** Describes a value that fits one of several schemas. */
export function either<T>(schemas: ReadonlyArray<Schema<T>>): Schema<T> {
  return {
    json: { anyOf: schemas.map(({ json }) => json) },
    check: (value, at) => {
      let last: unknown = null;
      for (const schema of schemas) {
        try {
          return schema.check(value, at);
        } catch (error) {
          last = error;
        }
      }
      throw last;
    },
  };
}

/** Limits of a list. */
export interface ListLimits {
  readonly min?: number;
  readonly max?: number;
  readonly help?: string;
}

/** Describes a list. */
export function list<T>(element: Schema<T>, { min, max, help }: ListLimits = {}): Schema<readonly T[]> {
  const most = max ?? MAX_ELEMENTS;
  return {
    json: {
      type: 'array',
      items: element.json,
      ...(min === undefined ? {} : { minItems: min }),
      ...(max === undefined ? {} : { maxItems: max }),
      ...described(help),
    },
    check: (value, at) => {
      if (!Array.isArray(value)) throw wrong(at, 'an array');
      if (value.length < (min ?? 0)) throw wrong(at, `an array of at least ${min}`);
      if (value.length > most) throw wrong(at, `an array of at most ${most}`);
      return value.map((part, index) => element.check(part, `${at}[${index}]`));
    },
  };
}

/** Describes an object with any names whose values are alike. */
export function dictionary<T>(element: Schema<T>): Schema<Readonly<Record<string, T>>> {
  return {
    json: { type: 'object', additionalProperties: element.json },
    check: (value, at) =>
      Object.fromEntries(Object.entries(toMembers(value, at)).map(([name, part]) => [name, element.check(part, name)])),
  };
}

/** A member of an object: required or not. */
export interface Member<T, Optional extends boolean> {
  readonly schema: Schema<T>;
  readonly isOptional: Optional;
}

/** Makes a member that may be missing. */
export function maybe<T>(schema: Schema<T>): Member<T, true> {
  return { schema, isOptional: true };
}

type IsOptional<T, K extends keyof T> = T extends Record<K, T[K]> ? false : true;

/** The members of an object type: each by its name, and `maybe` for exactly the optional ones. */
export type MembersOf<T> = {
  readonly [K in keyof T]-?: IsOptional<T, K> extends true ? Member<Exclude<T[K], undefined>, true> : Schema<T[K]>;
};

/** Describes an object. The compiler checks the names and the types of the members. */
export function object<T extends object>(members: MembersOf<T>, help?: string): Schema<T> {
  const rows = Object.entries(members as Readonly<Record<string, Schema<unknown> | Member<unknown, true>>>).map(
    ([name, member]) =>
      'isOptional' in member
        ? { name, schema: member.schema, isOptional: true }
        : { name, schema: member, isOptional: false },
  );
  const byName = new Map(rows.map((row) => [row.name, row]));
  const required = rows.filter(({ isOptional }) => !isOptional).map(({ name }) => name);
  return {
    json: {
      type: 'object',
      properties: Object.fromEntries(rows.map(({ name, schema }) => [name, schema.json])),
      ...(required.length === 0 ? {} : { required }),
      additionalProperties: false,
      ...described(help),
    },
    check: (value, at) => {
      const given = toMembers(value, at);
      const prefix = at === '' ? '' : `${at}.`;
      const checked = Object.entries(given).map(([name, part]) => {
        const row = byName.get(name);
        if (row === undefined) throw unknownMember(prefix + name, name, byName.keys());
        return [name, row.schema.check(part, prefix + name)] as const;
      });
      const missing = required.find((name) => !Object.hasOwn(given, name));
      if (missing !== undefined) throw new SchemaError(`${prefix}${missing} is missing`);
      return Object.fromEntries(checked) as T;
    },
  };
}

function toMembers(value: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object');
  return value as Readonly<Record<string, unknown>>;
}

function unknownMember(at: string, name: string, known: Iterable<string>): SchemaError {
  const names = [...known];
  const all = names.length === 0 ? 'the body has no members' : `members: ${names.join(', ')}`;
  const near = suggest(name, names);
  return new SchemaError(
    `there is no member ${showText(at, SHOWN)}${near === '' ? `; ${all}` : near}`,
    'unknown_member',
  );
}

/** Returns ` (did you mean x?)`; empty for none. The text of the client is cut, since the search is quadratic. */
export function suggest(given: string, known: Iterable<string>): string {
  const near = nearestName(given.slice(0, SHOWN), known);
  return near === null ? '' : ` (did you mean ${near}?)`;
}

/** Gives a schema a name in the document. */
export function named<T>(name: string, schema: Schema<T>): NamedSchema<T> {
  return { name, definition: schema.json, json: { $ref: `#/components/schemas/${name}` }, check: schema.check };
}

/** Refers to a named schema that contains itself. It is for answers only, so that its check is not used. */
export function recursive<T>(name: string): Schema<T> {
  return {
    json: { $ref: `#/components/schemas/${name}` },
    check: (value) => value as T,
  };
}

function described(help: string | undefined): JsonSchema {
  return help === undefined ? {} : { description: help };
}
