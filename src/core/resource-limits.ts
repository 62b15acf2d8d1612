/**
 * The resource limits of setrlimit(2) that a program can have, each by an option `rlimit_<name>`. The names are those
 * of RLIMIT_* in lower case. Pure data. The addon knows the same names (native/names.c), and a test compares the two.
 */

/** Resources that are counted, in the unit of setrlimit(2). */
export const COUNT_LIMITS = [
  'cpu',
  'locks',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rtprio',
  'rttime',
  'sigpending',
] as const;

/** Resources in bytes: their options accept KB, MB and GB. */
export const SIZE_LIMITS = ['as', 'core', 'data', 'fsize', 'memlock', 'rss', 'stack'] as const;

/** All resources that have an option. */
export const LIMITED_RESOURCES = [...COUNT_LIMITS, ...SIZE_LIMITS] as const;

/** A resource that has an option `rlimit_<name>`. */
export type LimitedResource = (typeof LIMITED_RESOURCES)[number];

/** A soft and a hard limit; `Infinity` for none. */
export interface Limit {
  readonly soft: number;
  readonly hard: number;
}
