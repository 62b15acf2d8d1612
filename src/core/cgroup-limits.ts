/** Limits of a control group (cgroup v2): options of a program, and the files of cgroupfs that they become. Pure. */

/** The options of a program that need a control group of its own. Null: not set. */
export interface CgroupOptions {
  /** Processors, such as 1.5. */
  readonly cpu_max: number | null;
  /** Bytes. */
  readonly memory_high: number | null;
  readonly memory_max: number | null;
  /** Processes and threads. */
  readonly pids_max: number | null;
  /** 1 to 10000; 100 is the weight of others. */
  readonly io_weight: number | null;
}

/** A controller of the kernel, which must be enabled for a limit. */
export type Controller = 'cpu' | 'memory' | 'pids' | 'io';

/** One limit: the option, its controller, and the file with its text. */
export interface CgroupLimit {
  readonly option: keyof CgroupOptions;
  readonly controller: Controller;
  readonly file: string;
  readonly text: string;
}

/** Period of cpu.max in microseconds, the default of the kernel. */
const PERIOD_US = 100_000;

const ROWS: ReadonlyArray<
  Omit<CgroupLimit, 'text'> & { readonly format: (value: number) => string; readonly none: string }
> = [
  {
    option: 'cpu_max',
    controller: 'cpu',
    file: 'cpu.max',
    format: (processors) => `${Math.round(processors * PERIOD_US)} ${PERIOD_US}`,
    none: 'max',
  },
  { option: 'memory_high', controller: 'memory', file: 'memory.high', format: String, none: 'max' },
  { option: 'memory_max', controller: 'memory', file: 'memory.max', format: String, none: 'max' },
  { option: 'pids_max', controller: 'pids', file: 'pids.max', format: String, none: 'max' },
  {
    option: 'io_weight',
    controller: 'io',
    file: 'io.weight',
    format: (weight) => `default ${weight}`,
    none: 'default 100',
  },
];

/** Returns the limits that are set. */
export function limitsOf(options: CgroupOptions): CgroupLimit[] {
  return ROWS.flatMap(({ option, controller, file, format }) => {
    const value = options[option];
    return value === null ? [] : [{ option, controller, file, text: format(value) }];
  });
}

/** Returns the files and texts that undo all limits, for a control group that is used again. */
export function unlimited(): ReadonlyArray<Pick<CgroupLimit, 'file' | 'text'>> {
  return ROWS.map(({ file, none }) => ({ file, text: none }));
}

/**
 * Finds the directory of our control group: the mount of cgroup v2 in the text of /proc/self/mountinfo, and our path in
 * that of /proc/self/cgroup. Null if the machine does not have both.
 */
export function findCgroup(mounts: string, membership: string): string | null {
  const path = /^0::(\/.*)$/m.exec(membership)?.[1];
  if (path === undefined) return null;
  for (const line of mounts.split('\n')) {
    const [before = '', after = ''] = line.split(' - ');
    if (!after.startsWith('cgroup2 ')) continue;
    const [, , , root = '/', point = ''] = before.split(' ');
    const inside = pathBelow(root, path);
    if (inside !== null) return `${unescapeMount(point)}${inside}`;
  }
  return null;
}

/** Returns the part of a path below `root`, which begins with a slash or is empty; null if it is elsewhere. */
function pathBelow(root: string, path: string): string | null {
  if (path === '/') return root === '/' ? '' : null;
  if (root === '/') return path;
  return path === root || path.startsWith(`${root}/`) ? path.slice(root.length) : null;
}

/** Replaces the escapes of /proc/self/mountinfo, such as \040 for a blank. */
function unescapeMount(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
}
