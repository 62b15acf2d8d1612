/**
 * The JSON Schema (draft 2020-12) of a configuration as an object, and of our environment variables: for editors. Made
 * from the tables of options. A value is JSON of the option's type, or the text of a configuration file. Pure.
 */
import type { Json } from './datatype.ts';
import { switches, type VariableKind, variableKinds } from './environment.ts';
import type { Option, Table } from './option.ts';
import { sectionKinds } from './options.ts';
import { describeContainerDefault, describeDefault } from './reference.ts';

/** The documents that can be made. */
export const schemaNames = ['configuration', 'environment'] as const;

export type SchemaName = (typeof schemaNames)[number];

type Schema = { readonly [keyword: string]: Json };

/** A text that is expanded (`%(ENV_PORT)s`) can have any type. */
const EXPANDED = '%\\(';

/** Returns the schema of a text that matches a pattern, or is expanded. */
function textLike(pattern: string): Schema {
  return { type: 'string', pattern: `^\\s*(?:${pattern})\\s*$|${EXPANDED}` };
}

/** Returns a pattern for words in any case, since JSON Schema has no flag for that. */
function anyCase(words: readonly string[]): string {
  const letter = (one: string): string => (/[a-z]/i.test(one) ? `[${one.toLowerCase()}${one.toUpperCase()}]` : one);
  return words.map((word) => [...word].map(letter).join('')).join('|');
}

const ANY_TEXT: Schema = { type: 'string' };
const WHOLE = '[+-]?\\d+(_\\d+)*';
const LIST: readonly Schema[] = [ANY_TEXT, { type: 'array', items: ANY_TEXT }];
const BOOLEAN_WORDS = ['yes', 'true', 'on', '1', 'no', 'false', 'off', '0'];

/** Values of the types whose texts have a form. All other types are texts. */
const VALUES: Readonly<Record<string, readonly Schema[]>> = {
  boolean: [{ type: 'boolean' }, textLike(anyCase(BOOLEAN_WORDS))],
  integer: [{ type: 'integer' }, textLike(WHOLE)],
  characters: [{ type: 'integer' }, textLike(WHOLE)],
  COLUMNSxROWS: [textLike('\\s*\\d+[xX]\\d+\\s*')],
  number: [{ type: 'number' }, textLike('\\d+(\\.\\d+)?')],
  size: [{ type: 'integer' }, textLike(`${WHOLE}\\s*([kKmMgG][bB])?`)],
  seconds: [{ type: 'number', minimum: 0 }, textLike('\\d+(\\.\\d+)?|(\\d+(\\.\\d+)?(ms|MS|[smhdwSMHDW]))+')],
  mode: [textLike('(0[oO])?[0-7]+')],
  octal: [textLike('(0[oO])?[0-7]+')],
  'exit codes': [
    { type: 'integer', minimum: 0, maximum: 255 },
    { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } },
    textLike('|\\s*\\d+\\s*(,\\s*\\d+\\s*)*'),
  ],
  names: LIST,
  events: LIST,
  words: LIST,
  signals: LIST,
  'name[:condition], …': LIST,
  '[-]path, …': LIST,
  '[NAME=]URL, …': LIST,
  'soft[:hard]': [{ type: 'integer', minimum: 0 }, ANY_TEXT],
  'KEY="value",…': [ANY_TEXT, { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } }],
  'true \\| false \\| unexpected': [{ type: 'boolean' }, textLike(anyCase([...BOOLEAN_WORDS, 'unexpected']))],
};

/** Returns the values of a type by its name. A list of plain words with bars is a choice. */
function valuesOf(typeName: string): readonly Schema[] {
  const known = VALUES[typeName];
  if (known !== undefined) return known;
  const words = typeName.split(' \\| ');
  const isChoice = words.length > 1 && words.every((word) => /^[a-z\d]+$/.test(word)) && !words.includes('seconds');
  // The first list is what an editor offers.
  return isChoice ? [{ enum: words }, textLike(anyCase(words))] : [ANY_TEXT];
}

/** Returns the schema of one option. */
function schemaOfOption(option: Option<unknown>): Schema {
  const fallback = option.isRequired ? null : describeDefault(option);
  const inContainer = option.containerDefault === undefined ? null : describeContainerDefault(option);
  const notes = [
    option.doc,
    option.isRequired
      ? 'Required.'
      : `Default: ${fallback ?? 'none'}${inContainer === null ? '' : `; in a container: ${inContainer}`}.`,
    ...(option.isAddition ? ['Supervisor does not have this option.'] : []),
  ];
  const values = valuesOf(option.type.name);
  const [only] = values;
  return { description: notes.join(' '), ...(values.length === 1 && only !== undefined ? only : { anyOf: values }) };
}

/** The definitions of all options, each once: several kinds of sections share a table. */
class Definitions {
  readonly all: Record<string, Schema> = {};
  readonly #names = new Map<Option<unknown>, string>();

  /** Returns a reference to the definition of an option. */
  refer(title: string, name: string, option: Option<unknown>): Schema {
    const known = this.#names.get(option) ?? `${title.replace(/:x$/, '')}.${name}`;
    this.#names.set(option, known);
    this.all[known] ??= schemaOfOption(option);
    return { $ref: `#/$defs/${known}` };
  }
}

function optionsOf(tables: readonly Table[]): Array<readonly [name: string, option: Option<unknown>]> {
  return tables.flatMap((table) =>
    Object.entries(table).flatMap(([name, option]) =>
      [name, ...option.aliases].map((spelled) => [spelled, option] as const),
    ),
  );
}

function schemaOfConfiguration(definitions: Definitions): Schema {
  const properties: Record<string, Schema> = { $schema: ANY_TEXT };
  const patternProperties: Record<string, Schema> = {};
  for (const { title, start, tables, isOpen } of sectionKinds) {
    const options = optionsOf(tables).map(([name, option]) => [name, definitions.refer(title, name, option)] as const);
    const section = {
      type: 'object',
      properties: Object.fromEntries(options),
      additionalProperties: isOpen ? { type: ['string', 'number', 'boolean'] } : false,
    };
    if (start.endsWith(':')) patternProperties[`^${start}.`] = section;
    else properties[start] = section;
    // compat: [inet_http_server:public] is a server too.
    if (start.endsWith('_http_server')) patternProperties[`^${start}:.`] = section;
  }
  return { type: 'object', properties, patternProperties, additionalProperties: false };
}

function schemaOfEnvironment(definitions: Definitions): Schema {
  const kindsWithTitle = variableKinds.map((kind) => ({
    ...kind,
    title: sectionKinds.find(({ start }) => start === kind.start)?.title ?? kind.start,
  }));
  const rows = kindsWithTitle.flatMap(({ title, tables, ...kind }) =>
    optionsOf(tables).map(([name, option]) => [patternOf(kind, name), definitions.refer(title, name, option)] as const),
  );
  const own = Object.entries(switches).map(
    ([name, description]) => [name, { description, type: ['string', 'number', 'boolean'] }] as const,
  );
  return {
    type: 'object',
    properties: Object.fromEntries(own),
    patternProperties: {
      // Variables of others.
      '^(?!ONEVISOR_)': {},
      '^ONEVISOR_PROGRAM_(?!_|DEFAULT__)(?:(?!__).)+$': { description: 'Command of the program.', type: 'string' },
      ...Object.fromEntries(rows),
    },
    additionalProperties: false,
  };
}

/** Returns the pattern for the variables that set an option. The part after the last `__` is the option. */
function patternOf({ prefix, isNamed }: Pick<VariableKind, 'prefix' | 'isNamed'>, option: string): string {
  const name = isNamed ? '(?!_|DEFAULT__).+' : '';
  return `^${prefix}${name}__(?:${anyCase([option])})$`;
}

/** Returns the schema of a configuration, or of the environment. */
export function makeSchema(name: SchemaName): Schema {
  const definitions = new Definitions();
  const root = name === 'configuration' ? schemaOfConfiguration(definitions) : schemaOfEnvironment(definitions);
  const title = name === 'configuration' ? 'Configuration of onevisor' : 'Environment variables of onevisor';
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title, ...root, $defs: definitions.all };
}
