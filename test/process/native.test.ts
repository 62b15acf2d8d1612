/**
 * Builds the C tests of the addon with AddressSanitizer and UndefinedBehaviorSanitizer and runs them: each stage of a
 * spawn, overlapping descriptors, framing. A compiler without the sanitizers' runtime skips them, with the reason.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { SANITIZER_FLAGS, buildAddon } from '../../build/addon.ts';
import { neededVersions } from '../../build/elf.ts';
import { platformOf, ROOT } from '../../build/platform.ts';

const run = promisify(execFile);
const platform = platformOf(undefined, undefined);
const native = join(ROOT, 'src', 'native');

describe('the C parts under ASan and UBSan', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-native-'));
  const skip = await missingSanitizer(folder);
  let output = '';

  before(async () => {
    if (skip !== false) return;
    const program = join(folder, 'native');
    // The other cases need Node. They run in the sanitized addon below.
    const addonParts = [
      'child.c',
      'clone.c',
      'spawn.c',
      'frame.c',
      'record.c',
      'syscalls.c',
      'socket.c',
      'names.c',
      'signals.c',
      'task-room.c',
    ];
    const earlyParts = ['libc/text.c', 'libc/variables.c', 'libc/loader.c'];
    const parts = [...addonParts, ...earlyParts].map((name) => join(native, name));
    const paths = [
      ...['native.c', 'pure.c', 'sockets.c', 'caught.c', 'early.c'].map((name) => join(ROOT, 'test', 'native-c', name)),
      ...parts,
    ];
    await run(platform.cc, [
      '-std=c17',
      '-D_GNU_SOURCE',
      '-O1',
      '-Wall',
      '-Wextra',
      '-Werror',
      ...SANITIZER_FLAGS,
      `-I${native}`,
      ...paths,
      '-o',
      program,
    ]);
    const { stdout, stderr } = await run(program, [], { env: { PATH: '/usr/bin:/bin' } });
    assert.equal(stderr, '', 'no finding and no warning');
    output = stdout;
  });
  after(() => rm(folder, { recursive: true }));

  test('all cases ran', { skip }, () => {
    assert.match(output, /^ok exec_fails$/m);
    assert.match(output, /^ok frame_as_plainly$/m);
    assert.match(output, /^ok records_as_plainly$/m);
    assert.match(output, /^ok many_spawns$/m);
    assert.match(output, /^ok pid_is_written$/m);
    assert.match(output, /^ok connections_are_watched$/m);
    assert.match(output, /^ok datagrams_arrive$/m);
    assert.match(output, /^ok full_queue_merges$/m);
    assert.match(output, /^ok limits_of_tasks_are_read$/m);
    assert.match(output, /^ok passed_descriptors_are_not_taken$/m);
    assert.match(output, /^ok variables_are_set_aside$/m);
    assert.match(output, /^ok loader_is_mapped$/m);
  });

  test('the whole addon in Node, with the library preloaded', { skip }, async () => {
    const path = await buildAddon({ ...platform, sanitize: true, out: join(folder, 'sanitized.node') });
    const { stdout: library } = await run(platform.cc, ['-print-file-name=libasan.so']);
    const script = join(ROOT, 'test', 'process', 'sanitized-calls.ts');
    const { stdout } = await run(process.execPath, [script, path], {
      env: { PATH: '/usr/bin:/bin', LD_PRELOAD: library.trim(), ASAN_OPTIONS: 'detect_leaks=0' },
    });
    assert.equal(stdout.trim(), 'all calls made');
  });
});

test('a compiled addon needs no glibc newer than 2.28', async () => {
  const versions = neededVersions(await readFile(await buildAddon(platform)));
  assert.ok(versions.includes('GLIBC_2.14') || versions.includes('GLIBC_2.17'), versions.join());
  for (const version of versions) assert.ok(version.localeCompare('GLIBC_2.28', 'en', { numeric: true }) <= 0, version);
});

test('the required symbol versions are read from the file of a program', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-elf-'));
  await writeFile(
    join(folder, 'new.c'),
    'extern int pidfd_open_like(void) __asm__("pthread_create"); int call(void) { return pidfd_open_like(); }',
  );
  await run(platform.cc, ['-shared', '-fPIC', join(folder, 'new.c'), '-o', join(folder, 'new.so')]);
  const { stdout } = await run('objdump', ['-T', join(folder, 'new.so')]);
  const shown = new Set([...stdout.matchAll(/\((GLIBC_[\d.]+)\)/g)].map((match) => match[1]));
  assert.deepEqual(new Set(neededVersions(await readFile(join(folder, 'new.so')))), shown);
  assert.throws(() => neededVersions(Buffer.alloc(100)), /not a 64-bit/);
  await rm(folder, { recursive: true });
});

/** Returns the reason why the sanitizers cannot be used here; false if they can. */
async function missingSanitizer(folder: string): Promise<string | false> {
  const probe = join(folder, 'probe.c');
  await writeFile(probe, 'int main(void) { return 0; }');
  try {
    await run(platform.cc, [...SANITIZER_FLAGS, probe, '-o', join(folder, 'probe')]);
    await run(join(folder, 'probe'));
    return false;
  } catch (error) {
    return (
      `${platform.cc} has no working runtime for ${SANITIZER_FLAGS[0]}: ` +
      `${error instanceof Error ? error.message.split('\n')[0] : ''}`
    );
  }
}
