/**
 * Prepares our own process before anything is started: user, limits, umask, subreaper, pidfile, leftovers of an
 * earlier run. Each step says in the words of Supervisor what it did; it starts nothing and ends nothing.
 */
import { closeSync, constants, existsSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Config } from '../config/model.ts';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import type { Message } from '../engine/messages.ts';
import { ForeignLinkError, openTrusted } from '../files/links.ts';
import { readPidFile } from '../files/read-file.ts';
import { findAutoFiles } from '../logs/auto-files.ts';
import type { Addon, ResourceLimit } from '../native/addon.ts';
import { resolveCredentials } from '../process/credentials.ts';
import type { Leftovers } from '../process/leftovers.ts';
import { originalFileLimit, raiseLimits } from '../process/limits.ts';

/** What preparing came to. */
export interface Preparation {
  /** To be said as soon as there is a log. */
  readonly messages: readonly Message[];
  /** Limits that programs get back. */
  readonly limits: readonly ResourceLimit[];
}

/** Who and where we are. */
export interface Self {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  readonly gid: number;
  readonly isContainer: boolean;
}

/**
 * Prepares our process for a configuration. Throws {@link import('../process/limits.ts').LimitError} and
 * {@link import('../process/spawn-error.ts').SpawnError} for what cannot be had.
 */
export function prepareProcess(addon: Addon, { supervisord, main }: Config, self: Self): Preparation {
  const messages = takeName(basename(process.argv0));
  const { infos, forPrograms } = raiseLimits(addon, supervisord, originalFileLimit(addon, self.parent));
  messages.push(...infos.map((text): Message => ['info', text]));
  process.umask(supervisord.umask);
  if (self.pid !== 1) addon.setSubreaper();
  messages.push(...takeUser(addon, supervisord.user, self, main !== null));
  return { messages, limits: forPrograms };
}

/**
 * Node calls its main thread `MainThread`, and ps, top and pgrep would know us by that. They get the name that we were
 * called by.
 */
function takeName(name: string): Message[] {
  try {
    writeFileSync('/proc/self/comm', name);
    return [];
  } catch (error) {
    return [['debug', `cannot set the name that ps shows: ${reasonOf(error)}`]];
  }
}

function takeUser(addon: Addon, user: Config['supervisord']['user'], self: Self, isInit: boolean): Message[] {
  if (user === null) {
    // Most containers, and most commands that are given to an init, run as root on purpose.
    if (self.uid !== 0 || self.isContainer || isInit) return [];
    return [
      [
        'critical',
        'Supervisor is running as root.  Privileges were not dropped because no user is specified in the config ' +
          'file.  If you intend to run as root, you can set user=root in the config file to avoid this message.',
      ],
    ];
  }
  const { uid, gid, groups, warning } = resolveCredentials(addon, self, user, false);
  if (warning !== null) return [['warn', `cannot become the user of [supervisord]: ${warning}`]];
  if (uid !== null && gid !== null) addon.becomeUser(uid, gid, groups ?? []);
  return [['info', `Set uid to user ${uid ?? self.uid} succeeded`]];
}

/** A fifo without a reader must fail (ENXIO) and not wait. */
const PID_FILE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK | constants.O_NOCTTY;
const PID_FILE_MODE = 0o666;

/** Name of the file that Supervisor writes its pid to if `pidfile` is not set. */
const DEFAULT_PID_FILE = 'supervisord.pid';

/**
 * The pidfile of a container that sets none, as an absolute path: scripts read that of Supervisor (`kill $(cat
 * /supervisord.pid)`).
 * Null in init mode and without a configuration file, where none is expected.
 */
export function defaultPidFile({ file, main }: Config, cwd: string): string | null {
  return file === null || main !== null ? null : resolve(cwd, DEFAULT_PID_FILE);
}

/**
 * Writes the pid to the file of the configuration, or to the default one, which need not be writable. Returns the line
 * to log.
 */
export function writePidFiles(config: Config, { pid, isContainer }: Self, cwd: string, leftovers: Leftovers): Message {
  const { pidfile } = config.supervisord;
  if (pidfile !== null) return writePidFile(pidfile, pid, leftovers);
  const fallback = isContainer ? defaultPidFile(config, cwd) : null;
  if (fallback !== null) writePidFile(fallback, pid, leftovers);
  return formatStarted(pid);
}

/**
 * Writes the pid to a file, which is removed at the end if it still says so. A failure is reported, as in Supervisor,
 * and no more.
 */
export function writePidFile(path: string, pid: number, leftovers: Leftovers): Message {
  try {
    const fd = openTrusted(path, PID_FILE_FLAGS, PID_FILE_MODE);
    try {
      writeSync(fd, `${pid}\n`);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const reason = error instanceof ForeignLinkError ? error.message : reasonOf(error);
    return ['critical', `could not write pidfile ${path}: ${reason}`];
  }
  leftovers.add(() => {
    // Somebody else's by now, where another supervisor was started with the same configuration; or gone.
    if (existsSync(path) && readPidFile(path) === pid) rmSync(path);
  });
  return formatStarted(pid);
}

/** compat: the line that says that we are up (supervisor.options.ServerOptions.write_pidfile). */
export function formatStarted(pid: number): Message {
  return ['info', `supervisord started with pid ${pid}`];
}

/** Removes the automatic logs that an earlier supervisor of this name left in childlogdir, unless `nocleanup`. */
export function removeOldLogs({ supervisord }: Config): Message[] {
  const uses = supervisord.nocleanup ? [] : [supervisord.childlogdir];
  return uses.flatMap((directory) => {
    try {
      for (const path of findAutoFiles(directory, supervisord.identifier)) rmSync(path);
      return [];
    } catch (error) {
      // An image with nothing but programs has no /tmp.
      if (errnoOf(error) === 'ENOENT') return [];
      return [['warn', `cannot remove old logs in ${directory}: ${reasonOf(error)}`] satisfies Message];
    }
  });
}
