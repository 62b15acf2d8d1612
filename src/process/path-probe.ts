/**
 * Asks whether the files of a start can be reached, before the start touches them. Between clone and exec, a child has
 * our memory, and the kernel lets us wait until the program is loaded. If its file system hangs, we would hang with it,
 * and answer neither clients nor TERM. So a thread of the pool looks first. Files on local disks are not asked for.
 */
import { open, stat } from 'node:fs/promises';
import type { Clock } from '../engine/ports.ts';
import { toPath } from '../files/bytes.ts';
import { findRemote, readMounts, type RemoteMounts, type RemotePath } from '../files/remote-mounts.ts';

/** Time within which a file system must answer. */
const PATIENCE_MS = 5000;
/** Time for which the table of mounts is taken as unchanged. */
const FRESH_MS = 100;
/** Bytes that the kernel reads to tell how a file is executed. */
const HEAD_BYTES = 256;

/** Parts of a {@link PathProbe}. Tests replace the last two. */
export interface PathProbeParts {
  readonly clock: Clock;
  readonly mounts?: () => RemoteMounts;
  /** Touches a file as a start would. May never resolve. */
  readonly touch?: (path: string) => Promise<void>;
}

/** Called once, with the reason why the start must not be made, or null. */
export type Reached = (reason: string | null) => void;

/** Looks at paths on file systems that may hang. */
export class PathProbe {
  readonly #clock: Clock;
  readonly #readMounts: () => RemoteMounts;
  readonly #touch: (path: string) => Promise<void>;
  #mounts: RemoteMounts = new Map();
  #readAtMs = -Infinity;
  /** Mount points with a look that has no answer yet. Each holds a thread of the pool. */
  readonly #silent = new Map<string, { readonly sinceMs: number; readonly answered: Promise<void> }>();

  constructor({ clock, mounts = readMounts, touch = touchFile }: PathProbeParts) {
    this.#clock = clock;
    this.#readMounts = mounts;
    this.#touch = touch;
  }

  /**
   * Looks at absolute paths. Calls `done` before it returns if none of them is on a file system that may hang. The
   * returned function calls `done` at once, with a reason.
   */
  look(paths: () => readonly string[], done: Reached): () => void {
    const mounts = this.#freshMounts();
    const remote = mounts.size === 0 ? [] : remotePathsOf(paths(), mounts);
    if (remote.length === 0) {
      done(null);
      return () => undefined;
    }
    const isOver = { value: false };
    const finish: Reached = (reason) => {
      if (isOver.value) return;
      isOver.value = true;
      callOff();
      done(reason);
    };
    let current = remote[0];
    const callOff = this.#clock.alarm(this.#clock.nowMs() + PATIENCE_MS, () => finish(describeSilence(current)));
    const walk = async (): Promise<void> => {
      for (const each of remote) {
        current = each;
        if (this.#hasHung(each.mountPoint)) return finish(describeSilence(each));
        await this.#ask(each);
      }
      finish(null);
    };
    void walk();
    return () => finish('it was stopped before it was started');
  }

  #freshMounts(): RemoteMounts {
    const nowMs = this.#clock.nowMs();
    if (nowMs - this.#readAtMs >= FRESH_MS) {
      this.#mounts = this.#readMounts();
      this.#readAtMs = nowMs;
    }
    return this.#mounts;
  }

  #hasHung(mountPoint: string): boolean {
    const silent = this.#silent.get(mountPoint);
    return silent !== undefined && this.#clock.nowMs() - silent.sinceMs >= PATIENCE_MS;
  }

  /** Looks at one path. Looks at one file system come one after the other, so that it holds one thread. */
  async #ask({ mountPoint, path }: RemotePath): Promise<void> {
    for (let silent = this.#silent.get(mountPoint); silent !== undefined; silent = this.#silent.get(mountPoint))
      await silent.answered;
    const answered = this.#touch(path).finally(() => this.#silent.delete(mountPoint));
    this.#silent.set(mountPoint, { sinceMs: this.#clock.nowMs(), answered });
    await answered;
  }
}

function remotePathsOf(paths: readonly string[], mounts: RemoteMounts): RemotePath[] {
  return paths.map((path) => findRemote(path, mounts)).filter((remote) => remote !== null);
}

function describeSilence(remote: RemotePath | undefined): string {
  return `${remote?.path} cannot be reached: the file system ${remote?.mountPoint} (${remote?.type}) does not answer`;
}

/** Reads what exec reads first. Errors are ignored: the start meets them too, and tells them better. */
async function touchFile(path: string): Promise<void> {
  try {
    if (!(await stat(toPath(path))).isFile()) return;
    const file = await open(toPath(path));
    try {
      await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    } finally {
      await file.close();
    }
  } catch {
    // See above.
  }
}
