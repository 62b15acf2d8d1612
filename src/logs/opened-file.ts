/** The open file behind the path of a log (file-outlet.ts). */
import { close } from 'node:fs';
import type { Stats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errnoOf } from '../core/error-text.ts';
import { describeSystemError } from '../files/system-error.ts';
import type { Control } from './open-log-file.ts';
import type { Outlet } from './outlets.ts';
import type { LogClock } from './ports.ts';

const closeFile = promisify(close);

/** A regular file. */
export interface Regular {
  readonly kind: 'regular';
  readonly fd: number;
  readonly dev: number;
  readonly ino: number;
  readonly control: Control;
  /** Milliseconds since 1970. */
  readonly bornMs: number;
  lastWriteMs: number;
  size: number;
  isLineOpen: boolean;
  /** True if bytes were written to it since it was opened. */
  isWritten: boolean;
}

/** An open path. */
export type Opened = Regular | { readonly kind: 'other'; readonly outlet: Outlet };

/** Makes the state of a regular file that was just opened. */
export function regular(fd: number, { dev, ino, size, birthtimeMs, mtimeMs }: Stats, control: Control): Regular {
  // Some file systems report zero as the birth time. A copied file was born after its last write.
  const bornMs = birthtimeMs > 0 ? Math.min(birthtimeMs, mtimeMs) : mtimeMs;
  return {
    kind: 'regular',
    fd,
    dev,
    ino,
    control,
    bornMs,
    lastWriteMs: mtimeMs,
    size,
    isLineOpen: false,
    isWritten: false,
  };
}

/** Closes an open path. */
export async function closeOpened(opened: Opened | null): Promise<void> {
  if (opened === null) return;
  if (opened.kind === 'regular') await closeFile(opened.fd);
  else await new Promise<void>((resolve) => opened.outlet.close(() => resolve()));
}

/** Returns the status of a path; null if nothing has the path. */
export async function statIfThere(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return null;
    throw error;
  }
}

/** Errors of an opening that pass when another file is closed (EMFILE, ENFILE). */
const NO_DESCRIPTOR: ReadonlySet<string | null> = new Set(['EMFILE', 'ENFILE']);
const RETRY_MS = 100;

/** Opens a file, and tries again as long as there is no descriptor. Tells the reason of the first failure. */
export async function openPatiently(
  open: () => Promise<void>,
  clock: Pick<LogClock, 'nowMs' | 'alarm'>,
  tell: (reason: string) => void,
): Promise<void> {
  for (let isTold = false; ; isTold = true) {
    try {
      return await open();
    } catch (error) {
      if (!NO_DESCRIPTOR.has(errnoOf(error))) throw error;
      if (!isTold) tell(describeSystemError(error));
    }
    await new Promise<void>((resolve) => void clock.alarm(clock.nowMs() + RETRY_MS, resolve));
  }
}
