/**
 * Becomes a daemon, outside containers: starts a copy of ourselves in a session of its own, and ends as soon as the
 * copy is up. Errors before that come back through the standard error of the copy, so that users see them on their
 * terminal.
 */
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import type { SupervisordOptions } from '../config/options.ts';
import { type GivenFile, readGivenFile } from '../config/source.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { FileError } from '../files/read-file.ts';
import { type Addon, INHERITED } from '../native/addon.ts';
import type { SignalIntake } from '../process/signals.ts';

/** First argument of a copy. */
const DETACHED = '--detached-copy';
/**
 * First argument of a copy that gets the configuration on standard input, because the path of the file has no meaning,
 * or a different one, for the copy.
 */
const DETACHED_WITH_FILE = '--detached-copy-with-file';
/** Text that a copy writes when it is up. Everything else on that pipe is a message, and no message has a NUL. */
const READY = '\0';
const STDIN = 0;
const STDERR = 2;

/** Facts about our process that detaching depends on. */
export interface DetachIo {
  readonly executable: string;
  readonly calledPath: string;
  readonly calledAs: string;
  readonly args: readonly string[];
  readonly env: Readonly<NodeJS.ProcessEnv>;
  readonly libcChoice: Readonly<Record<string, string>>;
  err(text: string): void;
}

/** Input of the copy besides its arguments. */
export interface DetachParts {
  /** The configuration, if it was read from a pipe. */
  readonly given: GivenFile | null;
  readonly signals: SignalIntake;
}

/** True if these are the arguments of a copy. */
export function isDetached(args: readonly string[]): boolean {
  return args[0] === DETACHED || args[0] === DETACHED_WITH_FILE;
}

/**
 * Starts the copy, and forwards signals to it until it is up. Resolves with our exit code: 0 if the copy is up, 2 if it
 * failed (after printing its message), 128 + signal if a signal to us ended it.
 */
export async function detach(
  addon: Addon,
  io: DetachIo,
  { directory }: SupervisordOptions,
  { given, signals }: DetachParts,
): Promise<number> {
  const { pid, stdin, stderr } = addon.spawn({
    ...INHERITED,
    file: io.executable,
    argv: [io.calledPath, given === null ? DETACHED : DETACHED_WITH_FILE, ...io.args],
    env: Object.entries({ ...io.env, ...io.libcChoice }).map(([name, value]) => `${name}=${value ?? ''}`),
    directory,
    stdin: given === null ? 'null' : 'pipe',
    stdout: 'null',
    stderr: 'pipe',
    leadership: 'session',
  });
  if (stderr === null) throw new Error('the copy has no standard error');
  if (stdin !== null) handOver(stdin, given);
  let received = 0;
  signals.listen(({ number }) => {
    received ||= number;
    addon.kill(pid, number);
  });
  let said = '';
  for await (const chunk of new Socket({ fd: stderr, readable: true, writable: false })) said += String(chunk);
  if (said.endsWith(READY)) {
    io.err(said.slice(0, -READY.length));
    return 0;
  }
  if (received !== 0) return 128 + received;
  io.err(said === '' ? `Error: ${io.calledAs} ended before it was up\n` : said);
  return 2;
}

function handOver(fd: number, given: GivenFile | null): void {
  const pipe = new Socket({ fd, readable: false, writable: true });
  // The copy has ended. Its standard error has the reason.
  pipe.on('error', () => undefined);
  pipe.end(given === null || given.bytes instanceof FileError ? '' : given.bytes);
}

/** Reads, in a copy, the configuration that was handed over. Null if the copy reads the file itself. */
export async function readHandedOver(
  addon: Pick<Addon, 'replaceDescriptor'>,
  { args }: Pick<DetachIo, 'args'>,
  named: string | undefined,
): Promise<GivenFile | null> {
  if (args[0] !== DETACHED_WITH_FILE || named === undefined) return null;
  const given = await readGivenFile(`/proc/self/fd/${STDIN}`);
  replaceByNull(addon, STDIN);
  return given === null ? null : { ...given, path: resolve(currentDirectory(), named) };
}

/** Reports, from a copy, that it is up, and closes the terminal for good. Does nothing elsewhere. */
export function reportReady(addon: Pick<Addon, 'replaceDescriptor'>, io: Pick<DetachIo, 'args' | 'err'>): void {
  if (!isDetached(io.args)) return;
  io.err(READY);
  replaceByNull(addon, STDERR);
}

/**
 * Replaces a descriptor by /dev/null in one step. With close and open, a file that another thread opens could take its
 * place.
 */
function replaceByNull(addon: Pick<Addon, 'replaceDescriptor'>, fd: number): void {
  const nowhere = openSync('/dev/null', 'r+');
  const errno = addon.replaceDescriptor(nowhere, fd);
  if (errno !== 0) throw new Error(`cannot let go of descriptor ${fd}: errno ${errno}`);
  closeSync(nowhere);
}
