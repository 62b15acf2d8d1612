/** The libraries of the toolchain, and the source packages that they are from. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { platformOf } from '../../../build/platform.ts';
import { linkedGcc, linkedGlibc, osRelease, parseSource, toolchainFile } from '../../../build/toolchain.ts';

const GLIBC = /^glibc$/;

test('a package names its source, or what it has copied', () => {
  assert.deepEqual(parseSource('glibc\t2.36-9+deb12u14\t', GLIBC), { name: 'glibc', version: '2.36-9+deb12u14' });
  const used = 'linux (= 6.1.4-1), gcc-12 (= 12.2.0-14), glibc (= 2.36-8)';
  assert.deepEqual(parseSource(`cross-toolchain-base\t66\t${used}`, GLIBC), { name: 'glibc', version: '2.36-8' });
  assert.deepEqual(parseSource(`cross-toolchain-base\t66\t${used}`, /^gcc-\d+$/), {
    name: 'gcc-12',
    version: '12.2.0-14',
  });
  assert.equal(parseSource('musl\t1.2.3-1\t', GLIBC), null);
  assert.equal(parseSource('', GLIBC), null);
});

const isDebian = existsSync('/var/lib/dpkg/info/libc6-dev:amd64.md5sums') && process.arch === 'x64';
const skip = isDebian ? false : 'not a Debian with libc6-dev for amd64';

test('the libraries of this machine are from packages with notices', { skip }, async () => {
  const platform = platformOf(undefined, undefined);
  const [glibc, gcc] = await Promise.all([linkedGlibc(platform), linkedGcc(platform)]);
  assert.equal(glibc.source?.name, 'glibc');
  assert.ok(glibc.source?.version.startsWith(glibc.version), JSON.stringify(glibc.source));
  assert.match(gcc.source?.name ?? '', /^gcc-\d+$/);
  assert.ok(gcc.source?.version.startsWith(gcc.version), JSON.stringify(gcc.source));
  assert.equal(glibc.source?.distribution, await osRelease('ID'));
});

test('a missing file of the toolchain is an error that names the package', async () => {
  await assert.rejects(toolchainFile(platformOf(undefined, undefined), 'libnone.a'), /libnone\.a: install g\+\+/);
  assert.equal(await osRelease('NO_SUCH_KEY'), null);
});
