/**
 * Decides if a product of the build is up to date, by the content of its inputs and never by their dates. Does not know
 * how a product is made.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Returns the SHA-256 of several parts in hex. The borders of the parts count: ('ab','c') differs from ('a','bc'). */
export function hashOf(...parts: ReadonlyArray<string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex');
}

/** Returns the SHA-256 of a file in hex. Reads the file in pieces. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** True if `path` exists. */
export async function isPresent(path: string): Promise<boolean> {
  return (await stat(path).catch(absentAsNull)) !== null;
}

/**
 * Makes `product` with `make`, unless `keyFile` shows that it exists and was made from `key`. Returns true if it was
 * made. `make` writes to a temporary name. So no reader sees half a product, and a running executable can be replaced.
 * The key file also has the inode and the date of the product. So neither of two simultaneous builds accepts the
 * product of the other.
 */
export async function makeUnlessCurrent(
  product: string,
  keyFile: string,
  key: string,
  make: (output: string) => Promise<void>,
): Promise<boolean> {
  const identity = await identityOf(product);
  if (identity !== null && (await readFile(keyFile, 'utf8').catch(absentAsNull)) === `${key} ${identity}`) return false;
  await mkdir(dirname(product), { recursive: true });
  await mkdir(dirname(keyFile), { recursive: true });
  const output = `${product}.${process.pid}.new`;
  try {
    await make(output);
    const made = await identityOf(output);
    await rename(output, product);
    await writeWhole(keyFile, `${key} ${String(made)}`);
  } finally {
    await rm(output, { force: true });
  }
  return true;
}

/** Returns a text that tells a file from a later file of the same name; null if there is no file. */
async function identityOf(path: string): Promise<string | null> {
  const status = await stat(path, { bigint: true }).catch(absentAsNull);
  return status === null ? null : `${status.ino}-${status.mtimeNs}-${status.size}`;
}

/** Writes a file atomically: a reader sees the old or the new content. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const next = `${path}.${process.pid}.new`;
  await writeFile(next, content);
  await rename(next, path);
}

/** Converts a missing file to null, in a `catch`. Throws every other error again. */
export function absentAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
