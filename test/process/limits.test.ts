/** minfds and minprocs by Supervisor's rules, and the limit that programs get because Node has raised ours. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { LIMITED_RESOURCES } from '../../src/core/resource-limits.ts';
import type { ResourceLimit } from '../../src/native/addon.ts';
import { forbidCoreDumps, LimitError, originalFileLimit, raiseLimits } from '../../src/process/limits.ts';
import { addon } from './programs.ts';

interface Fake {
  readonly set: ResourceLimit[];
  getLimit(resource: string): ResourceLimit;
  setLimit(limit: ResourceLimit): void;
}

/** Limits of a fake process. Only a privileged process can raise a hard limit. */
function fake(files: readonly [number, number], processes: readonly [number, number], isPrivileged: boolean): Fake {
  const limits = new Map([
    ['nofile', files],
    ['nproc', processes],
  ]);
  const set: ResourceLimit[] = [];
  return {
    set,
    getLimit(resource) {
      const [soft = 0, hard = 0] = limits.get(resource) ?? [];
      return { resource, soft, hard };
    },
    setLimit(limit) {
      if (!isPrivileged && limit.hard > (limits.get(limit.resource)?.[1] ?? 0))
        throw Object.assign(new Error('x'), { code: 'EPERM' });
      limits.set(limit.resource, [limit.soft, limit.hard]);
      set.push(limit);
    },
  };
}

const defaults = { minfds: 1024, minprocs: 200 };

describe('minfds and minprocs', () => {
  test('sufficient limits change nothing', () => {
    const calls = fake([4096, 4096], [Infinity, Infinity], false);
    assert.deepEqual(raiseLimits(calls, defaults, null), { infos: [], forPrograms: [] });
    assert.deepEqual(calls.set, []);
  });

  test('programs get the soft limit that we were started with', () => {
    assert.deepEqual(raiseLimits(fake([524_288, 524_288], [500, 500], false), defaults, 1024).forPrograms, [
      { resource: 'nofile', soft: 1024, hard: 524_288 },
    ]);
  });

  // compat: programs inherit what minfds raises. Users set minfds for this.
  test('programs get a larger minfds too', () => {
    const { infos, forPrograms } = raiseLimits(
      fake([524_288, 524_288], [500, 500], false),
      { minfds: 65_536, minprocs: 200 },
      1024,
    );
    assert.deepEqual(forPrograms, [{ resource: 'nofile', soft: 65_536, hard: 524_288 }]);
    assert.deepEqual(infos, ['Increased RLIMIT_NOFILE limit to 65536']);
  });

  test('a privileged process raises hard limits', () => {
    const calls = fake([256, 256], [100, 100], true);
    assert.deepEqual(raiseLimits(calls, defaults, 256), {
      infos: ['Increased RLIMIT_NOFILE limit to 1024', 'Increased RLIMIT_NPROC limit to 200'],
      forPrograms: [],
    });
    assert.deepEqual(calls.set, [
      { resource: 'nofile', soft: 1024, hard: 1024 },
      { resource: 'nproc', soft: 200, hard: 200 },
    ]);
  });

  test('soft limits rise up to the hard ones, which stay', () => {
    const calls = fake([4096, 4096], [100, Infinity], false);
    raiseLimits(calls, defaults, null);
    assert.deepEqual(calls.set, [{ resource: 'nproc', soft: 200, hard: Infinity }]);
  });

  test('too low a hard limit ends the start with Supervisor’s words', () => {
    assert.throws(
      () => raiseLimits(fake([256, 256], [500, 500], false), defaults, null),
      (error) =>
        error instanceof LimitError &&
        error.message.startsWith(
          'The minimum number of file descriptors required to run this process is 1024 as per the "minfds" ' +
            'command-line argument or config file setting. The current environment will only allow you to open 256 ' +
            'file descriptors.  Either raise',
        ),
    );
    assert.throws(
      () => raiseLimits(fake([2048, 2048], [100, 100], false), defaults, null),
      (error) =>
        error instanceof LimitError &&
        error.message.startsWith(
          'The minimum number of available processes required to run this program is 200 as per the "minprocs" ' +
            'command-line argument or config file setting. The current environment will only allow you to open 100 ' +
            'processes.  Either raise',
        ),
    );
  });
});

describe('core dumps of the supervisor', () => {
  const withCore = (soft: number, hard: number): Fake => {
    const calls = fake([1, 1], [1, 1], false);
    return { ...calls, getLimit: (resource) => (resource === 'core' ? { resource, soft, hard } : calls.getLimit('')) };
  };

  test('are forbidden by the soft limit, and programs get the limit back', () => {
    const calls = withCore(4096, Infinity);
    const given = [{ resource: 'core', soft: 4096, hard: Infinity }];
    assert.deepEqual(forbidCoreDumps({ ...calls, setLimit: (limit) => calls.set.push(limit) }), given);
    assert.deepEqual(calls.set, [{ resource: 'core', soft: 0, hard: Infinity }]);
  });

  test('that are forbidden already change nothing', () => {
    const calls = withCore(0, Infinity);
    assert.deepEqual(forbidCoreDumps({ ...calls, setLimit: (limit) => calls.set.push(limit) }), []);
    assert.deepEqual(calls.set, []);
  });
});

test('the addon knows every resource that has an option', () => {
  for (const resource of LIMITED_RESOURCES) assert.equal(addon.getLimit(resource).resource, resource);
});

describe('the soft limit that we were started with', () => {
  const script = `import('${join(import.meta.dirname, 'programs.ts')}').then(async ({ addon }) => {
    const { originalFileLimit } = await import('${join(import.meta.dirname, '../../src/process/limits.ts')}');
    console.log(originalFileLimit(addon, process.ppid), addon.getLimit('nofile').soft); })`;

  test('is that of our parent, although Node has raised ours', () => {
    const printed = execFileSync(
      '/bin/sh',
      ['-c', 'ulimit -n 3000; ulimit -Sn 700; "$0" -e "$1"; :', process.execPath, script],
      { encoding: 'utf8' },
    );
    assert.equal(printed, '700 3000\n');
  });

  test('is unknown if the parent has another hard limit, and for PID 1', () => {
    const printed = execFileSync(
      '/bin/sh',
      ['-c', 'ulimit -n 3000; (ulimit -n 2000; exec "$0" -e "$1"); :', process.execPath, script],
      { encoding: 'utf8' },
    );
    assert.equal(printed, 'null 2000\n');
    assert.equal(originalFileLimit(fake([1, 1], [1, 1], false), 0), null);
  });
});
