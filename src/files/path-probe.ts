/**
 * Asks whether files can be reached, before PID 1 touches them: the files of a start, of a hook or check, of a reload,
 * and those that are read again for each request. Between clone and exec, a child has our memory, and the kernel lets
 * us wait until the program is loaded. If its file system hangs, we would hang with it, and answer neither clients nor
 * TERM. So a thread of the pool looks first. Files on local disks are not asked for.
 */
import { findRemote, recentMounts, type RemoteMounts, type RemotePath } from './remote-mounts.ts';
import { interpreterIn, loaderOf, MOST_INTERPRETERS, readHead, readHeadOnThread } from './file-head.ts';

/** Time within which a file system must answer. */
const PATIENCE_MS = 5000;
/** Time for which the table of mounts is taken as unchanged. */
const FRESH_MS = 100;
/** Reason of a look that was ended. A start gives it as the reason why it was not made. */
const CALLED_OFF = 'it was stopped before it was started';

/** A path to look at: as such, or with the interpreters and the loader that execute it. */
export type LookedAt = string | { readonly executable: string };

/** A remote path, and the number of interpreters that may follow it. */
type Look = RemotePath & { readonly interpreters: number };

/** A monotonic clock in milliseconds. `alarm` returns the function that cancels it. */
interface ProbeClock {
  nowMs(): number;
  alarm(atMs: number, wake: () => void): () => void;
}

const ownClock: ProbeClock = {
  nowMs: () => performance.now(),
  alarm: (atMs, wake) => {
    const timer = setTimeout(wake, Math.max(0, atMs - performance.now()));
    return () => clearTimeout(timer);
  },
};

/** Parts of a {@link PathProbe}, for tests. */
export interface PathProbeParts {
  readonly clock?: ProbeClock;
  readonly mounts?: () => RemoteMounts;
  /** Reads the head of a file, as exec does first. May never resolve. */
  readonly touch?: (path: string) => Promise<Buffer | null>;
  /** The same for a file on a local disk. */
  readonly readLocal?: (path: string) => Buffer | null;
}

/** A path cannot be reached. The message is the reason. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** Called once, with the reason why the paths must not be touched, or null. */
export type Reached = (reason: string | null) => void;

/** Looks at paths on file systems that may hang. */
export class PathProbe {
  readonly #clock: ProbeClock;
  readonly #readMounts: () => RemoteMounts;
  readonly #touch: (path: string) => Promise<Buffer | null>;
  readonly #readLocal: (path: string) => Buffer | null;
  /** The looks under way. */
  readonly #looks = new Set<Promise<void>>();
  /** Mount points with a look that has no answer yet. Each holds a thread of the pool. */
  readonly #silent = new Map<string, { readonly sinceMs: number; readonly answered: Promise<unknown> }>();

  constructor(parts: PathProbeParts = {}) {
    const {
      clock = ownClock,
      mounts = () => recentMounts(FRESH_MS),
      touch = readHeadOnThread,
      readLocal = readHead,
    } = parts;
    this.#clock = clock;
    this.#readMounts = mounts;
    this.#touch = touch;
    this.#readLocal = readLocal;
  }

  /**
   * Looks at absolute paths. Calls `done` before it returns if none of them is on a file system that may hang. The
   * returned function calls `done` at once, with a reason.
   */
  look(paths: () => readonly LookedAt[], done: Reached): () => void {
    const mounts = this.#readMounts();
    const remote = mounts.size === 0 ? [] : paths().flatMap((path) => this.#remoteOf(path, mounts) ?? []);
    if (remote.length === 0) {
      done(null);
      return () => undefined;
    }
    let isOver = false;
    const ended = Promise.withResolvers<void>();
    this.#looks.add(ended.promise);
    const finish: Reached = (reason) => {
      if (isOver) return;
      isOver = true;
      this.#looks.delete(ended.promise);
      ended.resolve();
      callOff();
      done(reason);
    };
    let current = remote[0];
    const callOff = this.#clock.alarm(this.#clock.nowMs() + PATIENCE_MS, () => finish(describeSilence(current)));
    const walk = async (): Promise<void> => {
      for (const each of remote) {
        current = each;
        if (this.#hasHung(each.mountPoint)) return finish(describeSilence(each));
        const head = await this.#ask(each);
        if (each.interpreters === 0 || head === null) continue;
        const next = this.#interpreterOf(head, each.interpreters, mounts);
        if (next !== null) remote.push(next);
      }
      finish(null);
    };
    void walk();
    return () => finish(CALLED_OFF);
  }

  /**
   * Begins work that touches absolute paths, once they can be reached: before this call returns, if none of them is on
   * a file system that may hang. `begin` must not throw, and returns the function that ends the work. If the paths
   * cannot be reached, `refuse` gets the reason, after this call has returned. The returned function ends the look, and
   * then `refuse` is called, or the work.
   */
  whenReached(paths: () => readonly LookedAt[], begin: () => () => void, refuse: (reason: string) => void): () => void {
    let end: (() => void) | null = null;
    const callOff = this.look(paths, (reason) => {
      if (reason === null) end = begin();
      else queueMicrotask(() => refuse(reason));
    });
    return () => (end ?? callOff)();
  }

  /** Resolves when the looks that are under way have ended. */
  async idle(): Promise<void> {
    await Promise.all(this.#looks);
  }

  /** As {@link look}. Resolves with the reason why the paths must not be touched, or null. */
  reach(paths: () => readonly LookedAt[]): Promise<string | null> {
    return new Promise((resolve) => void this.look(paths, resolve));
  }

  /** As {@link look}, for one path. Rejects with an {@link UnreachableError}. */
  async require(path: string): Promise<void> {
    const silence = await this.reach(() => [path]);
    if (silence !== null) throw new UnreachableError(silence);
  }

  #hasHung(mountPoint: string): boolean {
    const silent = this.#silent.get(mountPoint);
    return silent !== undefined && this.#clock.nowMs() - silent.sinceMs >= PATIENCE_MS;
  }

  /** Looks at one path. Looks at one file system come one after the other, so that it holds one thread. */
  async #ask({ mountPoint, path }: RemotePath): Promise<Buffer | null> {
    for (let silent = this.#silent.get(mountPoint); silent !== undefined; silent = this.#silent.get(mountPoint))
      await silent.answered;
    const answered = this.#touch(path).finally(() => this.#silent.delete(mountPoint));
    this.#silent.set(mountPoint, { sinceMs: this.#clock.nowMs(), answered });
    return answered;
  }

  /** Returns the first remote path on the way to a path, or to its interpreter or loader; null for none. */
  #remoteOf(path: LookedAt, mounts: RemoteMounts): Look | null {
    if (typeof path !== 'string') return this.#remoteOfExecutable(path.executable, MOST_INTERPRETERS, mounts);
    const remote = findRemote(path, mounts);
    return remote === null ? null : { ...remote, interpreters: 0 };
  }

  #remoteOfExecutable(path: string, interpreters: number, mounts: RemoteMounts): Look | null {
    const remote = findRemote(path, mounts);
    if (remote !== null) return { ...remote, interpreters };
    const head = interpreters === 0 ? null : this.#readLocal(path);
    return head === null ? null : this.#interpreterOf(head, interpreters, mounts);
  }

  #interpreterOf(head: Buffer, interpreters: number, mounts: RemoteMounts): Look | null {
    const path = interpreterIn(head);
    if (path !== null) return this.#remoteOfExecutable(path, interpreters - 1, mounts);
    const loader = loaderOf(head);
    // The kernel opens the loader too. A loader has no loader of its own.
    return loader?.startsWith('/') === true ? this.#remoteOfExecutable(loader, 0, mounts) : null;
  }
}

/** The probe of this process. The looks of all callers share it, so that a silent file system holds one thread. */
export const pathProbe = new PathProbe();

function describeSilence(remote: RemotePath | undefined): string {
  return `${remote?.path} cannot be reached: the file system ${remote?.mountPoint} (${remote?.type}) does not answer`;
}
