/**
 * A release for this machine's processor, with little compression: checksums, the archive, and the Debian package next
 * to the files of Debian's package supervisor. Two releases have the same bytes.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { isInstalled } from '../../build/rootfs.ts';
import { debianArch, isArch, readPackage, ROOT } from '../../build/platform.ts';

const run = promisify(execFile);
const isReady = (await isInstalled('dpkg-deb')) && (await isInstalled('zstd')) && isArch(process.arch);
const arch = isArch(process.arch) ? process.arch : 'x64';
const { version } = await readPackage();
const NAME = `onevisor-${version}-linux-${arch}`;
const DEB = `onevisor_${version}_${debianArch(arch)}.deb`;

/** Facts that every way to get the executable must show. */
async function assertRuns(executable: string): Promise<void> {
  const { stdout } = await run(executable, ['--version', '--json'], { env: {} });
  const facts = JSON.parse(stdout) as { version: string; architecture: string; libc: { from: string } };
  assert.deepEqual([facts.version, facts.architecture, facts.libc.from], [version, arch, 'inside']);
}

describe('a release', { skip: isReady ? false : 'dpkg-deb and zstd are not installed', timeout: 300_000 }, () => {
  let folder = '';
  let release = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'onevisor-release-'));
    release = join(folder, 'first');
    await makeRelease(release);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  test('has a file for each way to install it, and checksums of all', async () => {
    const names = (await readdir(release)).sort();
    const expected = [NAME, `${NAME}.cdx.json`, `${NAME}.licenses.txt`, `${NAME}.tar.zst`, DEB, 'SHA256SUMS', 'man'];
    assert.deepEqual(names, expected.sort());
    await run('sha256sum', ['--check', '--strict', 'SHA256SUMS'], { cwd: release });
    const sums = await readFile(join(release, 'SHA256SUMS'), 'utf8');
    assert.match(sums, /^[\da-f]{64} {2}man\/man1\/onevisor\.1$/m);
    await assertRuns(join(release, NAME));
  });

  test('the archive unpacks into a prefix, and its links work', async () => {
    const prefix = join(folder, 'prefix');
    await mkdir(prefix);
    await run('tar', ['--zstd', '-xf', join(release, `${NAME}.tar.zst`), '-C', prefix, '--strip-components=1']);
    await assertRuns(join(prefix, 'bin', 'onevisor'));
    const { stdout } = await run(join(prefix, 'bin', 'supervisord'), ['--version']);
    assert.equal(stdout.trim(), '4.3.0');
    const documents = await readdir(join(prefix, 'share', 'doc', 'onevisor'));
    assert.deepEqual(documents.sort(), ['LICENSE', 'THIRD_PARTY_LICENSES.txt', 'onevisor.cdx.json']);
  });

  test("the package installs next to Debian's supervisor", async (t) => {
    const root = join(folder, 'root');
    await run('dpkg-deb', ['--extract', join(release, DEB), root]);
    await assertRuns(join(root, 'usr', 'bin', 'onevisor'));
    const { stdout } = await run(join(root, 'usr', 'lib', 'onevisor', 'supervisorctl'), ['help', 'status']);
    assert.match(stdout, /^status <name>/);
    assert.equal((await run('dpkg-deb', ['--field', join(release, DEB), 'Depends'])).stdout.trim(), '');
    const theirs = await run('dpkg-query', ['--listfiles', 'supervisor']).catch(() => null);
    if (theirs === null) return t.skip('the package supervisor is not installed');
    const shared = await Promise.all(
      theirs.stdout
        .trim()
        .split('\n')
        .map((path) => isFile(join(root, path))),
    );
    assert.deepEqual(
      shared.filter((path) => path !== null),
      [],
    );
    return undefined;
  });

  test('a second one has the same bytes', async () => {
    const second = join(folder, 'second');
    await makeRelease(second);
    const [one, other] = await Promise.all([release, second].map((path) => readFile(join(path, 'SHA256SUMS'), 'utf8')));
    assert.equal(one, other);
  });
});

/** Returns the path if there is a file or a link; null for a folder, which packages share. */
async function isFile(path: string): Promise<string | null> {
  const status = await lstat(path).catch(() => null);
  return status === null || status.isDirectory() ? null : path;
}

async function makeRelease(output: string): Promise<void> {
  const options = ['--draft', '--quick', '--arch', arch, '--out', output];
  await run(process.execPath, [join(ROOT, 'build', 'release.ts'), ...options]);
}
