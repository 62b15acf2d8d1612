/**
 * Loading the addon from the executable: it is written to a file system that allows it, or one error lists all paths.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { AddonLoadError, ADDON_NAME, loadCarried, unpackAddon } from '../../src/native/load.ts';
import { ROOT } from '../../build/platform.ts';
import './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-load-'));
after(() => rmSync(folder, { recursive: true }));
const bytes = readFileSync(join(ROOT, 'dist', ADDON_NAME));
const beside = join(folder, 'bin');
const writable = join(folder, 'run');
const mounts = spawnSync('unshare', ['-m', 'true']).status === 0 ? false : 'no right to mount';

beforeEach(() => {
  for (const path of [beside, writable]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  }
});

describe('an addon inside the executable', () => {
  test('is loaded from a directory, in which no file remains', () => {
    assert.equal(loadCarried(bytes, beside, [writable]).kill(process.pid, 0), 0);
    assert.deepEqual(readdirSync(writable), []);
  });

  test('is loaded from the file next to the executable if it exists', () => {
    writeFileSync(join(beside, ADDON_NAME), bytes);
    assert.equal(loadCarried(bytes, beside, []).kill(process.pid, 0), 0);
  });

  test('is not loaded from there if the version differs', () => {
    writeFileSync(join(beside, ADDON_NAME), Buffer.concat([bytes, Buffer.from('x')]));
    assert.equal(loadCarried(bytes, beside, [writable]).kill(process.pid, 0), 0);
    assert.throws(() => loadCarried(bytes, beside, []), /another version/);
  });

  test('the next directory is tried', () => {
    assert.equal(loadCarried(bytes, beside, ['/nowhere', '/proc', writable]).kill(process.pid, 0), 0);
  });

  test('continues if files cannot be mapped executable, and leaves nothing there', { skip: mounts }, () => {
    const script = `import('${join(ROOT, 'src/native/load.ts')}').then(({ loadCarried }) => {
      const fs = require('node:fs');
      const bytes = fs.readFileSync('${join(ROOT, 'dist', ADDON_NAME)}');
      let reason = '';
      try { loadCarried(bytes, '/nowhere', ['${beside}']); } catch (error) { reason = error.attempts[1].reason; }
      const carried = loadCarried(bytes, '/nowhere', ['${beside}', '${writable}']);
      const left = fs.readdirSync('${beside}').length;
      console.log(/map segment|not permitted/.test(reason), left, carried.kill(process.pid, 0)); })`;
    const printed = execFileSync(
      'unshare',
      ['-m', 'sh', '-c', `mount -t tmpfs -o noexec none ${beside} && exec "$0" -e "$1"`, process.execPath, script],
      { encoding: 'utf8' },
    );
    assert.equal(printed, 'true 0 0\n');
  });

  test('the error lists every path, and advice', () => {
    assert.throws(
      () => loadCarried(bytes, beside, ['/nowhere', '/proc']),
      (error) => {
        assert.ok(error instanceof AddonLoadError);
        assert.deepEqual(
          error.attempts.map(({ path }) => path.replace(/\.onevisor-.*/, '*')),
          [join(beside, ADDON_NAME), '/nowhere/*', '/proc/*'],
        );
        for (const { path, reason } of error.attempts) assert.ok(error.message.includes(`  ${path}: ${reason}\n`));
        assert.match(error.message, /^cannot load the native addon:\n/);
        assert.ok(error.message.includes(`onevisor unpack ${beside}`));
        return true;
      },
    );
  });
});

describe('unpacking', () => {
  test('writes a file that can be loaded, readable for every user', () => {
    const umask = process.umask(0o077);
    const path = unpackAddon(beside);
    process.umask(umask);
    assert.equal(path, join(beside, ADDON_NAME));
    assert.equal(statSync(path).mode & 0o777, 0o755);
    assert.equal(loadCarried(bytes, beside, []).kill(process.pid, 0), 0);
    unpackAddon(beside);
    assert.deepEqual(readdirSync(beside), [ADDON_NAME]);
  });

  test('reports the error of the file system, and leaves nothing', () => {
    assert.throws(() => unpackAddon('/nowhere'), { code: 'ENOENT' });
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => unpackAddon(join(folder, 'file')), { code: 'ENOTDIR' });
    assert.ok(!existsSync('/nowhere'));
  });
});
