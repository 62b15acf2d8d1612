/**
 * `onevisor install DIR`: makes the links under which the executable is another program (supervisord, supervisorctl and
 * so on). Checks every name first, so a refusal changes nothing.
 */
import {
  accessSync,
  constants,
  lstatSync,
  mkdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { helpOf } from '../cli/help-text.ts';
import { errnoOf } from '../core/error-text.ts';
import { escapeControls } from '../core/shown-text.ts';
import { decodeBytes, toPath } from '../files/bytes.ts';
import { describeSystemError } from '../files/system-error.ts';
import { LINK_NAMES } from '../startup/choose-program.ts';
import type { ProgramIo } from './program-io.ts';

/** Further input of `install`. */
export interface InstallIo extends ProgramIo {
  /** Path of this executable, without links. */
  readonly executable: string;
}

/** A link that is to be made, or the reason against it. */
interface Plan {
  /** Path of the link. */
  readonly path: string;
  readonly state: 'missing' | 'right' | 'other' | 'folder';
  /** Description of what has the name already, for messages. */
  readonly found: string;
}

/**
 * Runs `install` with the arguments after its name.
 *
 * @returns the exit code: 0 if all links are there, 1 if not, 2 for arguments that it does not take
 */
export function runInstall(args: readonly string[], io: InstallIo): number {
  const force = args.includes('--force');
  const [folder, ...more] = args.filter((arg) => arg !== '--force');
  if (folder === '-h' || folder === '--help') {
    io.out(helpOf('install'));
    return 0;
  }
  if (folder === undefined || folder === '' || folder.startsWith('-') || more.length > 0) {
    const said = folder?.startsWith('-') ? `no option ${folder}` : 'one directory';
    io.err(`Error: install takes ${escapeControls(said)}\nFor help, use onevisor install -h\n`);
    return 2;
  }
  try {
    return install(folder, force, io);
  } catch (error) {
    io.err(`Error: cannot install into ${escapeControls(folder)}: ${describeSystemError(error)}\n`);
    return 1;
  }
}

function install(folder: string, force: boolean, io: InstallIo): number {
  if (statSync(toPath(folder), { throwIfNoEntry: false })?.isDirectory() === false)
    throw new Error('it is not a directory');
  mkdirSync(toPath(folder), { recursive: true });
  // The kernel follows a relative link from the real folder, not from a link to it, such as /bin.
  const real = decodeBytes(realpathSync(toPath(folder), { encoding: 'buffer' }));
  const target = findTarget(real, io.executable);
  const executable = statSync(toPath(join(real, target)));
  const plans = LINK_NAMES.map((name) => inspect(join(folder, name), executable));
  const obstacles = plans.filter(({ state }) => state === 'folder' || (state === 'other' && !force));
  for (const { path, found, state } of obstacles) {
    const wayOut = state === 'folder' ? 'remove it first' : '--force replaces it';
    io.err(`Error: cannot make the link ${escapeControls(path)}: it is ${escapeControls(found)}; ${wayOut}\n`);
  }
  if (obstacles.length > 0) return 1;
  if (plans.some(({ state }) => state !== 'right')) accessSync(toPath(folder), constants.W_OK | constants.X_OK);
  for (const { path, state } of plans) {
    if (state === 'missing') make(path, target, executable);
    if (state === 'other') replace(path, target);
    io.out(`${escapeControls(path)} ${state === 'right' ? 'is there' : `-> ${escapeControls(target)}`}\n`);
  }
  return 0;
}

/**
 * Returns the path that the links hold: the executable's name in its own folder, `onevisor` where the folder has one,
 * such as one in the root of another image, and otherwise a relative path to this executable. `folder` has no links.
 */
function findTarget(folder: string, executable: string): string {
  if (dirname(executable) === folder) return basename(executable);
  const inFolder = statSync(toPath(join(folder, 'onevisor')), { throwIfNoEntry: false });
  return inFolder?.isFile() === true ? 'onevisor' : relative(folder, executable);
}

/** Looks at what has the name of a link. Whatever leads to the executable is right, also the executable itself. */
function inspect(path: string, executable: Stats): Plan {
  const status = lstatSync(toPath(path), { throwIfNoEntry: false });
  if (status === undefined) return { path, state: 'missing', found: 'nothing' };
  if (isSameFile(path, executable)) return { path, state: 'right', found: 'right' };
  if (status.isDirectory()) return { path, state: 'folder', found: 'a directory' };
  if (!status.isSymbolicLink()) return { path, state: 'other', found: 'another file' };
  const leads = decodeBytes(readlinkSync(toPath(path), { encoding: 'buffer' }));
  return { path, state: 'other', found: `a link to ${leads}` };
}

function isSameFile(path: string, executable: Stats): boolean {
  try {
    const { dev, ino } = statSync(toPath(path));
    return dev === executable.dev && ino === executable.ino;
  } catch (error) {
    // The link leads to nothing, or to itself.
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ELOOP' || errnoOf(error) === 'ENOTDIR') return false;
    throw error;
  }
}

/** Makes a link. Another `install` may have made the same one since we looked. */
function make(path: string, target: string, executable: Stats): void {
  try {
    symlinkSync(toPath(target), toPath(path));
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST' || !isSameFile(path, executable)) throw error;
  }
}

/** Replaces a file by a link in one step, so that the name always exists. */
function replace(path: string, target: string): void {
  const next = `${path}.${process.pid}.new`;
  symlinkSync(toPath(target), toPath(next));
  try {
    renameSync(toPath(next), toPath(path));
  } catch (error) {
    rmSync(toPath(next), { force: true });
    throw error;
  }
}
