/**
 * Decides whether a product of the build is up to date: by the content of what it is made from, never by dates.
 * It never knows how a product is made.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** SHA-256 in hex over several parts; their borders count, so ('ab','c') differs from ('a','bc'). */
export function hashOf(...parts: ReadonlyArray<string | Uint8Array>): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? Buffer.from(part) : part;
    hash.update(`${bytes.length}:`).update(bytes);
  }
  return hash.digest('hex');
}

/** SHA-256 in hex of a file, read in pieces. */
export async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(piece as Buffer);
  return hash.digest('hex');
}

/** Whether `path` exists. */
export async function isPresent(path: string): Promise<boolean> {
  return (await stat(path).catch(absentAsNull)) !== null;
}

/**
 * Makes `product` with `make`, unless `keyFile` says that it is there and was made from `key`. Returns whether it was
 * made. `make` gets another name to write to: no reader sees half a product, and one that runs can be replaced. The key
 * file also names the inode and its date, so that of two builds at the same time neither takes the other's product for
 * its own.
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

/** What tells one file from another that later has its name; null when there is none. */
async function identityOf(path: string): Promise<string | null> {
  const status = await stat(path, { bigint: true }).catch(absentAsNull);
  return status === null ? null : `${status.ino}-${status.mtimeNs}-${status.size}`;
}

/** Writes a file so that a reader sees the old or the new content, never half of one. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const next = `${path}.${process.pid}.new`;
  await writeFile(next, content);
  await rename(next, path);
}

/** For `catch`: a missing file is null, every other error stays one. */
export function absentAsNull(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
