/** The Debian package: its files, its control file, and the tools that a release needs. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { debFiles, debianContact, debianVersion } from '../../../../build/release/deb.ts';
import { compilerPackages, requireTools } from '../../../../build/release/tools.ts';
import { platformOf, ROOT } from '../../../../build/platform.ts';

test('the files, the control file, the changelog and the sums', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-deb-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const executable = join(folder, 'onevisor');
  await writeFile(executable, 'x'.repeat(3000));
  const contents = {
    version: '1.2.3-rc.1',
    arch: 'amd64',
    maintainer: 'the authors',
    summary: 'a summary',
    executable,
    pages: [{ file: 'onevisor.1', section: 1, roff: '.TH' }],
    copyright: 'free',
    sbom: '{}',
    builtUsing: [{ distribution: 'debian', release: '12', name: 'glibc', version: '2.36-9', notices: null }],
  };
  const files = await debFiles(contents, new Date('2026-01-02T03:04:05Z'));
  const textOf = (path: string): string => {
    const file = files.find((one) => one.path === path);
    return file !== undefined && 'text' in file ? Buffer.from(file.text).toString('latin1') : '';
  };
  const supervisorNames = files.filter(({ path }) => /supervisor|pidproxy/.test(path.replaceAll('onevisor', '')));
  assert.deepEqual(
    supervisorNames.map(({ path }) => path.slice(0, path.lastIndexOf('/'))),
    ['usr/lib/onevisor', 'usr/lib/onevisor', 'usr/lib/onevisor', 'usr/lib/onevisor'],
  );
  const control = textOf('DEBIAN/control');
  assert.match(
    control,
    /^Package: onevisor\nVersion: 1\.2\.3~rc\.1\nArchitecture: amd64\nMaintainer: the authors <.*>\n/,
  );
  assert.match(control, /^Installed-Size: \d+\nBuilt-Using: glibc \(= 2\.36-9\)\n/m);
  assert.doesNotMatch(control, /Depends|Conflicts|Provides/);
  assert.match(textOf('DEBIAN/md5sums'), /^[\da-f]{32} {2}usr\/bin\/onevisor\n/);
  assert.doesNotMatch(textOf('DEBIAN/md5sums'), /usr\/lib/);
  const changelog = gunzipSync(Buffer.from(textOf('usr/share/doc/onevisor/changelog.gz'), 'latin1')).toString();
  assert.match(changelog, /^onevisor \(1\.2\.3~rc\.1\) [^]* {2}Fri, 02 Jan 2026 03:04:05 \+0000\n$/);
  assert.equal(debianVersion('1.2.3'), '1.2.3');
  assert.equal(debianContact('A <a@b.test>'), 'A <a@b.test>');
});

test('a missing cross compiler is one error with its packages and a way without it', async () => {
  const foreign = { ...platformOf('arm64', '/nonexistent/aarch64-gcc'), foreign: true };
  const native = platformOf(process.arch, undefined);
  await assert.rejects(requireTools([{ ...native, arch: 'x64', foreign: false }, foreign]), (error: Error) => {
    assert.match(error.message, /^cannot make the release without \/nonexistent\/aarch64-gcc, .*: apt-get install /);
    assert.match(error.message, / g\+\+-aarch64-linux-gnu libc6-dev-arm64-cross\. .*npm run release -- --arch x64$/);
    return true;
  });
});

test('the Dockerfile installs the same cross compilers', () => {
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  for (const arch of ['x64', 'arm64'] as const)
    assert.ok(dockerfile.includes(`packages="${compilerPackages({ arch, foreign: true }).join(' ')}"`), arch);
});

test('processors have the names of Debian, too', () => {
  assert.equal(platformOf('amd64', undefined).arch, 'x64');
  assert.throws(() => platformOf('riscv64', undefined), /cannot build for riscv64: only x64 and arm64/);
});
