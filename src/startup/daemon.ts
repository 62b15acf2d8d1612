/**
 * Becoming a daemon, outside containers: a copy of ourselves is started in a session of its own, and we end as soon as
 * it is up. What it cannot do before it is up comes back through its standard error, so that it is seen where the
 * command was given.
 */
import { closeSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import { resolve } from 'node:path';
import type { SupervisordOptions } from '../config/options.ts';
import { type GivenFile, readGivenFile } from '../config/source.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { FileError } from '../files/read-file.ts';
import type { Addon } from '../native/addon.ts';
import type { SignalIntake } from '../process/signals.ts';

/** The argument by which a copy knows what it is; it stands first. */
const DETACHED = '--detached-copy';
/**
 * The same, and the configuration file comes on standard input: its path means something else to the copy, or nothing.
 */
const DETACHED_WITH_FILE = '--detached-copy-with-file';
/**
 * Text that a copy writes when it is up; anything else on that pipe is a message, and none has this character ("ready"
 * did: "listens there already").
 */
const READY = '\0';
const STDIN = 0;
const STDERR = 2;

/** What detaching needs to know of us. */
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
  /** The configuration, where it was read from a pipe. */
  readonly given: GivenFile | null;
  readonly signals: SignalIntake;
}

/** Whether these are the arguments of a copy. */
export function isDetached(args: readonly string[]): boolean {
  return args[0] === DETACHED || args[0] === DETACHED_WITH_FILE;
}

/**
 * Starts the copy, and sends signals on to it until it is up. Resolves with our exit code once it is up (0), has failed
 * (2, what it said printed), or was ended by a signal that came to us (128 + signal).
 */
export async function detach(
  addon: Addon,
  io: DetachIo,
  { directory }: SupervisordOptions,
  { given, signals }: DetachParts,
): Promise<number> {
  const { pid, stdin, stderr } = addon.spawn({
    file: io.executable,
    argv: [io.calledPath, given === null ? DETACHED : DETACHED_WITH_FILE, ...io.args],
    env: Object.entries({ ...io.env, ...io.libcChoice }).map(([name, value]) => `${name}=${value ?? ''}`),
    directory,
    umask: null,
    uid: null,
    gid: null,
    groups: null,
    limits: [],
    nice: null,
    oomScoreAdj: null,
    parentDeathSignal: null,
    stdin: given === null ? 'null' : 'pipe',
    stdout: 'null',
    stderr: 'pipe',
    leadership: 'session',
    descriptors: [],
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
  // The copy has ended: it says why on its standard error.
  pipe.on('error', () => undefined);
  pipe.end(given === null || given.bytes instanceof FileError ? '' : given.bytes);
}

/** In a copy: takes the configuration file that was read before it was started; null if it reads the file itself. */
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

/** In a copy: tells that it is up, and lets go of the terminal for good. Elsewhere nothing happens. */
export function reportReady(addon: Pick<Addon, 'replaceDescriptor'>, io: Pick<DetachIo, 'args' | 'err'>): void {
  if (!isDetached(io.args)) return;
  io.err(READY);
  replaceByNull(addon, STDERR);
}

/** In one step: what is opened by another thread meanwhile does not become a standard stream by accident. */
function replaceByNull(addon: Pick<Addon, 'replaceDescriptor'>, fd: number): void {
  const nowhere = openSync('/dev/null', 'r+');
  const errno = addon.replaceDescriptor(nowhere, fd);
  if (errno !== 0) throw new Error(`cannot let go of descriptor ${fd}: errno ${errno}`);
  closeSync(nowhere);
}
