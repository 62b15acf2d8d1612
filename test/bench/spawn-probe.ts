/**
 * spawn-probe COUNT PROGRAM MEGABYTES: starts PROGRAM COUNT times by the addon, one after the other, in a process that
 * uses MEGABYTES of V8's heap, and prints for each the microseconds until the call returned. As root, each program gets
 * a user, a group and supplementary groups.
 */
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { getHeapStatistics } from 'node:v8';
import { loadAddon } from '../../src/native/load.ts';
import { INHERITED, type SpawnRequest } from '../../src/native/addon.ts';

/** An unprivileged user (uid 65534 on most systems). */
const SOMEONE = 65_534;

const [count = '', program = '', megabytes = ''] = process.argv.slice(2);
const wanted = Number(megabytes);
// Numbers in arrays of V8's own, each page written.
const ballast = Array.from({ length: wanted }, (_, index) => Array.from({ length: (1 << 20) / 8 }, () => index + 0.5));
if (getHeapStatistics().used_heap_size < wanted * (1 << 20)) throw new Error('the heap is smaller than requested');
const addon = loadAddon();
const credentials = process.getuid?.() === 0 ? { uid: SOMEONE, gid: SOMEONE, groups: [SOMEONE] } : {};
const request: SpawnRequest = {
  ...INHERITED,
  ...credentials,
  file: program,
  argv: [program],
  env: Object.entries(process.env).map(([name, value]) => `${name}=${value}`),
  stdin: 'pipe',
  stdout: 'pipe',
  stderr: 'pipe',
  leadership: 'group',
};
for (let round = 0; round < Number(count); round += 1) {
  const began = process.hrtime.bigint();
  const { stdin, stdout, stderr } = addon.spawn(request);
  console.log(Number(process.hrtime.bigint() - began) / 1000);
  for (const fd of [stdin, stdout, stderr]) if (fd !== null) closeSync(fd);
  while (addon.reap(1).length === 0) await sleep(1);
}
// Use the memory once more, so that it stays allocated.
if (ballast.reduce((sum, numbers) => sum + (numbers[0] ?? 0), 0) < wanted / 2) throw new Error('the ballast is gone');
