/**
 * Watches of files, for programs and for the configuration. All of them together look at one directory at a time,
 * unless one hangs.
 */
import type { Cause } from '../core/cause.ts';
import type { Clock, Report } from '../engine/ports.ts';
import type { Hub } from '../logs/ports.ts';
import { FileWatch } from '../watch/file-watch.ts';
import { makeTurns } from '../watch/turns.ts';

/** Files to watch. */
export interface WatchedFiles {
  readonly patterns: readonly string[];
  /** Option that names them, for messages. */
  readonly option: string;
  readonly changed: (cause: Extract<Cause, { kind: 'file' }>) => void;
}

/** Watches files. Returns a function that ends the watch. */
export type WatchFiles = (files: WatchedFiles) => () => void;

/** End of the name of a rotated log. */
const BACKUP = /\.\d{1,9}(?:\.gz(?:\.tmp)?)?$/;

const WATCHING = { event: 'watching' } as const;

/** Makes the function that watches files. Logs of ours, and their backups, do not count as changes. */
export function makeWatchFiles(clock: Clock, hub: Pick<Hub, 'fileState'>, report: Report): WatchFiles {
  const inTurn = makeTurns(clock);
  const isLog = (path: string): boolean => hub.fileState(path, 0) !== null;
  return ({ patterns, option, changed }) => {
    const watch = new FileWatch({
      patterns,
      clock,
      inTurn,
      isIgnored: (path) => isLog(path) || (BACKUP.test(path) && isLog(path.replace(BACKUP, ''))),
      begun: (files) => report('info', `${option}: watching ${formatCount(files)} of ${patterns.join(', ')}`, WATCHING),
      changed: ([path = '', ...others]) => changed({ kind: 'file', path, others: others.length }),
      problem: (text) => report('warn', `${option}: ${text}`, WATCHING),
    });
    return () => watch.close();
  };
}

function formatCount(files: number): string {
  return files === 1 ? '1 file' : `${files} files`;
}
