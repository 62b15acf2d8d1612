/**
 * Resource limits of the supervisor itself: `minfds` and `minprocs` (Supervisor's options.py set_rlimits_or_exit), no
 * core dumps, and the limits that programs get because ours have changed. The launcher sets a program's own limits.
 */
import { readFileSync } from 'node:fs';
import type { Addon, ResourceLimit } from '../native/addon.ts';

/** A minimum that the system does not grant. The message is Supervisor's. The start fails. */
export class LimitError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'LimitError';
  }
}

/** Result of raising the limits. */
export interface LimitsOutcome {
  /** Lines for the log, as Supervisor writes them. */
  readonly infos: readonly string[];
  /** Limits for every program. */
  readonly forPrograms: readonly ResourceLimit[];
}

type LimitCalls = Pick<Addon, 'getLimit' | 'setLimit'>;

/**
 * Raises the limits to at least `minfds` descriptors and `minprocs` processes, hard limits too if permitted.
 * `originalFiles`: the soft limit of descriptors that we were started with, or null if it is unknown (see
 * {@link originalFileLimit}). In that case programs inherit our limit. Throws {@link LimitError}.
 */
export function raiseLimits(
  calls: LimitCalls,
  minimum: { readonly minfds: number; readonly minprocs: number },
  originalFiles: number | null,
): LimitsOutcome {
  const infos: string[] = [];
  const files = calls.getLimit('nofile');
  const startedWith = originalFiles ?? files.soft;
  raise(
    calls,
    files,
    minimum.minfds,
    (hard) =>
      'The minimum number of file descriptors required to run this process is ' +
      `${minimum.minfds} as per the "minfds" command-line argument or config file setting. The current environment ` +
      `will only allow you ` +
      `to open ${hard} file descriptors.  Either raise the number of usable file descriptors in your environment ` +
      `(see README.rst) or ` +
      'lower the minfds setting in the config file to allow the process to start.',
  );
  if (startedWith < minimum.minfds) infos.push(`Increased RLIMIT_NOFILE limit to ${minimum.minfds}`);
  const isRaised = raise(
    calls,
    calls.getLimit('nproc'),
    minimum.minprocs,
    (hard) =>
      'The minimum number of available processes required to run this program is ' +
      `${minimum.minprocs} as per the "minprocs" command-line argument or config file setting. The current ` +
      `environment will only allow you ` +
      `to open ${hard} processes.  Either raise the number of usable processes in your environment (see README.rst) ` +
      `or lower the ` +
      'minprocs setting in the config file to allow the program to start.',
  );
  if (isRaised) infos.push(`Increased RLIMIT_NPROC limit to ${minimum.minprocs}`);
  // compat: programs inherit the limit that minfds raised. Users set minfds for this purpose.
  const soft = Math.max(startedWith, minimum.minfds);
  const now = calls.getLimit('nofile');
  return { infos, forPrograms: soft === now.soft ? [] : [{ resource: 'nofile', soft, hard: now.hard }] };
}

/**
 * Forbids core dumps of our own process: our memory has passwords and the variables of programs. Returns the limits
 * that programs get, which are the ones that we were started with (core(5)).
 */
export function forbidCoreDumps(calls: LimitCalls): readonly ResourceLimit[] {
  const given = calls.getLimit('core');
  if (given.soft === 0) return [];
  calls.setLimit({ ...given, soft: 0 });
  return [given];
}

function raise(
  calls: LimitCalls,
  limit: ResourceLimit,
  minimum: number,
  formatRefusal: (hard: number) => string,
): boolean {
  if (limit.soft >= minimum) return false;
  try {
    calls.setLimit({ resource: limit.resource, soft: minimum, hard: Math.max(minimum, limit.hard) });
  } catch {
    throw new LimitError(formatRefusal(limit.hard));
  }
  return true;
}

/**
 * Returns the soft limit of descriptors that we were started with. Node raises it to the hard limit before our code
 * runs. So it is read from our parent, if the parent has our hard limit. Null if it is unknown, as for PID 1.
 */
export function originalFileLimit(calls: LimitCalls, parent: number): number | null {
  const limits = parent === 0 ? null : readFileLimit(parent);
  return limits !== null && limits.hard === calls.getLimit('nofile').hard ? limits.soft : null;
}

function readFileLimit(pid: number): { soft: number; hard: number } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/limits`, 'latin1');
  } catch {
    // Another user's process, a hidden or ended one, or no /proc: the limit is unknown.
    return null;
  }
  const [, soft, hard] = /^Max open files\s+(\S+)\s+(\S+)/m.exec(text) ?? [];
  return soft === undefined || hard === undefined ? null : { soft: parseLimit(soft), hard: parseLimit(hard) };
}

function parseLimit(text: string): number {
  return text === 'unlimited' ? Infinity : Number(text);
}
