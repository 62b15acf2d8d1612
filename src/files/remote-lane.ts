/**
 * Lanes for operations on files of remote file systems: one operation at a time is in a lane. So a file system that
 * hangs holds one thread of the pool, and not all of them. Local files have no lane.
 */
import { findRemote, recentMounts, type RemoteMounts } from './remote-mounts.ts';

/** Time for which the table of mounts is taken as unchanged. */
const FRESH_MS = 1000;

/** The operations that wait, by the mount points whose lanes are taken. */
type Taken = Map<string, Array<() => void>>;

/** The lanes of this process. */
const ownLanes: Taken = new Map();

/** Parts of a {@link RemoteLane}, for tests. */
export interface LaneParts {
  readonly mounts?: () => RemoteMounts;
  readonly taken?: Taken;
}

/** The lane of one path. All paths of a mount point share it. */
export class RemoteLane {
  readonly #path: string;
  readonly #mounts: () => RemoteMounts;
  readonly #taken: Taken;
  /** The table of mounts that {@link #mountPoint} was looked up in. */
  #known: RemoteMounts | null = null;
  #mountPoint: string | null = null;

  constructor(path: string, { mounts = readMounts, taken = ownLanes }: LaneParts = {}) {
    this.#path = path;
    this.#mounts = mounts;
    this.#taken = taken;
  }

  /** True if the path is on a remote file system. The root is none of them: nothing runs while it hangs. */
  get isNeeded(): boolean {
    return this.#look() !== null;
  }

  /**
   * Runs an operation when the lane is free: now or later. The operation must call `leave` once at its end, after the
   * call of it has returned.
   */
  enter(operation: (leave: () => void) => void): void {
    const mountPoint = this.#look();
    if (mountPoint === null) return operation(() => undefined);
    const waiting = this.#taken.get(mountPoint);
    const begin = (): void => operation(() => this.#leave(mountPoint));
    if (waiting !== undefined) {
      waiting.push(begin);
      return;
    }
    this.#taken.set(mountPoint, []);
    begin();
  }

  #leave(mountPoint: string): void {
    const next = this.#taken.get(mountPoint)?.shift();
    if (next === undefined) this.#taken.delete(mountPoint);
    else next();
  }

  #look(): string | null {
    const mounts = this.#mounts();
    if (mounts !== this.#known) {
      this.#known = mounts;
      const { mountPoint } = (mounts.size === 0 ? null : findRemote(this.#path, mounts)) ?? { mountPoint: '/' };
      this.#mountPoint = mountPoint === '/' ? null : mountPoint;
    }
    return this.#mountPoint;
  }
}

function readMounts(): RemoteMounts {
  return recentMounts(FRESH_MS);
}
