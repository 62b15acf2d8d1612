/**
 * System calls that fail during a soak, some times in a row: the faults of test/fault that nothing may be lost by. A
 * filter for each read and write would slow the workers, which inherit it, so those calls are left to test/fault.
 */
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Injector, Who } from '../fault/injector.ts';
import type { Random } from './random.ts';

/** Time after which calls go well again, at the latest. */
const FAULTY_MS = 1000;
const MOST_CALLS = 4;

interface Fault {
  readonly call: string;
  readonly errors: readonly string[];
  readonly who: Who;
  readonly target: string | null;
}

const FAULTS: readonly Fault[] = [
  { call: 'clone3', errors: ['EAGAIN', 'ENOMEM'], who: 'pid1', target: null },
  { call: 'execve', errors: ['EIO', 'ENOMEM', 'EAGAIN', 'EPERM', 'EMFILE'], who: 'child', target: null },
  { call: 'dup2', errors: ['EMFILE', 'EINTR'], who: 'child', target: null },
  { call: 'close_range', errors: ['ENOMEM', 'EMFILE'], who: 'child', target: null },
  { call: 'pipe2', errors: ['EMFILE', 'ENFILE', 'ENOMEM'], who: 'pid1', target: null },
  { call: 'wait4', errors: ['EINTR'], who: 'pid1', target: null },
  { call: 'accept4', errors: ['EMFILE', 'ENFILE', 'ECONNABORTED', 'ENOMEM'], who: 'pid1', target: null },
  { call: 'openat', errors: ['EMFILE', 'ENOSPC', 'EIO', 'EROFS'], who: 'pid1', target: '.log' },
  { call: 'openat', errors: ['EMFILE', 'EIO'], who: 'pid1', target: 'supervisord.conf' },
  { call: 'rename', errors: ['EIO', 'ENOSPC', 'EROFS'], who: 'pid1', target: '.log' },
  { call: 'unlink', errors: ['EIO', 'EROFS'], who: 'pid1', target: '.log' },
];

/** Names of the calls, for the filter. */
export const FAULTY_CALLS = [...new Set(FAULTS.map(({ call }) => call))].join(',');

/** Calls that are going to fail: a text, and the function that makes them fail for a while. */
export interface Mishap {
  readonly text: string;
  readonly run: (injector: Injector) => Promise<void>;
}

/** Chooses calls and an error. */
export function inventMishap(random: Random): Mishap {
  const { call, errors, who, target } = random.pick(FAULTS);
  const error = random.pick(errors);
  const [skip, count, ms] = [random.below(3), 1 + random.below(MOST_CALLS), random.below(FAULTY_MS)];
  const errno = (constants.errno as Readonly<Record<string, number>>)[error] ?? 0;
  return {
    text: `${error} of ${call}${target === null ? '' : ` for ${target}`}, ${count} times after ${skip}, for ${ms} ms`,
    run: async (injector) => {
      await injector.fail({ call, errno, skip, count, who, target });
      await sleep(ms);
      // Other mishaps end with this one: rules are cleared together.
      await injector.clear();
    },
  };
}
