/** Reads the parameters of a query by their schemas. Pure. */
import { showText } from '../core/shown-text.ts';
import { type JsonSchema, type Member, type Schema, SchemaError, suggest } from './schema.ts';

/** Longest part of a name that an error repeats. */
const SHOWN = 60;

type Parameters = Readonly<Record<string, Schema<unknown> | Member<unknown, true>>>;

/** Returns the parameters of a request target. Throws {@link SchemaError} for unknown, repeated and wrong ones. */
export function readQuery(target: string, parameters: Parameters): Record<string, unknown> {
  const given = new Map<string, string[]>();
  for (const [name, value] of queryOf(target)) {
    const values = given.get(name);
    if (values === undefined) given.set(name, [value]);
    else values.push(value);
  }
  const known = new Map(Object.entries(parameters));
  for (const name of given.keys()) if (!known.has(name)) throw unknownParameter(name, [...known.keys()]);
  const read: Record<string, unknown> = {};
  for (const [name, parameter] of known) {
    const texts = given.get(name);
    const isOptional = 'isOptional' in parameter;
    const schema = 'isOptional' in parameter ? parameter.schema : parameter;
    if (texts !== undefined) read[name] = schema.check(decode(name, texts, schema.json), name);
    else if (!isOptional) throw new SchemaError(`the parameter ${name} is missing`);
  }
  return read;
}

function queryOf(target: string): URLSearchParams {
  const mark = target.indexOf('?');
  return new URLSearchParams(mark === -1 ? '' : target.slice(mark + 1).replace(/#.*$/s, ''));
}

function unknownParameter(name: string, known: readonly string[]): SchemaError {
  const near = suggest(name, known);
  const all = known.length === 0 ? 'it has none here' : `parameters: ${known.join(', ')}`;
  const shown = showText(name, SHOWN);
  return new SchemaError(`there is no parameter ${shown}${near === '' ? `; ${all}` : near}`, 'unknown_member');
}

/** Converts the texts of a parameter to the type of its schema. A text that is of another type stays a text. */
function decode(name: string, texts: readonly string[], json: JsonSchema): unknown {
  if (json['type'] === 'array') return texts.map((text) => decodeOne(text, json['items'] as JsonSchema));
  if (texts.length > 1) throw new SchemaError(`the parameter ${name} is given more than once`);
  return decodeOne(texts[0] ?? '', json);
}

function decodeOne(text: string, { type }: JsonSchema): unknown {
  if ((type === 'integer' || type === 'number') && /^-?\d{1,16}(?:\.\d{1,6})?$/.test(text)) return Number(text);
  if (type === 'boolean' && (text === 'true' || text === '1')) return true;
  if (type === 'boolean' && (text === 'false' || text === '0')) return false;
  return text;
}
