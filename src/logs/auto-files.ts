/**
 * The log files of AUTO: their names in `childlogdir`, and which files there were left by an earlier run.
 * Reads and creates names; what becomes of the files is decided elsewhere.
 */
import { closeSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { randomInt } from 'node:crypto';
import { errnoOf } from '../core/error-text.ts';
import type { StreamName } from './ports.ts';

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
    for (let i = 0; i < RANDOM_LENGTH; i++) random += ALPHABET[randomInt(ALPHABET.length)];
    const path = join(directory, `${proc}-${stream}---${identifier}-${random}.log`);
    try {
      closeSync(openSync(path, 'wx', 0o600));
      return path;
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST' || attempt === ATTEMPTS) throw error;
    }
  }
}

/**
 * The paths in a directory that look like AUTO files of this identifier, backups included: what is removed at start
 * unless `nocleanup`. Throws the errno of the directory.
 */
export function findAutoFiles(directory: string, identifier: string): string[] {
  // compat: Supervisor's pattern is not anchored at its end, and so are the files it removes.
  const pattern = new RegExp(`^.+?---${identifier.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}-\\S+\\.log`);
  return readdirSync(directory)
    .filter((name) => pattern.test(name))
    .map((name) => join(directory, name));
}
