/** Reads numbers and texts of an ELF file. A damaged file, whose offsets lead out of it, is a clear error. */

/** The first four bytes, 0x7f and ELF, as a number. */
export const ELF_MAGIC = 0x464c457f;

/** A view of a little-endian file whose reads outside of the file throw an error that says so. */
export class FileView {
  readonly #bytes: Buffer;

  constructor(file: Uint8Array) {
    this.#bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  }

  /** Throws if the file does not have these bytes. */
  require(at: number, size: number): void {
    if (at >= 0 && size >= 0 && at + size <= this.#bytes.length) return;
    throw new Error(
      `cannot read the ELF file: it is damaged or cut: byte ${at + size} of ${this.#bytes.length} is missing`,
    );
  }

  getUint8(at: number): number {
    this.require(at, 1);
    return this.#bytes.readUInt8(at);
  }

  getUint16(at: number): number {
    this.require(at, 2);
    return this.#bytes.readUInt16LE(at);
  }

  getUint32(at: number): number {
    this.require(at, 4);
    return this.#bytes.readUInt32LE(at);
  }

  getBigUint64(at: number): bigint {
    this.require(at, 8);
    return this.#bytes.readBigUInt64LE(at);
  }

  getBigInt64(at: number): bigint {
    this.require(at, 8);
    return this.#bytes.readBigInt64LE(at);
  }

  /** Returns a NUL-terminated text. */
  textAt(start: number): string {
    const end = start < 0 ? -1 : this.#bytes.indexOf(0, start);
    this.require(start, end === -1 ? this.#bytes.length : end - start);
    return this.#bytes.toString('latin1', start, end);
  }
}
