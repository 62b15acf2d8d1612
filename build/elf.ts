/**
 * Reads the versions of library symbols that an ELF file needs, as `objdump -T` shows them. Runs no program, so it
 * works for every processor and without binutils.
 */

import { ELF_MAGIC, FileView } from './file-view.ts';

/** Section type of `.gnu.version_r` (LSB, symbol versioning). */
const SHT_GNU_VERNEED = 0x6ffffffe;

/**
 * Returns the symbol versions that a 64-bit little-endian ELF file needs, such as `GLIBC_2.14`. Throws for any other
 * file.
 */
export function neededVersions(file: Uint8Array): string[] {
  const view = new FileView(file);
  const isElf64Little = view.getUint32(0) === ELF_MAGIC && view.getUint8(4) === 2 && view.getUint8(5) === 1;
  if (!isElf64Little) throw new Error('cannot read the symbol versions: not a 64-bit little-endian ELF file');
  const table = Number(view.getBigUint64(0x28));
  const entrySize = view.getUint16(0x3a);
  const count = view.getUint16(0x3c);
  const sectionAt = (index: number): Section => {
    const at = table + index * entrySize;
    return {
      type: view.getUint32(at + 4),
      offset: Number(view.getBigUint64(at + 0x18)),
      link: view.getUint32(at + 0x28),
      info: view.getUint32(at + 0x2c),
    };
  };
  const sections = Array.from({ length: count }, (_, index) => sectionAt(index));
  return sections
    .filter(({ type }) => type === SHT_GNU_VERNEED)
    .flatMap((needs) => {
      const names = sectionAt(needs.link).offset;
      return versionsOf(view, needs).map((offset) => view.textAt(names + offset));
    });
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly link: number;
  readonly info: number;
}

/** Returns the offsets of the version names in the string table. Each needed library has a list of versions. */
function versionsOf(view: FileView, needs: Section): number[] {
  const names: number[] = [];
  let library = needs.offset;
  for (let i = 0; i < needs.info; i += 1) {
    let version = library + view.getUint32(library + 8);
    for (let left = view.getUint16(library + 2); left > 0; left -= 1) {
      names.push(view.getUint32(version + 8));
      const next = view.getUint32(version + 12);
      // The last one. In a damaged file, the count may be anything.
      if (next === 0) break;
      version += next;
    }
    const next = view.getUint32(library + 12);
    if (next === 0) break;
    library += next;
  }
  return names;
}
