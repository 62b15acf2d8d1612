/**
 * A control group (cgroup v2) for each program that has such a limit, or `kill_orphans=cgroup`. Nothing is touched
 * until the first of these starts. All files are in cgroupfs, where no call waits for a disk.
 *
 * The kernel lets a group have either processes or groups with limits. So before the first limit, everything in our
 * own group moves into a new group below it, `onevisor`. `docker exec` cannot enter our old group then, and container
 * runtimes enter the group of PID 1 instead (runc, crun).
 */
import { createHash } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CgroupLimit, type CgroupOptions, findCgroup, limitsOf, unlimited } from '../core/cgroup-limits.ts';
import { errnoOf } from '../core/error-text.ts';
import { signalNumbers } from '../core/signals.ts';
import { describeSystemError } from '../files/system-error.ts';

/** The program that a control group is for. */
export interface CgroupTarget {
  readonly group: string;
  readonly name: string;
  readonly options: CgroupOptions & { readonly kill_orphans: string };
}

/** Parts of {@link Cgroups}. */
export interface CgroupsParts {
  readonly warn: (text: string, target: CgroupTarget) => void;
  /** kill(2); returns 0 or the errno. */
  readonly kill: (pid: number, signal: number) => number;
  /** Directory of our control group; found in /proc if it is not given. */
  readonly directory?: string;
}

/** A control group that is open for one start. */
export interface OpenCgroup {
  readonly path: string;
  /** Descriptor of its file `cgroup.procs`. The caller closes it. */
  readonly fd: number;
}

/** Group of everything that was in our own group, and begin of the names of the groups of programs. */
const OWN = 'onevisor';
/** Moving our processes is repeated while new ones appear, at most so often. */
const MOST_ROUNDS = 20;
/** The attempt without which a program has no group at all. */
const USE_GROUP = 'use a control group';
/** Longest name of a directory. */
const LONGEST_NAME = 200;

/** The control groups of the programs. */
export class Cgroups {
  readonly #parts: CgroupsParts;
  /** Directory of the group that we were started in; null if there is none. Undefined: not looked up yet. */
  #base: string | null | undefined;
  readonly #enabled = new Set<string>();
  readonly #warned = new Set<string>();
  /** Groups of the latest runs, by pid. */
  readonly #byPid = new Map<number, string>();
  readonly #made = new Set<string>();
  /** Limits of memory that no group keeps, in bytes, by program. */
  readonly #substitutes = new Map<string, number>();

  constructor(parts: CgroupsParts) {
    this.#parts = parts;
  }

  /**
   * Makes the group of a program, with its limits. Null if the program needs none, or if groups cannot be made here:
   * then one warning says so, and what happens in their place.
   */
  open(target: CgroupTarget): OpenCgroup | null {
    const limits = limitsOf(target.options);
    this.#substitutes.delete(idOf(target));
    if (limits.length === 0 && target.options.kill_orphans !== 'cgroup') return null;
    try {
      const base = this.#findBase();
      const path = join(base, nameOf(target));
      this.#make(path);
      this.#limit(target, path, base, limits);
      return { path, fd: openSync(join(path, 'cgroup.procs'), 'w') };
    } catch (error) {
      this.#warnOnce(target, USE_GROUP, error, limits);
      return null;
    }
  }

  /** Changes the limits of the group of a program, if it has one. */
  update(target: CgroupTarget): void {
    const path = this.#base === undefined || this.#base === null ? null : join(this.#base, nameOf(target));
    if (path === null || !this.#made.has(path)) return;
    this.#substitutes.delete(idOf(target));
    this.#limit(target, path, this.#findBase(), limitsOf(target.options));
  }

  /** Returns the limit of memory of a program that no group keeps, in bytes; null for none. */
  substituteOf(id: string): number | null {
    return this.#substitutes.get(id) ?? null;
  }

  /** Records the group of a run; null for none. */
  started(pid: number, path: string | null): void {
    if (path === null) this.#byPid.delete(pid);
    else this.#byPid.set(pid, path);
  }

  /** Returns the processes in the group of a run, whose leader may have ended; null if it has no group. */
  membersOf(pid: number): number[] | null {
    const path = this.#byPid.get(pid);
    return path === undefined ? null : readMembers(path);
  }

  /**
   * Returns the memory that the group of a run uses, without the part of the page cache that the kernel frees first, as
   * Kubernetes counts it. In bytes; null if it is not counted.
   */
  memoryOf(pid: number): number | null {
    const path = this.#byPid.get(pid);
    if (path === undefined) return null;
    const current = readText(join(path, 'memory.current'));
    const cached = /^inactive_file (\d+)$/m.exec(readText(join(path, 'memory.stat')) ?? '')?.[1];
    return current === null ? null : Math.max(0, Number(current) - Number(cached ?? 0));
  }

  /**
   * Sends a signal to every process in the group of a run. Returns 0 or the errno; `ESRCH` for an empty group. Null if
   * the run has no group. Signal 0 only looks.
   */
  signal(pid: number, signal: number): number | null {
    const members = this.membersOf(pid);
    const path = this.#byPid.get(pid);
    if (members === null || path === undefined) return null;
    if (members.length === 0) return ESRCH;
    if (signal === signalNumbers.SIGKILL && writeIfThere(join(path, 'cgroup.kill'), '1')) return 0;
    const results = members.map((member) => (signal === 0 ? 0 : this.#parts.kill(member, signal)));
    return results.includes(0) ? 0 : (results[0] ?? ESRCH);
  }

  /** Removes the groups that are empty. Called when programs are removed, and at our end. */
  removeEmpty(): void {
    for (const path of this.#made) {
      try {
        rmdirSync(path);
        this.#made.delete(path);
      } catch {
        // It has processes (EBUSY), or something else has removed it.
      }
    }
  }

  #findBase(): string {
    this.#base ??=
      this.#parts.directory ?? findCgroup(readText('/proc/self/mountinfo') ?? '', readText('/proc/self/cgroup') ?? '');
    if (this.#base === null) throw new Error('this machine has no cgroup v2');
    return this.#base;
  }

  #make(path: string): void {
    try {
      mkdirSync(path);
    } catch (error) {
      if (errnoOf(error) !== 'EEXIST') throw error;
    }
    this.#made.add(path);
  }

  #limit(target: CgroupTarget, path: string, base: string, limits: readonly CgroupLimit[]): void {
    // A run before may have had other limits.
    for (const { file, text } of unlimited())
      if (limits.every((limit) => limit.file !== file)) writeIfThere(join(path, file), text);
    for (const limit of limits) {
      try {
        this.#enable(base, limit.controller);
        writeFileSync(join(path, limit.file), limit.text);
      } catch (error) {
        this.#warnOnce(target, `set ${limit.option}`, error, [limit]);
      }
    }
  }

  /** Enables a controller for the groups below ours. Throws if the kernel refuses. */
  #enable(base: string, controller: string): void {
    if (this.#enabled.has(controller)) return;
    if (!(readText(join(base, 'cgroup.controllers')) ?? '').split(/\s+/).includes(controller))
      throw new Error(`the controller ${controller} is not available in ${base}`);
    const file = join(base, 'cgroup.subtree_control');
    try {
      writeFileSync(file, `+${controller}`);
    } catch (error) {
      if (errnoOf(error) !== 'EBUSY') throw error;
      moveAway(base);
      enableAfterMove(base, `+${controller}`);
    }
    this.#enabled.add(controller);
  }

  #warnOnce(target: CgroupTarget, what: string, error: unknown, limits: readonly CgroupLimit[]): void {
    const { group, name, options } = target;
    const lost = limits
      .filter(({ controller }) => controller === 'memory')
      .map(({ option }) => options[option] ?? Infinity);
    if (lost.length > 0)
      this.#substitutes.set(idOf(target), Math.min(...lost, this.#substitutes.get(idOf(target)) ?? Infinity));
    const orphans =
      what === USE_GROUP && options.kill_orphans === 'cgroup'
        ? '; kill_orphans works as kill_orphans=always: processes that have left the process group stay'
        : '';
    const text = `cannot ${what} for '${name}': ${describeSystemError(error)}${describeSubstitutes(limits)}${orphans}`;
    if (this.#warned.has(`${group} ${text}`)) return;
    this.#warned.add(`${group} ${text}`);
    this.#parts.warn(text, target);
  }
}

const ESRCH = 3;

/** Writes to `cgroup.subtree_control` again. A process outside our PID namespace is listed as 0, and stays. */
function enableAfterMove(base: string, text: string): void {
  try {
    writeFileSync(join(base, 'cgroup.subtree_control'), text);
  } catch (error) {
    if (errnoOf(error) !== 'EBUSY') throw error;
    throw new Error(`${base} has processes of another PID namespace, which only the host can move away`, {
      cause: error,
    });
  }
}

/** Moves all processes of our own group into a new group below it. */
function moveAway(base: string): void {
  const own = join(base, OWN);
  mkdirSync(own, { recursive: true });
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const members = readMembers(base);
    if (members.length === 0) return;
    for (const pid of members) {
      try {
        writeFileSync(join(own, 'cgroup.procs'), String(pid));
      } catch (error) {
        // It has ended.
        if (errnoOf(error) !== 'ESRCH') throw error;
      }
    }
  }
}

/** Returns what happens in place of limits that cannot be set. */
function describeSubstitutes(limits: readonly CgroupLimit[]): string {
  const isMemory = ({ controller }: CgroupLimit): boolean => controller === 'memory';
  const lost = limits.filter((limit) => !isMemory(limit)).map(({ option }) => option);
  return [
    ...limits.filter(isMemory).map(({ option }) => `; ${option} is checked every 10 seconds, as max_memory`),
    ...(lost.length === 0 ? [] : [`; without effect: ${lost.join(', ')}`]),
  ].join('');
}

/** Returns the namespec of a program. */
function idOf({ group, name }: CgroupTarget): string {
  return `${group}:${name}`;
}

function nameOf({ group, name }: CgroupTarget): string {
  const whole = `${OWN}-${encodeURIComponent(group)}:${encodeURIComponent(name)}`;
  if (whole.length <= LONGEST_NAME) return whole;
  const digest = createHash('sha256').update(whole).digest('hex').slice(0, 16);
  return `${whole.slice(0, LONGEST_NAME)}-${digest}`;
}

function readMembers(path: string): number[] {
  return (readText(join(path, 'cgroup.procs')) ?? '')
    .split('\n')
    .filter((line) => line !== '' && line !== '0')
    .map(Number);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    // The file system, the group or the controller is not there.
    return null;
  }
}

/** Writes to a file that the kernel may not have. Returns false if it does not. */
function writeIfThere(path: string, text: string): boolean {
  try {
    // Never creates the file: cgroupfs cannot.
    const fd = openSync(path, constants.O_WRONLY | constants.O_TRUNC);
    try {
      writeFileSync(fd, text);
    } finally {
      closeSync(fd);
    }
    return true;
  } catch {
    return false;
  }
}
