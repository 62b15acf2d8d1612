/**
 * Finds the compiler that takes the types out of TypeScript (amaro): WebAssembly in base64, in Node's own JavaScript.
 * Plug-ins are JavaScript, so its pages leave the executable: 3.8 MB, 1.0 MB with zstd. Pure.
 */
import { PAGE_BYTES } from './free-pages.ts';
import { roundUp } from './elf-image.ts';
import type { AddressRange } from './free-pages.ts';
import type { ElfImage } from './elf-image.ts';

/** The first bytes of a WebAssembly module, "\0asm", in base64. */
const START = 'AGFzbQ';
/** All other modules in Node are far smaller. */
const LEAST_BYTES = 1 << 20;
const BASE64 = /^[A-Za-z0-9+/=]*/;

/** Returns the whole pages in the text of the compiler. Throws if there is none in Node. */
export function typeStripperPages(node: ElfImage): AddressRange {
  const bytes = Buffer.from(node.bytes.buffer, node.bytes.byteOffset, node.bytes.length);
  const pageBytes = PAGE_BYTES[node.arch];
  for (let at = bytes.indexOf(START); at >= 0; at = bytes.indexOf(START, at + 1)) {
    const length = base64Length(bytes, at);
    if (length < LEAST_BYTES) continue;
    const start = node.addressOf(at);
    const end = start + length;
    return { start: roundUp(start, pageBytes), end: end - (end % pageBytes) };
  }
  throw new Error('cannot find the compiler of TypeScript (amaro) in Node: change build/libc/type-stripper.ts');
}

/** Number of characters of base64 from an offset on. */
function base64Length(bytes: Buffer, start: number): number {
  let end = start;
  for (;;) {
    const [found] = BASE64.exec(bytes.toString('latin1', end, end + LEAST_BYTES)) ?? [''];
    end += found.length;
    if (found.length < LEAST_BYTES) return end - start;
  }
}
