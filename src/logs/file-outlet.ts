/**
 * The outlet for a path. It opens the path when needed, appends, and rotates a regular file by size and time.
 * System calls run on threads of the pool, so a disk that hangs stops only the programs that write to it.
 * A path may also be a fifo, a terminal or a device, which is known only after open(2). Such a path is never rotated,
 * truncated or removed.
 *
 * A file to which nothing was written since it was opened is closed again: most programs write nothing to one of their
 * two logs, and a descriptor and its state are kept for each open file. The file exists, and every error of the opening
 * is known. The first bytes open the path again. A file with a rotation time ahead stays open.
 */
import { close, fstat, ftruncate, write } from 'node:fs';
import type { Stats } from 'node:fs';
import { unlink } from 'node:fs/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import { errnoOf } from '../core/error-text.ts';
import { describeSystemError } from '../files/system-error.ts';
import { Backups } from './compression.ts';
import type { CompressionTurns } from './compression.ts';
import { changeAccess, openLogFile, PLAIN_RULES } from './open-log-file.ts';
import type { OpenedPath } from './open-log-file.ts';
import { closeOpened, type Opened, openPatiently, type Regular, regular, statIfThere } from './opened-file.ts';
import { PipeOutlet, ThreadOutlet } from './outlets.ts';
import type { Done, Outlet, OutletHost, PipeGrowth, Written } from './outlets.ts';
import type { FileLimits, FileRules, LogClock, OpenFile } from './ports.ts';
import { RotationDeadline } from './rotation-deadline.ts';
import { endOfFill } from './rotation.ts';

const closeFile = promisify(close);
const truncateFile = promisify(ftruncate);
const statFile: (fd: number) => Promise<Stats> = promisify(fstat);

const NEWLINE = 0x0a;

const NO_BACKUPS = 'it has no backups (stdout_logfile_backups, stderr_logfile_backups), so its lines would be lost';

/** Parts that all file outlets share. */
export interface FileContext {
  readonly growth: PipeGrowth;
  readonly clock: LogClock;
  readonly turns: CompressionTurns;
}

/** Parts of a file outlet. */
export interface FileOutletParts {
  readonly path: string;
  readonly shared: FileContext;
  /** An opening is requested when the rotation time has come, or the file needs another mode. */
  readonly host: OutletHost;
}

/** The outlet for a path. */
export class FileOutlet implements Outlet {
  #limits: FileLimits;
  #rules: FileRules;
  /** True if the open file needs the mode and owner of new rules. */
  #isAccessDue = false;
  /** True if a refused mode or owner was reported. */
  #isRefusalTold = false;
  readonly #path: string;
  readonly #shared: FileContext;
  readonly #host: OutletHost;
  #opened: Opened | null = null;
  /** True if the file was closed because nothing was written to it. The first bytes open it again. */
  #isSetAside = false;
  /** Size of the file at which a failed rotation is tried again. */
  #rotateFrom = 0;
  /** Bytes in the file that the sink still counts as queued, because a rotation delays the end of their write. */
  #untoldBytes = 0;
  /** True if a client has asked for a rotation, which has not happened yet. */
  #isRotationAsked = false;
  /** Null until the first rotation time. */
  #deadline: RotationDeadline | null = null;
  /** Null until the first rotation or compression. */
  #madeBackups: Backups | null = null;

  constructor({ path, shared, host }: FileOutletParts, limits: FileLimits, rules: FileRules = PLAIN_RULES) {
    this.#path = path;
    this.#shared = shared;
    this.#host = host;
    this.#limits = limits;
    this.#rules = rules;
  }

  get #backups(): Backups {
    const { turns } = this.#shared;
    const report: OutletHost['report'] = (problem) => this.#host.report(problem);
    const isWritten = ({ dev, ino }: Stats): boolean =>
      this.#opened?.kind === 'regular' && this.#opened.ino === ino && this.#opened.dev === dev;
    this.#madeBackups ??= new Backups({ path: this.#path, turns, report, isWritten });
    return this.#madeBackups;
  }

  /** The open file for readers of the log; see {@link FileState}. */
  get openFile(): OpenFile | 'other' | null {
    if (this.#opened?.kind !== 'regular') return this.#opened === null ? null : 'other';
    const { fd, dev, ino, size } = this.#opened;
    return { fd, dev, ino, size: Math.max(0, size - this.#untoldBytes) };
  }

  /**
   * Changes the limits and rules. Limits apply from the next write on. A rotation time that has passed, a mode and an
   * owner apply at once.
   */
  limit(limits: FileLimits, rules: FileRules = PLAIN_RULES): void {
    const before = this.#limits;
    this.#limits = limits;
    this.#changeRules(rules);
    if (this.#isSetAside && limits.interval !== null && before.interval === null) this.#openAgain();
    if (this.#opened?.kind !== 'regular') return;
    if (limits.interval !== before.interval) this.#setDeadline(this.#opened);
    if (limits.compress && !before.compress) this.#backups.compress(limits.backups);
  }

  #changeRules(rules: FileRules): void {
    const isSame = isDeepStrictEqual(rules.access, this.#rules.access);
    this.#rules = rules;
    if (isSame) return;
    this.#isRefusalTold = false;
    if (this.#isSetAside) return this.#openAgain();
    if (this.#opened?.kind !== 'regular') return;
    this.#isAccessDue = true;
    this.#host.open();
  }

  /** Applies changed limits and rules to a file that was set aside. */
  #openAgain(): void {
    this.#isSetAside = false;
    this.#host.open();
  }

  write(bytes: Buffer, start: number, end: number, written: Written): void {
    const opened = this.#opened;
    if (opened === null) {
      this.#openToWrite().then(
        () => this.write(bytes, start, end, written),
        (error: unknown) => written(error as NodeJS.ErrnoException, 0),
      );
    } else if (opened.kind === 'regular') {
      this.#writeRegular(opened, bytes.subarray(start, end), written);
    } else {
      opened.outlet.write(bytes, start, end, (error, count) => {
        if (!error) {
          written(null, count);
          return;
        }
        // A fifo may get another reader, so the next write opens the path again.
        this.#opened = null;
        opened.outlet.close(() => written(error, count));
      });
    }
  }

  /**
   * Also gives the file its mode, and rotates it if its time has come. If a line is open, the write that ends the line
   * rotates the file.
   */
  open(done: Done): void {
    const opened = this.#opened;
    if (this.#isSetAside) callWhenDone(Promise.resolve(), done);
    else if (opened === null) callWhenDone(this.#openAndSetAside(), done);
    else if (opened.kind === 'regular' && this.#isAccessDue)
      callWhenDone(this.#changeAccess(opened), (error) => (error === null ? this.open(done) : done(error)));
    else if (opened.kind === 'regular' && !opened.isLineOpen && this.#isDue)
      callWhenDone(this.#tryToRotate(opened), done);
    else callWhenDone(Promise.resolve(), done);
  }

  reopen(done: Done): void {
    callWhenDone(
      this.#reopen().then(() => this.#setAside()),
      done,
    );
  }

  /**
   * compat: supervisor.clearProcessLogs removes the file and creates it again. A file that was moved away is no longer
   * written to afterwards.
   */
  clear(done: Done): void {
    callWhenDone(
      this.#clear().then(() => this.#setAside()),
      done,
    );
  }

  rotate(done: Done): void {
    callWhenDone(
      this.#rotateOnRequest().then(() => this.#setAside()),
      done,
    );
  }

  close(done: Done): void {
    callWhenDone(this.#close(), done);
  }

  /** True if the file must be rotated before the next line. */
  get #isDue(): boolean {
    return this.#isRotationAsked || (this.#deadline?.isDue ?? false);
  }

  #writeRegular(opened: Regular, bytes: Buffer, written: Written): void {
    const isDue = this.#isDue;
    if (isDue && !opened.isLineOpen) {
      void this.#tryToRotate(opened).then(() => this.write(bytes, 0, bytes.length, written));
      return;
    }
    const { maxBytes } = this.#limits;
    const filled = maxBytes > 0 ? endOfFill(bytes, 0, bytes.length, maxBytes - opened.size) : bytes.length;
    const until = isDue ? endOfFill(bytes, 0, filled, 1) : filled;
    write(opened.fd, bytes, 0, until, null, (error, count) => {
      if (error) {
        written(error, 0);
        return;
      }
      this.#count(opened, bytes[count - 1] !== NEWLINE, count);
      const isFull = maxBytes > 0 && opened.size >= maxBytes && opened.size >= this.#rotateFrom;
      if (!isFull && !isDue) {
        written(null, count);
        return;
      }
      this.#untoldBytes = count;
      void this.#tryToRotate(opened).then(() => {
        this.#untoldBytes = 0;
        written(null, count);
      });
    });
  }

  #count(opened: Regular, isLineOpen: boolean, count: number): void {
    const wasEmpty = opened.size === 0;
    opened.isWritten = true;
    opened.size += count;
    opened.isLineOpen = isLineOpen;
    opened.lastWriteMs = this.#shared.clock.wallMs();
    if (wasEmpty) this.#setDeadline(opened);
  }

  #setDeadline({ size, bornMs, lastWriteMs }: Regular): void {
    this.#setRotationTime(size === 0 ? null : this.#limits.interval, bornMs, lastWriteMs);
  }

  #setRotationTime(interval: FileLimits['interval'], anchorMs: number, lastWriteMs: number): void {
    if (interval === null) return this.#deadline?.clear();
    this.#deadline ??= new RotationDeadline(this.#shared.clock, () => this.#host.open());
    this.#deadline.set(interval, anchorMs, lastWriteMs);
  }

  async #open(): Promise<void> {
    const rules = this.#rules;
    const found = await openLogFile(this.#path, rules);
    const opened = this.#identify(found);
    this.#opened = opened;
    this.#isSetAside = false;
    this.#isAccessDue = !isDeepStrictEqual(rules.access, this.#rules.access);
    if (this.#isAccessDue) this.#host.open();
    this.#tellRefusal(found.refusal);
    this.#rotateFrom = 0;
    this.#isRotationAsked = false;
    this.#deadline?.clear();
    if (opened.kind !== 'regular') return;
    this.#setDeadline(opened);
    if (this.#limits.compress) this.#backups.compress(this.#limits.backups);
  }

  /** Opens the path. A file that was set aside had a descriptor once, so its output waits for another one. */
  #openToWrite(): Promise<void> {
    if (!this.#isSetAside) return this.#open();
    const tell = (reason: string): void =>
      this.#host.report({ level: 'error', text: `cannot open ${this.#path}: ${reason}; its programs wait` });
    return openPatiently(() => this.#open(), this.#shared.clock, tell);
  }

  async #openAndSetAside(): Promise<void> {
    await this.#open();
    await this.#setAside();
  }

  /** Closes a file without bytes of ours and without a rotation time or another mode ahead. */
  async #setAside(): Promise<void> {
    const opened = this.#opened;
    if (opened?.kind !== 'regular' || opened.isWritten || this.#isAccessDue || this.#isRotationAsked) return;
    if (this.#limits.interval !== null && opened.size > 0) return;
    this.#opened = null;
    this.#isSetAside = true;
    await closeFile(opened.fd);
  }

  #identify({ fd, status, control }: OpenedPath): Opened {
    const { growth, clock } = this.#shared;
    if (status.isFile()) return regular(fd, status, control);
    if (status.isFIFO()) return { kind: 'other', outlet: new PipeOutlet(fd, growth) };
    return { kind: 'other', outlet: new ThreadOutlet(fd, clock, true) };
  }

  async #changeAccess({ fd, control }: Regular): Promise<void> {
    this.#isAccessDue = false;
    this.#tellRefusal(await changeAccess(fd, control, this.#rules.access));
  }

  /** Reports once that the file keeps its mode and owner. Each rotation would meet the same refusal. */
  #tellRefusal(refusal: string | null): void {
    if (refusal === null || this.#isRefusalTold) return;
    this.#isRefusalTold = true;
    const text = `cannot give ${this.#path} its mode and owner: ${refusal}`;
    this.#host.report({ level: 'error', text });
  }

  /**
   * Rotates the file. If that fails, writing continues in the same file, and the rotation is tried again when the file
   * has grown by another `maxBytes`, or at the next rotation time.
   */
  async #tryToRotate(opened: Regular): Promise<void> {
    try {
      await this.#rotate(opened);
    } catch (error) {
      this.#isRotationAsked = false;
      this.#rotateFrom = opened.size + this.#limits.maxBytes;
      this.#setRotationTime(this.#limits.interval, opened.bornMs, this.#shared.clock.wallMs());
      const reason = describeSystemError(error);
      this.#host.report({ level: 'error', text: `cannot rotate ${this.#path}: ${reason}; it keeps growing` });
    }
  }

  async #rotate(opened: Regular): Promise<void> {
    const { maxBytes, backups } = this.#limits;
    const ours = await statFile(opened.fd);
    // logrotate may have truncated the file (copytruncate), so only the kernel knows the size.
    opened.size = ours.size;
    if (ours.size === 0) {
      this.#isRotationAsked = false;
      this.#deadline?.clear();
      return;
    }
    if (!this.#isDue && ours.size < maxBytes) return;
    const named = await statIfThere(this.#path);
    if (named === null || named.dev !== ours.dev || named.ino !== ours.ino) {
      // The file was removed or renamed. Another file may have the path now, and must not be rotated.
      await this.#reopen();
      return;
    }
    if (backups === 0) {
      await truncateFile(opened.fd, 0);
      opened.size = 0;
      this.#deadline?.clear();
      return;
    }
    await this.#backups.shift(backups);
    // The old file is closed after the new one is open. If the open fails, writing continues in the old file.
    await this.#reopen();
  }

  async #rotateOnRequest(): Promise<void> {
    if (this.#opened === null) await this.#open();
    const opened = this.#opened;
    if (opened?.kind !== 'regular') return;
    if (this.#limits.backups === 0) throw new Error(NO_BACKUPS);
    this.#isRotationAsked = true;
    if (opened.isLineOpen) return;
    try {
      await this.#rotate(opened);
    } finally {
      this.#isRotationAsked = false;
    }
  }

  async #reopen(): Promise<void> {
    const old = this.#opened;
    await this.#open();
    await closeOpened(old);
  }

  async #clear(): Promise<void> {
    if (this.#opened === null) await this.#open();
    if (this.#opened?.kind !== 'regular') return;
    try {
      await unlink(this.#path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw error;
    }
    await this.#reopen();
  }

  async #close(): Promise<void> {
    const old = this.#opened;
    this.#opened = null;
    this.#isSetAside = false;
    this.#deadline?.clear();
    await this.#madeBackups?.stop();
    await closeOpened(old);
  }
}

function callWhenDone(operation: Promise<void>, done: Done): void {
  operation.then(
    () => done(null),
    (error: unknown) => done(error as NodeJS.ErrnoException),
  );
}
