/**
 * The log files of AUTO: their names in `childlogdir`, and the files there that an earlier supervisor left.
 * This file creates and lists names. The caller decides what happens to the files.
 */
import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { errnoOf } from '../core/error-text.ts';
import type { StreamName } from '../core/stream-name.ts';
import { resolveLinks } from '../files/links.ts';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789_';
const RANDOM_LENGTH = 8;
const ATTEMPTS = 100;

/**
 * Creates an empty file `NAME-stdout---IDENTIFIER-XXXXXXXX.log`, mode 0600 like mkstemp(3), and returns its path.
 * Throws the errno of the directory. (`stdout_logfile=AUTO`)
 */
export function createAutoFile(directory: string, proc: string, stream: StreamName, identifier: string): string {
  for (let attempt = 1; ; attempt++) {
    let random = '';
    for (const byte of readRandom(RANDOM_LENGTH)) random += ALPHABET[byte % ALPHABET.length];
    // The link of another user must not choose where we create a file.
    resolveLinks(directory);
    const path = join(directory, `${proc}-${stream}---${identifier}-${random}.log`);
    try {
      closeSync(openSync(path, 'wx', 0o600));
      return path;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Reads random bytes of the kernel. Loading node:crypto takes 10 ms of a start, and is left to roots without /dev. */
function readRandom(count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  try {
    const fd = openSync('/dev/urandom', 'r');
    try {
      if (readSync(fd, bytes) === count) return bytes;
    } finally {
      closeSync(fd);
    }
  } catch {
    // No such device, or no free descriptor.
  }
  return randomBytes(count);
}

/**
 * Returns the paths in a directory that look like AUTO files of this identifier, with their backups. They are removed
 * at start unless `nocleanup` is set. Throws the errno of the directory.
 */
export function findAutoFiles(directory: string, identifier: string): string[] {
  // compat: Supervisor's pattern has no anchor at its end, so backups (NAME.log.1) match too.
  const pattern = new RegExp(`^.+?---${identifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}-\\S+\\.log`);
  resolveLinks(directory);
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .map((name) => join(directory, name));
}
