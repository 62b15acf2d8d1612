/**
 * With the system's libraries, the addon is written to a file system that lets it be loaded; one error names all places
 * if none does.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, test } from 'node:test';
import { AddonLoadError, ADDON_NAME, loadCarried } from '../../src/native/load.ts';
import { CACHE, ROOT } from '../../build/platform.ts';
import './programs.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-load-'));
after(() => rmSync(folder, { recursive: true }));
const addon = join(CACHE, process.arch, ADDON_NAME);
const bytes = readFileSync(addon);
const sealed = join(folder, 'sealed');
const writable = join(folder, 'run');
const mounts = spawnSync('unshare', ['-m', 'true']).status === 0 ? false : 'no right to mount';

beforeEach(() => {
  for (const path of [sealed, writable]) {
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path);
  }
});

describe('an addon that is carried along', () => {
  test('is loaded from a folder that leads to nothing afterwards', () => {
    assert.equal(loadCarried(bytes, [writable]).kill(process.pid, 0), 0);
    assert.deepEqual(readdirSync(writable), []);
  });

  test('goes on to the next folder', () => {
    assert.equal(loadCarried(bytes, ['/nowhere', '/proc', writable]).kill(process.pid, 0), 0);
  });

  test('continues if files cannot be mapped executable, and leaves nothing there', { skip: mounts }, () => {
    const script = `import('${join(ROOT, 'src/native/load.ts')}').then(({ loadCarried }) => {
      const fs = require('node:fs');
      const bytes = fs.readFileSync('${addon}');
      let reason = '';
      try { loadCarried(bytes, ['${sealed}']); } catch (error) { reason = error.attempts[0].reason; }
      const carried = loadCarried(bytes, ['${sealed}', '${writable}']);
      const left = fs.readdirSync('${sealed}').length;
      console.log(/map segment|not permitted/.test(reason), left, carried.kill(process.pid, 0)); })`;
    const printed = execFileSync(
      'unshare',
      ['-m', 'sh', '-c', `mount -t tmpfs -o noexec none ${sealed} && exec "$0" -e "$1"`, process.execPath, script],
      { encoding: 'utf8' },
    );
    assert.equal(printed, 'true 0 0\n');
  });

  test('the error lists every path, and advice', () => {
    assert.throws(
      () => loadCarried(bytes, ['/nowhere', '/proc']),
      (error) => {
        assert.ok(error instanceof AddonLoadError);
        assert.deepEqual(
          error.attempts.map(({ path }) => path.replace(/\.onevisor-.*/, '*')),
          ['/nowhere/*', '/proc/*'],
        );
        for (const { path, reason } of error.attempts) assert.ok(error.message.includes(`  ${path}: ${reason}\n`));
        assert.match(error.message, /^cannot load the native addon:\n/);
        assert.match(error.message, /Leave ONEVISOR_LIBC out/);
        return true;
      },
    );
  });
});
