/** The files that are written for control groups, in a folder in place of cgroupfs. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { type CgroupTarget, Cgroups } from '../../src/process/cgroups.ts';

const none = { cpu_max: null, memory_high: null, memory_max: null, pids_max: null, io_weight: null };

function target(options: Partial<CgroupTarget['options']>, name = 'web'): CgroupTarget {
  return { group: name, name, options: { ...none, kill_orphans: 'never', ...options } };
}

interface Scene {
  readonly cgroups: Cgroups;
  readonly warnings: string[];
  readonly signals: string[];
  readonly file: (path: string) => string;
  readonly folder: string;
  readonly open: (wanted: CgroupTarget) => string | null;
}

function scene(t: TestContext, controllers = 'cpu memory pids io'): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'onevisor-cgroups-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'cgroup.controllers'), `${controllers}\n`);
  const warnings: string[] = [];
  const signals: string[] = [];
  const cgroups = new Cgroups({
    directory: folder,
    warn: (text) => warnings.push(text.replaceAll(folder, 'BASE')),
    kill: (pid, signal) => (signals.push(`${pid} ${signal}`), pid === 404 ? 3 : 0),
  });
  return {
    cgroups,
    warnings,
    signals,
    folder,
    file: (path) => readFileSync(join(folder, path), 'latin1'),
    open: (wanted) => {
      const opened = cgroups.open(wanted);
      if (opened !== null) closeSync(opened.fd);
      return opened?.path ?? null;
    },
  };
}

test('a program without such options has no group, and nothing is touched', (t) => {
  const { open, folder } = scene(t);
  assert.equal(open(target({ kill_orphans: 'always' })), null);
  assert.deepEqual(readdirSync(folder), ['cgroup.controllers']);
});

test('limits are files, and an update changes them', (t) => {
  const { cgroups, open, file, folder, warnings } = scene(t);
  const path = open(target({ cpu_max: 0.5, memory_max: 1000 }, 'a/b c'));
  assert.equal(path, join(folder, 'onevisor-a%2Fb%20c:a%2Fb%20c'));
  const inside = (name: string): string => file(`onevisor-a%2Fb%20c:a%2Fb%20c/${name}`);
  assert.deepEqual([inside('cpu.max'), inside('memory.max')], ['50000 100000', '1000']);
  assert.equal(file('cgroup.subtree_control'), '+memory');
  cgroups.update(target({ cpu_max: 2, pids_max: 7 }, 'a/b c'));
  assert.deepEqual([inside('cpu.max'), inside('memory.max'), inside('pids.max')], ['200000 100000', 'max', '7']);
  assert.deepEqual(warnings, []);
  const long = open(target({ pids_max: 1 }, 'x'.repeat(300))) ?? '';
  assert.ok(existsSync(long) && (long.split('/').at(-1) ?? '').length <= 255);
});

test('a controller that is missing is one warning, with what happens in place of the limit', (t) => {
  const { cgroups, open, warnings } = scene(t, 'pids');
  const wanted = target({ cpu_max: 1, memory_high: 5000, memory_max: 6000, pids_max: 9 });
  assert.notEqual(open(wanted), null);
  assert.notEqual(open(wanted), null);
  const missing = (controller: string): string => `the controller ${controller} is not available in BASE`;
  assert.deepEqual(warnings, [
    `cannot set cpu_max for 'web': ${missing('cpu')}; without effect: cpu_max`,
    `cannot set memory_high for 'web': ${missing('memory')}; memory_high is checked every 10 seconds, as max_memory`,
    `cannot set memory_max for 'web': ${missing('memory')}; memory_max is checked every 10 seconds, as max_memory`,
  ]);
  assert.equal(cgroups.substituteOf('web:web'), 5000);
  cgroups.update(target({ memory_max: 6000 }));
  assert.equal(cgroups.substituteOf('web:web'), 6000);
  cgroups.update(target({}));
  assert.equal(cgroups.substituteOf('web:web'), null);
});

test('without a writable group there is one warning for the program', (t) => {
  const { folder } = scene(t);
  const warnings: string[] = [];
  const cgroups = new Cgroups({
    directory: join(folder, 'missing'),
    warn: (text) => warnings.push(text),
    kill: () => 0,
  });
  for (let run = 0; run < 2; run++)
    assert.equal(cgroups.open(target({ memory_max: 70, pids_max: 9, kill_orphans: 'cgroup' })), null);
  assert.deepEqual(warnings, [
    "cannot use a control group for 'web': no such file or directory (ENOENT); memory_max is checked every 10 " +
      'seconds, as max_memory; without effect: pids_max; kill_orphans works as ' +
      'kill_orphans=always: processes that have left the process group stay',
  ]);
  assert.equal(cgroups.substituteOf('web:web'), 70);
});

test('signals, members and memory of the group of a run', (t) => {
  const { cgroups, open, folder, signals } = scene(t);
  const path = open(target({ kill_orphans: 'cgroup' })) ?? '';
  assert.equal(cgroups.signal(10, 15), null);
  assert.deepEqual([cgroups.membersOf(10), cgroups.memoryOf(10)], [null, null]);
  cgroups.started(10, path);
  assert.equal(cgroups.signal(10, 0), 3);
  writeFileSync(join(path, 'cgroup.procs'), '10\n404\n12\n0\n');
  assert.equal(cgroups.signal(10, 0), 0);
  assert.deepEqual(signals, []);
  assert.equal(cgroups.signal(10, 15), 0);
  assert.equal(cgroups.signal(10, 9), 0);
  assert.deepEqual(signals, ['10 15', '404 15', '12 15', '10 9', '404 9', '12 9']);
  writeFileSync(join(path, 'cgroup.kill'), '');
  assert.equal(cgroups.signal(10, 9), 0);
  assert.deepEqual([signals.length, readFileSync(join(path, 'cgroup.kill'), 'latin1')], [6, '1']);
  writeFileSync(join(path, 'cgroup.procs'), '404\n');
  assert.equal(cgroups.signal(10, 15), 3);
  assert.equal(cgroups.memoryOf(10), null);
  writeFileSync(join(path, 'memory.current'), '9000\n');
  assert.equal(cgroups.memoryOf(10), 9000);
  writeFileSync(join(path, 'memory.stat'), 'anon 1\ninactive_file 4000\n');
  assert.equal(cgroups.memoryOf(10), 5000);
  cgroups.started(10, null);
  assert.equal(cgroups.membersOf(10), null);
  cgroups.removeEmpty();
  assert.ok(existsSync(path) && existsSync(folder), 'a group with members stays');
  for (const name of readdirSync(path)) rmSync(join(path, name));
  cgroups.removeEmpty();
  assert.ok(!existsSync(path));
});
