/**
 * spawn-probe COUNT PROGRAM MEGABYTES: starts PROGRAM COUNT times by the addon, one after the other, in a process that
 * uses MEGABYTES of memory, and prints for each the microseconds until the call returned.
 */
import { closeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAddon } from '../../src/native/load.ts';
import { INHERITED, type SpawnRequest } from '../../src/native/addon.ts';

const [count = '', program = '', megabytes = ''] = process.argv.slice(2);
const ballast = Array.from({ length: Number(megabytes) }, () => Buffer.alloc(1 << 20, 1));
const addon = loadAddon();
const request: SpawnRequest = {
  ...INHERITED,
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
if (ballast.length !== Number(megabytes)) throw new Error('the ballast is gone');
