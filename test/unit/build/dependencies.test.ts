/**
 * The packages that the build uses: exact versions, an integrity for each, no other host than npm's registry, Node with
 * the pinned hash, and no known vulnerability where the registry can be asked.
 */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { hashOfFile } from '../../../build/cache.ts';
import { requirePinnedNode } from '../../../build/node-hashes.ts';
import { nodeFor, platformOf, readPackage } from '../../../build/platform.ts';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '..', '..', '..');

interface Locked {
  readonly version?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly hasInstallScript?: boolean;
}

const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
  readonly packages: Readonly<Record<string, Locked & Readonly<Record<string, unknown>>>>;
};
const packages = Object.entries(lock.packages).filter(([name]) => name !== '');

describe('package.json and package-lock.json', () => {
  test('name exact versions, the same in both', async () => {
    const own = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      Record<string, string>
    >;
    for (const kind of ['devDependencies', 'optionalDependencies'])
      for (const [name, version] of Object.entries(own[kind] ?? {})) {
        assert.match(version, /^\d+\.\d+\.\d+$/, name);
        assert.equal(lock.packages[`node_modules/${name}`]?.version, version, name);
      }
    // The executable has no dependency at run time: everything is bundled.
    assert.equal(own['dependencies'], undefined);
  });

  test('have a strong integrity for every package, and no address of a host', () => {
    assert.ok(packages.length > 100, String(packages.length));
    for (const [name, { integrity = '', resolved }] of packages) {
      assert.match(integrity, /^sha512-[A-Za-z0-9+/]{86}==$/, name);
      assert.equal(resolved, undefined, name);
    }
  });

  test('only expected packages run a script when they are installed', () => {
    const scripts = packages.filter(([, { hasInstallScript }]) => hasInstallScript === true).map(([name]) => name);
    assert.deepEqual(scripts, ['node_modules/esbuild']);
  });
});

describe('Node', () => {
  test('is the pinned one', async () => {
    const { optionalDependencies } = await readPackage();
    const version = optionalDependencies[`node-linux-${process.arch}`] ?? '';
    requirePinnedNode(await hashOfFile(await nodeFor(platformOf(undefined, undefined))), version, process.arch);
  });

  test('with another hash or of an unknown version is refused', () => {
    const wrong = '0'.repeat(64);
    assert.throws(() => requirePinnedNode(wrong, '24.21.0', 'x64'), /has the SHA-256 0{64} instead of 7fde7b8a/);
    assert.throws(() => requirePinnedNode(wrong, '24.21.0', 'arm64'), /instead of/);
    assert.throws(() => requirePinnedNode(wrong, '25.0.0', 'x64'), /build\/node-hashes\.ts has none for it/);
  });
});

test('npm refuses a package with another content than the lock file names', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'onevisor-lock-'));
  t.after(() => rm(folder, { recursive: true }));
  const write = (name: string, value: unknown): Promise<void> => writeFile(join(folder, name), JSON.stringify(value));
  await run(
    'sh',
    ['-c', 'mkdir package && echo \'{"name":"a","version":"1.0.0"}\' >package/package.json && tar czf a.tgz package'],
    {
      cwd: folder,
    },
  );
  const dependencies = { a: 'file:a.tgz' };
  await write('package.json', { name: 'x', version: '1.0.0', dependencies });
  await write('package-lock.json', {
    name: 'x',
    version: '1.0.0',
    lockfileVersion: 3,
    packages: {
      '': { name: 'x', version: '1.0.0', dependencies },
      'node_modules/a': { version: '1.0.0', resolved: 'file:a.tgz', integrity: `sha512-${'A'.repeat(86)}==` },
    },
  });
  const failed = await run('npm', ['ci', '--no-audit', '--no-fund', '--offline'], { cwd: folder }).then(
    () => '',
    (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
  );
  assert.match(failed, /EINTEGRITY|integrity checksum failed/);
});

test('no package has a known vulnerability', async (t) => {
  const args = ['audit', '--include=dev', '--include=optional', '--json', '--fetch-timeout=20000', '--fetch-retries=0'];
  const { stdout } = await run('npm', args, { cwd: ROOT, maxBuffer: 1 << 26 }).catch((error: { stdout?: string }) => ({
    stdout: error.stdout ?? '',
  }));
  const report = JSON.parse(stdout === '' ? '{}' : stdout) as {
    readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
    readonly message?: string;
  };
  if (report.vulnerabilities === undefined)
    return t.skip(`the registry does not answer to an audit: ${report.message?.split(' - ', 1)[0] ?? 'no connection'}`);
  assert.deepEqual(
    Object.entries(report.vulnerabilities).map(([name, { severity }]) => `${name}: ${severity}`),
    [],
  );
});
