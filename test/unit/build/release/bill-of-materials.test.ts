/** The bill of materials: valid by the schema of CycloneDX, complete, and the same for the same materials. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Spec, Validation } from '@cyclonedx/cyclonedx-library';
import { billOfMaterials } from '../../../../build/release/bill-of-materials.ts';
import type { Materials } from '../../../../build/release/bill-of-materials.ts';

const MATERIALS: Materials = {
  name: 'onevisor',
  version: '0.1.0',
  license: 'MIT',
  commit: 'c0ffee',
  date: new Date('2026-01-02T03:04:05Z'),
  sha256: 'ab'.repeat(32),
  arch: 'amd64',
  node: { node: '24.1.0', modules: '137', openssl: '3.5.8+quic', newpart: '7.0', nghttp3: '', zlib: '1.3.2.1-motley' },
  packages: [{ name: '@scope/croner', version: '11.0.1', license: 'MIT' }],
  libraries: [
    {
      name: 'glibc',
      version: '2.36',
      license: 'LGPL-2.1-or-later',
      source: { distribution: 'debian', release: '12', name: 'glibc', version: '2.36-9+deb12u14', notices: null },
    },
    { name: 'libgcc', version: '12.2.0', license: 'GPL-3.0-or-later WITH GCC-exception-3.1', source: null },
  ],
};

interface Component {
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly cpe?: string;
  readonly licenses?: readonly unknown[];
}

const bom = JSON.parse(billOfMaterials(MATERIALS)) as {
  readonly serialNumber?: string;
  readonly metadata: { readonly timestamp: string; readonly component: Component };
  readonly components: readonly Component[];
  readonly dependencies: ReadonlyArray<{ readonly ref: string; readonly dependsOn?: readonly string[] }>;
};

test('it follows the schema', async () => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  assert.equal(await validator.validate(billOfMaterials(MATERIALS)), null);
  assert.notEqual(await validator.validate('{"bomFormat":"CycloneDX"}'), null);
});

test('each part has its version and its name for scanners', () => {
  assert.deepEqual(
    bom.components.map(({ name, version, purl, cpe }) => [name, version, purl, cpe]),
    [
      ['node', '24.1.0', 'pkg:generic/node@24.1.0', 'cpe:2.3:a:nodejs:node.js:24.1.0:*:*:*:*:*:*:*'],
      ['@scope/croner', '11.0.1', 'pkg:npm/%40scope/croner@11.0.1', undefined],
      ['glibc', '2.36-9+deb12u14', 'pkg:deb/debian/glibc@2.36-9%2Bdeb12u14?arch=source&distro=debian-12', undefined],
      ['libgcc', '12.2.0', 'pkg:generic/libgcc@12.2.0', undefined],
      ['newpart', '7.0', 'pkg:generic/newpart@7.0', undefined],
      ['openssl', '3.5.8+quic', 'pkg:generic/openssl@3.5.8%2Bquic', 'cpe:2.3:a:openssl:openssl:3.5.8:*:*:*:*:*:*:*'],
      ['zlib', '1.3.2.1-motley', 'pkg:generic/zlib@1.3.2.1-motley', 'cpe:2.3:a:zlib:zlib:1.3.2.1:*:*:*:*:*:*:*'],
    ].sort(([one = ''], [other = '']) => order(one) - order(other)),
  );
  assert.equal(bom.components.find(({ name }) => name === 'newpart')?.licenses, undefined);
});

/** Position of a part in the file. */
function order(name: string): number {
  return bom.components.findIndex((component) => component.name === name);
}

test('onevisor depends on its direct parts, and Node on its own', () => {
  const partsOf = (ref: string): number => bom.dependencies.find((one) => one.ref === ref)?.dependsOn?.length ?? 0;
  assert.equal(partsOf('onevisor'), 4);
  assert.equal(partsOf('node'), 3);
});

test('it has the time of the commit, and nothing random', () => {
  assert.equal(bom.metadata.timestamp, '2026-01-02T03:04:05.000Z');
  assert.equal(bom.serialNumber, undefined);
  assert.equal(billOfMaterials(MATERIALS), billOfMaterials({ ...MATERIALS, date: new Date(MATERIALS.date) }));
  assert.doesNotMatch(billOfMaterials({ ...MATERIALS, commit: null }), /onevisor:commit/);
});
