/**
 * Judges if a user can reach a file: the modes of each folder on the way, by the rules of path_resolution(7). Access
 * control lists and security modules are not looked at. Opens nothing and changes no credentials.
 */
import { realpathSync, statSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import { toPath } from '../files/bytes.ts';
import type { UserIds } from './credentials.ts';

/** A right, as a bit of a mode. */
export const READ = 4;
export const EXECUTE = 1;

/** A file or folder that stops a user. */
export interface Obstacle {
  readonly path: string;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** Judges paths. Remembers folders, because many programs share theirs. */
export class AccessJudge {
  readonly #stats = new Map<string, Stats | null>();
  readonly #folders = new Map<string, Obstacle | null>();

  /**
   * Finds what stops a user from a right to a file: a folder that the user cannot search, or the file itself. Null if
   * nothing does, or if the path cannot be examined.
   */
  find(path: string, ids: UserIds, right: number): Obstacle | null {
    const stats = this.#stat(path);
    if (stats === null) return null;
    return this.#findFolder(path, ids) ?? (hasRight(stats, ids, right) ? null : toObstacle(path, stats));
  }

  /** Looks at the folders of a path as written, and of the place that its links lead to. */
  #findFolder(path: string, ids: UserIds): Obstacle | null {
    return this.#findIn(dirname(path), ids) ?? this.#findIn(dirname(followLinks(path)), ids);
  }

  #findIn(folder: string, ids: UserIds): Obstacle | null {
    const key = `${ids.uid} ${ids.gid} ${folder}`;
    const known = this.#folders.get(key);
    if (known !== undefined) return known;
    const above = folder === dirname(folder) ? null : this.#findIn(dirname(folder), ids);
    const stats = this.#stat(folder);
    const found = above ?? (stats === null || hasRight(stats, ids, EXECUTE) ? null : toObstacle(folder, stats));
    this.#folders.set(key, found);
    return found;
  }

  #stat(path: string): Stats | null {
    const known = this.#stats.get(path);
    if (known !== undefined) return known;
    const stats = statOrNull(path);
    this.#stats.set(path, stats);
    return stats;
  }
}

function toObstacle(path: string, { mode, uid, gid }: Stats): Obstacle {
  return { path, mode: mode & 0o7777, uid, gid };
}

/** True if a mode gives a right to a user. Only one of the three parts of a mode counts: that of the closest class. */
export function hasRight(
  stats: Pick<Stats, 'mode' | 'uid' | 'gid' | 'isDirectory'>,
  { uid, gid, groups }: UserIds,
  right: number,
): boolean {
  // Root needs an x bit somewhere to execute a file, and nothing else (CAP_DAC_OVERRIDE).
  if (uid === 0) return right !== EXECUTE || stats.isDirectory() || (stats.mode & 0o111) !== 0;
  if (uid === stats.uid) return (stats.mode & (right << 6)) !== 0;
  if (gid === stats.gid || groups.includes(stats.gid)) return (stats.mode & (right << 3)) !== 0;
  return (stats.mode & right) !== 0;
}

/** A path that cannot be examined (missing, or closed to us) is judged by others, or not at all. */
function statOrNull(path: string): Stats | null {
  try {
    return statSync(toPath(path));
  } catch {
    return null;
  }
}

function followLinks(path: string): string {
  try {
    return realpathSync(toPath(path)).toString();
  } catch {
    return path;
  }
}
