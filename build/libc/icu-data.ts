/**
 * Cuts the data of ICU, the library of languages in Node, down to what is used: English, time zones, Unicode. Other
 * languages fall back to these. Pure.
 * The data is a header, a table of contents sorted by name, names and items (icu4c/source/common/ucmndata.h).
 */
import { roundUp } from './elf-image.ts';

/** Items begin at multiples of this. */
const ITEM_ALIGNMENT = 16;
const ENTRY_BYTES = 8;
/** Second half of the magic number of ICU's data headers. */
const MAGIC = 0xda27;

/** Files for other languages: a language, and perhaps a script, a country and a variant. */
const LOCALE = /(?:^|\/)[a-z]{2,3}(?:_\w+)?\.res$/;
/** English, and what its resources refer to. */
const KEPT_LOCALE = /(?:^|\/)en(?:_001|_US|_US_POSIX)?\.res$/;
/** Character sets besides Unicode, dictionaries of words, transliteration, profiles of strings, look-alikes, names. */
const UNUSED = /\.(?:cnv|dict|spp|cfu)$|^translit\/|^unames\.icu$/;

/** Tells if an item, such as `zone/de.res`, stays. An item of an unknown kind does. */
export function isIcuItemKept(name: string): boolean {
  return !UNUSED.test(name) && (!LOCALE.test(name) || KEPT_LOCALE.test(name));
}

interface Item {
  /** Name with the name of the package before it: `icudt78l/zone/de.res`. */
  readonly name: string;
  readonly content: Uint8Array;
}

/** Returns the data without the items that are not kept. Throws if it is no data of ICU. */
export function cutIcuData(data: Uint8Array): Uint8Array {
  const headerSize = Buffer.from(data.buffer, data.byteOffset, data.length).readUInt16LE(0);
  const items = readItems(data, headerSize).filter(({ name }) => isIcuItemKept(name.slice(name.indexOf('/') + 1)));
  return Buffer.concat([data.subarray(0, headerSize), writeItems(items)]);
}

function readItems(data: Uint8Array, headerSize: number): Item[] {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.length);
  if (bytes.readUInt16BE(2) !== MAGIC) throw new Error('cannot cut the data of ICU: it has another form');
  const body = bytes.subarray(headerSize);
  const count = body.readUInt32LE(0);
  return Array.from({ length: count }, (_, index) => {
    const entry = 4 + index * ENTRY_BYTES;
    const name = body.readUInt32LE(entry);
    const end = index + 1 < count ? body.readUInt32LE(entry + ENTRY_BYTES + 4) : body.length;
    return {
      name: body.toString('latin1', name, body.indexOf(0, name)),
      content: body.subarray(body.readUInt32LE(entry + 4), end),
    };
  });
}

function writeItems(items: readonly Item[]): Buffer {
  const names = items.map(({ name }) => Buffer.from(`${name}\0`, 'latin1'));
  const namesAt = 4 + items.length * ENTRY_BYTES;
  const contents = Buffer.alloc(roundUp(namesAt + names.reduce((sum, { length }) => sum + length, 0), ITEM_ALIGNMENT));
  contents.writeUInt32LE(items.length, 0);
  const parts: Uint8Array[] = [contents];
  let name = namesAt;
  let end = contents.length;
  items.forEach(({ content }, index) => {
    const entry = 4 + index * ENTRY_BYTES;
    contents.writeUInt32LE(name, entry);
    contents.writeUInt32LE(end, entry + 4);
    name += names[index]?.copy(contents, name) ?? 0;
    const padding = Buffer.alloc(roundUp(content.length, ITEM_ALIGNMENT) - content.length);
    parts.push(content, padding);
    end += content.length + padding.length;
  });
  return Buffer.concat(parts);
}
