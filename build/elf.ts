/**
 * Reads the versions of library symbols that an ELF file needs, as `objdump -T` shows them. Runs no program, so it
 * works for every processor and without binutils.
 */

/** Section type of `.gnu.version_r` (LSB, symbol versioning). */
const SHT_GNU_VERNEED = 0x6ffffffe;

/**
 * Returns the symbol versions that a 64-bit little-endian ELF file needs, such as `GLIBC_2.14`. Throws for any other
 * file.
 */
export function neededVersions(file: Uint8Array): string[] {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isElf64Little = view.getUint32(0) === 0x7f454c46 && view.getUint8(4) === 2 && view.getUint8(5) === 1;
  if (!isElf64Little) throw new Error('cannot read the symbol versions: not a 64-bit little-endian ELF file');
  const table = Number(view.getBigUint64(0x28, true));
  const entrySize = view.getUint16(0x3a, true);
  const count = view.getUint16(0x3c, true);
  const sectionAt = (index: number): Section => {
    const at = table + index * entrySize;
    return {
      type: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 0x18, true)),
      link: view.getUint32(at + 0x28, true),
      info: view.getUint32(at + 0x2c, true),
    };
  };
  const sections = Array.from({ length: count }, (_, index) => sectionAt(index));
  return sections
    .filter(({ type }) => type === SHT_GNU_VERNEED)
    .flatMap((needs) => {
      const names = sectionAt(needs.link).offset;
      return versionsOf(view, needs).map((offset) => textAt(file, names + offset));
    });
}

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly link: number;
  readonly info: number;
}

/** Returns the offsets of the version names in the string table. Each needed library has a list of versions. */
function versionsOf(view: DataView, needs: Section): number[] {
  const names: number[] = [];
  let library = needs.offset;
  for (let i = 0; i < needs.info; i += 1) {
    let version = library + view.getUint32(library + 8, true);
    for (let left = view.getUint16(library + 2, true); left > 0; left -= 1) {
      names.push(view.getUint32(version + 8, true));
      version += view.getUint32(version + 12, true);
    }
    library += view.getUint32(library + 12, true);
  }
  return names;
}

/** Returns a NUL-terminated string of a string table. */
function textAt(file: Uint8Array, start: number): string {
  return Buffer.from(file.subarray(start, file.indexOf(0, start))).toString('latin1');
}
