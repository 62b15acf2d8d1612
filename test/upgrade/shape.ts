/**
 * Shapes of answers: names and types without values. A newer answer may have more members, and never fewer ones or
 * members of another type.
 */

/** Names of types (`string`, `int`, `null`), or members, or elements. Several types are possible in arrays. */
export interface Shape {
  readonly types: readonly string[];
  readonly members?: Readonly<Record<string, Shape>>;
  readonly elements?: Shape;
}

function merge(a: Shape, b: Shape): Shape {
  const members: Record<string, Shape> = {};
  const both = a.members !== undefined && b.members !== undefined;
  for (const [name, shape] of Object.entries({ ...a.members, ...b.members })) {
    const [left, right] = [a.members?.[name], b.members?.[name]];
    // A member that only some elements have is no promise.
    if (left !== undefined && right !== undefined) members[name] = merge(left, right);
    else if (!both) members[name] = shape;
  }
  const elements = a.elements !== undefined && b.elements !== undefined ? merge(a.elements, b.elements) : undefined;
  const found = elements ?? a.elements ?? b.elements;
  return {
    types: [...new Set([...a.types, ...b.types])].toSorted(),
    ...(a.members === undefined && b.members === undefined ? {} : { members }),
    ...(found === undefined ? {} : { elements: found }),
  };
}

function shapeOfList(elements: readonly Shape[]): Shape {
  const [first, ...others] = elements;
  return first === undefined ? { types: ['array'] } : { types: ['array'], elements: others.reduce(merge, first) };
}

/** Returns the shape of a JSON value. */
export function shapeOfJson(value: unknown): Shape {
  if (value === null) return { types: ['null'] };
  if (Array.isArray(value)) return shapeOfList(value.map(shapeOfJson));
  if (typeof value !== 'object') return { types: [typeof value] };
  const members = Object.entries(value).map(([name, member]) => [name, shapeOfJson(member)] as const);
  return { types: ['object'], members: Object.fromEntries(members) };
}

/** Returns the shape of the first value of an XML-RPC answer. The code of a fault belongs to its shape. */
export function shapeOfXml(text: string): Shape {
  const code = /<fault>[^]*?<name>faultCode<\/name>\s*<value><int>(-?\d+)/.exec(text)?.[1];
  if (code !== undefined) return { types: [`fault ${code}`] };
  const tokens = [...text.matchAll(/<(\/?)(\w[\w.]*)(\/?)>|([^<]+)/g)];
  let at = tokens.findIndex((token) => token[2] === 'value');
  const read = (): Shape => {
    at += 1;
    const [, isEnd = '', name = ''] = tokens[at] ?? [];
    if (name === '' || isEnd === '/') return skipTo('value', { types: ['string'] });
    if (name === 'array') return skipTo('value', shapeOfList(readAll()));
    if (name !== 'struct') return skipTo('value', { types: [name === 'i4' ? 'int' : name] });
    return skipTo('value', { types: ['object'], members: readMembers() });
  };
  const skipTo = (name: string, shape: Shape): Shape => {
    while (at < tokens.length && !(tokens[at]?.[2] === name && tokens[at]?.[1] === '/')) at += 1;
    return shape;
  };
  const readAll = (): Shape[] => {
    const found: Shape[] = [];
    for (at += 1; at < tokens.length && tokens[at]?.[2] !== 'array'; at++)
      if (tokens[at]?.[2] === 'value') found.push(read());
    return found;
  };
  const readMembers = (): Record<string, Shape> => {
    const members: Record<string, Shape> = {};
    let member = '';
    for (at += 1; at < tokens.length && !(tokens[at]?.[2] === 'struct' && tokens[at]?.[1] === '/'); at++) {
      if (tokens[at]?.[2] === 'name' && tokens[at]?.[1] === '') member = tokens[at + 1]?.[4] ?? '';
      if (tokens[at]?.[2] === 'value') members[member] = read();
    }
    return members;
  };
  return read();
}

/** Returns what a newer shape lacks of an older one: a line for each place. */
export function lackOf(older: Shape, newer: Shape | undefined, place = ''): string[] {
  if (newer === undefined) return [`${place} is gone`];
  const isKnown =
    older.types.every((type) => type === 'null') || newer.types.some((type) => older.types.includes(type));
  if (!isKnown && newer.types.some((type) => type !== 'null'))
    return [`${place} was ${older.types.join('|')} and is ${newer.types.join('|')}`];
  if (newer.types.every((type) => type === 'null')) return [];
  const members = Object.entries(older.members ?? {});
  return [
    ...members.flatMap(([name, shape]) => lackOf(shape, newer.members?.[name], `${place}.${name}`)),
    // An empty list says nothing about its elements.
    ...(older.elements !== undefined && newer.elements !== undefined
      ? lackOf(older.elements, newer.elements, `${place}[]`)
      : []),
  ];
}
