/**
 * Rules of the files that logs go to: their directories must exist or be made (`logfile_mkdir`), and a mode or an owner
 * needs a file (`stdout_logfile_mode`, `stdout_logfile_owner`). Pure; look-ups go through the context.
 */
import { posix } from 'node:path';
import type { Context } from './datatype.ts';
import { findMissingDirectory } from './datatypes.ts';
import type { LogTarget } from './log-target.ts';
import type { SectionView } from './section-view.ts';

/** The options of one log: `logfile`, `stdout_logfile` or `stderr_logfile`. */
export interface LogFileOptions {
  /** Name of the option with the targets. Those of mode and owner begin with it. */
  readonly option: 'logfile' | 'stdout_logfile' | 'stderr_logfile';
  readonly targets: readonly LogTarget[];
  readonly mkdir: boolean;
}

/** Returns the path of a target that is a regular file. Null for other targets, and for devices. */
export function fileIn(target: LogTarget): string | null {
  if (target.kind !== 'file') return null;
  const path = posix.normalize(target.path);
  return /^\/(?:dev|proc)\//.test(path) ? null : path;
}

/** Reports directories that are missing, and a mode or an owner without a file. */
export function checkLogFiles(view: SectionView, log: LogFileOptions, context: Context): void {
  for (const target of log.targets) {
    const reason = target.kind === 'file' ? explainDirectory(target.path, log.mkdir, context) : null;
    if (reason !== null) view.error(log.option, reason);
  }
  if (log.targets.some((target) => target.kind === 'auto' || fileIn(target) !== null)) return;
  for (const name of [`${log.option}_mode`, `${log.option}_owner`])
    // Values for all programs, of [program-default], are for those with a file.
    if (view.section.options.has(name))
      view.error(
        name,
        `is for a file only, and ${log.option} has none: name a path there, or remove it; /dev/stdout, syslog and ` +
          'log servers have no mode and no owner',
      );
}

/** Returns the reason why the directory of a log cannot be used. */
function explainDirectory(path: string, mkdir: boolean, context: Context): string | null {
  const missing = findMissingDirectory(path, context);
  if (missing === null) return null;
  if (!mkdir)
    return `the directory ${missing} of ${path} does not exist; create it, use another path, or set logfile_mkdir=true`;
  const file = findFileAbove(missing, context);
  return file === null ? null : `the directory ${missing} cannot be made, because ${file} is a file; use another path`;
}

/** Returns the file in the place of a directory or of one above it. */
function findFileAbove(directory: string, { host }: Context): string | null {
  for (let at = directory; at !== '/'; at = posix.dirname(at)) {
    if (host?.isFile(at) === true) return at;
    if (host?.isDirectory(at) === true) return null;
  }
  return null;
}
