/**
 * Prepares our own process before anything is started: user, limits, umask, subreaper, pidfile, old log files. Each
 * step reports its result in Supervisor's words.
 */
import { closeSync, constants, existsSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { Config } from '../config/model.ts';
import { errnoOf, reasonOf } from '../core/error-text.ts';
import type { Message } from '../engine/messages.ts';
import { ForeignLinkError, openTrusted } from '../files/links.ts';
import { readPidFile } from '../files/read-file.ts';
import { describeSystemError } from '../files/system-error.ts';
import { findAutoFiles } from '../logs/auto-files.ts';
import type { Addon, ResourceLimit } from '../native/addon.ts';
import { resolveCredentials } from '../process/credentials.ts';
import type { Leftovers } from '../process/leftovers.ts';
import { forbidCoreDumps, originalFileLimit, raiseLimits } from '../process/limits.ts';
import { protectFromOom, type ScoreOutcome } from '../process/oom-score.ts';

/** Result of preparing our process. */
export interface Preparation {
  /** Messages for the log, once there is one. */
  readonly messages: readonly Message[];
  /** Limits that programs get in place of ours. */
  readonly limits: readonly ResourceLimit[];
  /** Value of oom_score_adj that programs get in place of ours; null if they inherit ours. */
  readonly oomScoreAdj: number | null;
}

/** Identity of our process. */
export interface Self {
  readonly pid: number;
  readonly parent: number;
  readonly uid: number;
  readonly gid: number;
  readonly isContainer: boolean;
}

/**
 * Prepares our process for a configuration. Throws {@link import('../process/limits.ts').LimitError} and {@link
 * import('../process/spawn-error.ts').SpawnError} if a setting cannot be applied.
 */
export function prepareProcess(addon: Addon, { supervisord, main }: Config, self: Self): Preparation {
  const messages = setProcessName(basename(process.argv0));
  const { infos, forPrograms } = raiseLimits(addon, supervisord, originalFileLimit(addon, self.parent));
  messages.push(...infos.map((text): Message => ['info', text]));
  process.umask(supervisord.umask);
  if (self.pid !== 1) messages.push(...becomeSubreaper(addon));
  const score = protectOurselves(addon, supervisord, self);
  messages.push(...score.messages);
  messages.push(...changeUser(addon, supervisord.user, self, main !== null));
  const limits = [...forPrograms, ...forbidCoreDumps(addon)];
  return { messages, limits, oomScoreAdj: score.forPrograms };
}

/**
 * Protects our process from the out-of-memory killer, unless we are about to give up root. Then our files in /proc
 * belong to root (prctl(2), PR_SET_DUMPABLE), and so do those of a child before exec. The child could not restore the
 * value for its program.
 */
function protectOurselves(
  addon: Addon,
  { user, oom_score_adj: wanted }: Config['supervisord'],
  self: Self,
): ScoreOutcome {
  const isLeavingRoot = user !== null && resolveCredentials(addon, self, user, false).uid !== null;
  if (!isLeavingRoot) return protectFromOom(wanted, self.pid === 1);
  const text = 'oom_score_adj of [supervisord] has no effect together with user, since programs could not leave it';
  return { messages: wanted === null ? [] : [['warn', text]], forPrograms: null };
}

/** Makes orphans of programs our children. Emulators such as qemu-user 7.2 do not have this call. */
function becomeSubreaper(addon: Pick<Addon, 'setSubreaper'>): Message[] {
  try {
    addon.setSubreaper();
    return [];
  } catch (error) {
    return [['warn', `cannot collect orphans of programs, which go to PID 1: ${describeSystemError(error)}`]];
  }
}

/** Sets the name that ps, top and pgrep show to the name we were called by. Node calls its main thread `MainThread`. */
function setProcessName(name: string): Message[] {
  try {
    writeFileSync('/proc/self/comm', name);
    return [];
  } catch (error) {
    return [['debug', `cannot set the name that ps shows: ${reasonOf(error)}`]];
  }
}

function changeUser(addon: Addon, user: Config['supervisord']['user'], self: Self, isInit: boolean): Message[] {
  if (user === null) {
    // Most containers, and most commands given to an init, run as root on purpose.
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

/** O_NONBLOCK: a FIFO without a reader must fail (ENXIO) and not wait. */
const PID_FILE_FLAGS =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NONBLOCK | constants.O_NOCTTY;
const PID_FILE_MODE = 0o666;

/** File for the pid if `pidfile` is not set, as in Supervisor. */
const DEFAULT_PID_FILE = 'supervisord.pid';

/**
 * Returns the absolute path of the pidfile in a container that sets none. Scripts read it (`kill $(cat
 * /supervisord.pid)`). Null in init mode and without a configuration file, since no script expects a pidfile there.
 */
export function defaultPidFile({ file, main }: Config, cwd: string): string | null {
  return file === null || main !== null ? null : resolve(cwd, DEFAULT_PID_FILE);
}

/**
 * Writes the pid to the configured file, or to the default one. The default one need not be writable. Returns the line
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
 * Writes the pid to a file, which is removed at exit if it still has our pid. As in Supervisor, a failure is only
 * reported.
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
    // The file may be missing, or may belong to another supervisor that was started with the same configuration.
    if (existsSync(path) && readPidFile(path) === pid) unlinkSync(path);
  }, [path]);
  return formatStarted(pid);
}

/** Formats the log line that we are up. compat: supervisor.options.ServerOptions.write_pidfile. */
export function formatStarted(pid: number): Message {
  return ['info', `supervisord started with pid ${pid}`];
}

/** Removes the automatic logs that an earlier supervisor of this name left in childlogdir, unless `nocleanup`. */
export function removeOldLogs({ supervisord }: Config): Message[] {
  const uses = supervisord.nocleanup ? [] : [supervisord.childlogdir];
  return uses.flatMap((directory) => {
    try {
      for (const path of findAutoFiles(directory, supervisord.identifier)) unlinkSync(path);
      return [];
    } catch (error) {
      // An image with nothing but programs has no /tmp.
      if (errnoOf(error) === 'ENOENT') return [];
      return [['warn', `cannot remove old logs in ${directory}: ${reasonOf(error)}`] satisfies Message];
    }
  });
}
