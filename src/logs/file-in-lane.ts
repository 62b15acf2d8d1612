/** The outlet for a path, with its operations in the lane of its file system (files/remote-lane.ts). */
import { RemoteLane } from '../files/remote-lane.ts';
import type { FileOutlet } from './file-outlet.ts';
import type { Done, Outlet, Written } from './outlets.ts';

/** A file outlet in its lane. */
export class FileInLane implements Outlet {
  readonly file: FileOutlet;
  readonly #lane: RemoteLane;

  constructor(path: string, file: FileOutlet) {
    this.file = file;
    this.#lane = new RemoteLane(path);
  }

  get hasNoFile(): boolean {
    return this.file.openFile === 'other';
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    if (!this.#isInLane) return this.file.write(bytes, start, end, written);
    this.#lane.enter((leave) =>
      this.file.write(bytes, start, end, (error, count) => {
        leave();
        written(error, count);
      }),
    );
  }

  open(done: Done): void {
    this.#operate('open', done);
  }

  reopen(done: Done): void {
    this.#operate('reopen', done);
  }

  clear(done: Done): void {
    this.#operate('clear', done);
  }

  rotate(done: Done): void {
    this.#operate('rotate', done);
  }

  close(done: Done): void {
    this.#operate('close', done);
  }

  #operate(kind: 'open' | 'reopen' | 'clear' | 'rotate' | 'close', done: Done): void {
    if (!this.#isInLane) return this.file[kind](done);
    this.#lane.enter((leave) =>
      this.file[kind]((error) => {
        leave();
        done(error);
      }),
    );
  }

  /** A pipe or a device has no lane: its reader may stall, and holds no thread that others need. */
  get #isInLane(): boolean {
    return this.#lane.isNeeded && !this.hasNoFile;
  }
}
