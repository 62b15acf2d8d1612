/** Data of ICU for tests, in its real form. */

export const HEADER_BYTES = 32;

/** Makes data of ICU with these items. */
export function makeIcuData(items: Readonly<Record<string, string>>): Buffer {
  const names = Object.keys(items).map((name) => Buffer.from(`icudt78l/${name}\0`));
  const contents = Buffer.alloc(4 + names.length * 8);
  contents.writeUInt32LE(names.length, 0);
  let name = contents.length;
  let item = contents.length + Buffer.concat(names).length;
  Object.values(items).forEach((text, index) => {
    contents.writeUInt32LE(name, 4 + index * 8);
    contents.writeUInt32LE(item, 8 + index * 8);
    name += names[index]?.length ?? 0;
    item += text.length;
  });
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16LE(HEADER_BYTES, 0);
  header.writeUInt16BE(0xda27, 2);
  return Buffer.concat([header, contents, ...names, Buffer.from(Object.values(items).join(''))]);
}
