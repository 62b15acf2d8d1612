/**
 * Watches the files that patterns match, and calls back when some have changed. Events of inotify(7) are hints only:
 * a comparison of fingerprints decides. Without an event nothing runs.
 *
 * Each directory gives one event, then its watch is closed until the directory has been looked at. So a program that
 * writes a file a million times costs a look every second at most, and a burst of events cannot keep the loop busy.
 */
import { type FSWatcher, watch } from 'node:fs';
import { errnoOf } from '../core/error-text.ts';
import { Alarm } from '../engine/alarm.ts';
import type { Clock } from '../engine/ports.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { InTurn } from './turns.ts';
import { type Look, lookAgain, lookAt, type LookSettings, TooManyError } from './directory-tree.ts';

/** Parts of a {@link FileWatch}. */
export interface FileWatchParts {
  /** Absolute patterns (core/path-pattern.ts). */
  readonly patterns: readonly string[];
  /** True for a file that does not count, such as a log of ours. */
  readonly isIgnored: (path: string) => boolean;
  readonly clock: Clock;
  /** Runs one look after the other, over all watches. */
  readonly inTurn: InTurn;
  /** Called once with the number of files, when changes from now on are noticed. */
  readonly begun: (files: number) => void;
  /** Called with the paths that were changed, added or removed, in order of their names. */
  readonly changed: (paths: readonly string[]) => void;
  /** Called with the reason why some changes may not be noticed; once for each reason. */
  readonly problem: (text: string) => void;
}

/** A change counts when no other has followed for this time… */
const SETTLE_MS = 200;
/** …or after this time, if changes go on. */
const LONGEST_SETTLE_MS = 2000;
/** Pause after which a directory that cannot be watched is looked at again, and its watch is tried again. */
const RETRY_MS = 5000;
/** Longest pause of a directory with events that do not matter, such as those of a log. */
const LONGEST_PAUSE_MS = 1000;

/** Watches the files of some patterns, from its creation until {@link FileWatch.close}. */
export class FileWatch {
  readonly #parts: FileWatchParts;
  readonly #settings: LookSettings;
  readonly #alarm: Alarm;
  readonly #watchers = new Map<string, { readonly identity: string; readonly watcher: FSWatcher }>();
  /** Directories with an event that were not looked at yet, and when to look. */
  readonly #dirty = new Map<string, number>();
  /** Pauses of directories whose latest events did not matter. */
  readonly #pauses = new Map<string, number>();
  readonly #problems = new Set<string>();
  /** Changed files that were not reported yet. */
  readonly #changed = new Set<string>();
  #firstChangeMs = 0;
  /** Latest complete look; null before the first. */
  #look: Look | null = null;
  #isClosed = false;
  #isLooking = false;

  constructor(parts: FileWatchParts) {
    this.#parts = parts;
    this.#settings = {
      patterns: parts.patterns,
      isIgnored: parts.isIgnored,
      enterDirectory: (path, identity) => this.#open(path, identity),
    };
    this.#alarm = new Alarm(parts.clock, () => this.#start());
    this.#start();
  }

  /** Ends the watch. No callback follows. */
  close(): void {
    this.#isClosed = true;
    this.#alarm.set(null);
    for (const path of this.#watchers.keys()) this.#closeWatcher(path);
  }

  #start(): void {
    if (this.#isLooking || this.#isClosed) return;
    this.#isLooking = true;
    void this.#parts.inTurn(
      () => this.#run(),
      () =>
        this.#note(`changes of ${this.#parts.patterns.join(', ')} are noticed later: a file system does not answer`),
    );
  }

  /** Looks at what has to be looked at. Never rejects. */
  async #run(): Promise<void> {
    try {
      if (this.#isClosed) return;
      if (this.#look === null || (await this.#hasChanges(this.#look))) await this.#lookAtAll();
      else this.#report();
    } catch (error) {
      const reason = error instanceof TooManyError ? error.message : describeSystemError(error);
      this.#note(`cannot watch ${this.#parts.patterns.join(', ')}: ${reason}`);
      if (error instanceof TooManyError) this.close();
    } finally {
      this.#isLooking = false;
      this.#arm();
    }
  }

  /** Looks at the directories that are due. Returns true if a change matters. */
  async #hasChanges(look: Look): Promise<boolean> {
    const nowMs = this.#parts.clock.nowMs();
    let isChanged = false;
    for (const [path, dueMs] of this.#dirty) {
      if (dueMs > nowMs) continue;
      this.#dirty.delete(path);
      const seen = look.directories.get(path);
      // Opened before the look, so that no change is missed between the two.
      if (seen !== undefined) this.#open(path, seen.identity);
      if (seen === undefined || (await lookAgain(this.#settings, look, path)) === seen.signature)
        this.#pauses.set(path, Math.min((this.#pauses.get(path) ?? SETTLE_MS / 2) * 2, LONGEST_PAUSE_MS));
      else isChanged = true;
    }
    return isChanged;
  }

  /** Looks at everything, and compares with the look before. */
  async #lookAtAll(): Promise<void> {
    const before = this.#look;
    this.#dirty.clear();
    const look = await lookAt(this.#settings);
    if (this.#isClosed) return;
    this.#look = look;
    this.#pauses.clear();
    for (const path of this.#watchers.keys()) if (!look.directories.has(path)) this.#closeWatcher(path);
    for (const path of look.remote)
      this.#note(`changes that other machines make in ${path} are not noticed: its file system does not report them`);
    if (before === null) return this.#parts.begun(look.files.size);
    if (this.#changed.size === 0) this.#firstChangeMs = this.#parts.clock.nowMs();
    for (const path of new Set([...before.files.keys(), ...look.files.keys()]))
      if (before.files.get(path) !== look.files.get(path)) this.#changed.add(path);
    if (this.#parts.clock.nowMs() - this.#firstChangeMs >= LONGEST_SETTLE_MS) this.#report();
  }

  #report(): void {
    if (this.#changed.size === 0) return;
    const paths = [...this.#changed].sort();
    this.#changed.clear();
    this.#parts.changed(paths);
  }

  #arm(): void {
    if (this.#isClosed) return;
    const nowMs = this.#parts.clock.nowMs();
    const dueMs = Math.min(...this.#dirty.values(), this.#changed.size > 0 ? nowMs + SETTLE_MS : Infinity);
    this.#alarm.set(dueMs === Infinity ? null : dueMs);
  }

  /** Watches a directory, unless that is done already. */
  #open(path: string, identity: string): void {
    if (this.#isClosed || this.#watchers.get(path)?.identity === identity) return;
    this.#closeWatcher(path);
    try {
      const watcher = watch(path, { persistent: false }, () => this.#hint(path));
      watcher.on('error', () => this.#hint(path));
      this.#watchers.set(path, { identity, watcher });
    } catch (error) {
      // The look that follows finds out that the directory is gone.
      const code = errnoOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') return;
      this.#note(explainFailure(path, error));
      this.#dirty.set(path, this.#parts.clock.nowMs() + RETRY_MS);
    }
  }

  #hint(path: string): void {
    this.#closeWatcher(path);
    if (this.#isClosed || this.#dirty.has(path)) return;
    this.#dirty.set(path, this.#parts.clock.nowMs() + (this.#pauses.get(path) ?? SETTLE_MS));
    if (!this.#isLooking) this.#arm();
  }

  #closeWatcher(path: string): void {
    this.#watchers.get(path)?.watcher.close();
    this.#watchers.delete(path);
  }

  #note(text: string): void {
    if (this.#problems.has(text) || this.#isClosed) return;
    this.#problems.add(text);
    this.#parts.problem(text);
  }
}

function explainFailure(path: string, error: unknown): string {
  const pause = `it is looked at every ${RETRY_MS / 1000} s until that works`;
  const reason = `cannot watch ${path}: ${describeSystemError(error)}; ${pause}`;
  switch (errnoOf(error)) {
    case 'ENOSPC':
      return `${reason}; the kernel allows more with sysctl fs.inotify.max_user_watches, on the host`;
    case 'EMFILE':
      return `${reason}; the kernel allows more with sysctl fs.inotify.max_user_instances, on the host`;
    default:
      return reason;
  }
}
