/** Limits of control groups as files, and the place of our own group. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findCgroup, limitsOf, unlimited } from '../../../src/core/cgroup-limits.ts';

const none = { cpu_max: null, memory_high: null, memory_max: null, pids_max: null, io_weight: null };

test('each option is a file', () => {
  assert.deepEqual(limitsOf(none), []);
  assert.deepEqual(
    limitsOf({ cpu_max: 1.5, memory_high: 100, memory_max: 200, pids_max: 3, io_weight: 50 }).map(
      ({ file, text }) => `${file}=${text}`,
    ),
    ['cpu.max=150000 100000', 'memory.high=100', 'memory.max=200', 'pids.max=3', 'io.weight=default 50'],
  );
  assert.deepEqual(
    unlimited().map(({ file, text }) => `${file}=${text}`),
    ['cpu.max=max', 'memory.high=max', 'memory.max=max', 'pids.max=max', 'io.weight=default 100'],
  );
});

const V1 = '34 25 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n';

const rows: ReadonlyArray<readonly [title: string, mounts: string, membership: string, found: string | null]> = [
  ['a namespace', '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n', '0::/\n', '/sys/fs/cgroup'],
  ['a host', '30 25 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n', '0::/a.slice/b\n', '/sys/fs/cgroup/a.slice/b'],
  ['both versions', `${V1}30 25 0:26 / /x/unified rw - cgroup2 none rw\n`, '4:memory:/a\n0::/a\n', '/x/unified/a'],
  ['our part is mounted', '30 25 0:26 /a /sys/fs/cgroup rw - cgroup2 cgroup rw\n', '0::/a\n', '/sys/fs/cgroup'],
  ['below our part', '30 25 0:26 /a /sys/fs/cgroup rw - cgroup2 cgroup rw\n', '0::/a/b\n', '/sys/fs/cgroup/b'],
  ['another part', '30 25 0:26 /ab /sys/fs/cgroup rw - cgroup2 cgroup rw\n', '0::/a\n', null],
  ['the part of another namespace', '30 25 0:26 /.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n', '0::/\n', null],
  ['a blank', '30 25 0:26 / /my\\040groups rw shared:9 - cgroup2 cgroup rw\n', '0::/a\n', '/my groups/a'],
  ['version 1 only', V1, '4:memory:/a\n', null],
  ['nothing mounted', '', '0::/\n', null],
  ['no text', '', '', null],
];

for (const [title, mounts, membership, found] of rows)
  test(title, () => assert.equal(findCgroup(mounts, membership), found));
