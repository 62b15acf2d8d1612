/**
 * The bill of materials (SBOM) of an executable in the format CycloneDX: onevisor, Node and its parts, the npm packages
 * of the bundle, and the libraries of the toolchain. It has no random number and no time but that of the commit.
 */
import { Enums, Models, Serialize, Spec } from '@cyclonedx/cyclonedx-library';
import type { SourcePackage } from '../toolchain.ts';

/** Software that an executable consists of. */
export interface Materials {
  readonly name: string;
  readonly version: string;
  readonly commit: string | null;
  /** SPDX identifier of our licence. */
  readonly license: string;
  /** Time of the commit. */
  readonly date: Date;
  /** SHA-256 of the executable in hex. */
  readonly sha256: string;
  /** Processor, by Debian's name. */
  readonly arch: string;
  /** `process.versions` of the Node in the executable. */
  readonly node: Readonly<Record<string, string | undefined>>;
  readonly packages: readonly NpmPackage[];
  readonly libraries: readonly Library[];
}

/** An npm package of the bundle. */
export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** SPDX identifier of its licence. */
  readonly license: string;
}

/** A library that is linked statically. */
export interface Library {
  readonly name: string;
  readonly version: string;
  /** SPDX expression of its licence. */
  readonly license: string;
  readonly source: SourcePackage | null;
}

/** Entries of `process.versions` that are versions of interfaces and data, not of software. */
const NOT_SOFTWARE: ReadonlySet<string> = new Set(['node', 'modules', 'napi', 'cldr', 'tz', 'unicode']);

/** Facts about a part of Node. */
interface NodePart {
  readonly name: string;
  /** SPDX expression of its licence. */
  readonly license: string;
  /** Vendor and product in the dictionary of vulnerabilities (CPE 2.3), if it has the part. */
  readonly cpe?: string;
}

/** The parts of Node by their names in `process.versions`. A part without a row is listed without a licence. */
const NODE_PARTS: Readonly<Record<string, NodePart>> = {
  acorn: { name: 'acorn', license: 'MIT' },
  ada: { name: 'ada', license: 'Apache-2.0 OR MIT' },
  amaro: { name: 'amaro', license: 'MIT' },
  ares: { name: 'c-ares', license: 'MIT', cpe: 'c-ares:c-ares' },
  brotli: { name: 'brotli', license: 'MIT', cpe: 'google:brotli' },
  icu: { name: 'icu', license: 'Unicode-3.0', cpe: 'unicode:international_components_for_unicode' },
  llhttp: { name: 'llhttp', license: 'MIT', cpe: 'llhttp:llhttp' },
  nbytes: { name: 'nbytes', license: 'MIT' },
  ncrypto: { name: 'ncrypto', license: 'MIT' },
  nghttp2: { name: 'nghttp2', license: 'MIT', cpe: 'nghttp2:nghttp2' },
  openssl: { name: 'openssl', license: 'Apache-2.0', cpe: 'openssl:openssl' },
  simdjson: { name: 'simdjson', license: 'Apache-2.0 OR MIT' },
  simdutf: { name: 'simdutf', license: 'Apache-2.0 OR MIT' },
  sqlite: { name: 'sqlite', license: 'blessing', cpe: 'sqlite:sqlite' },
  undici: { name: 'undici', license: 'MIT', cpe: 'nodejs:undici' },
  uv: { name: 'libuv', license: 'MIT', cpe: 'libuv:libuv' },
  uvwasi: { name: 'uvwasi', license: 'MIT' },
  v8: { name: 'v8', license: 'BSD-3-Clause', cpe: 'google:v8' },
  zlib: { name: 'zlib', license: 'Zlib', cpe: 'zlib:zlib' },
  zstd: { name: 'zstd', license: 'BSD-3-Clause', cpe: 'facebook:zstandard' },
};

/** Returns the bill of materials as JSON (CycloneDX 1.6). The same materials give the same text. */
export function billOfMaterials(materials: Materials): string {
  const bom = new Models.Bom();
  bom.metadata.timestamp = materials.date;
  bom.metadata.lifecycles.add(Enums.LifecyclePhase.Build);
  const whole = application(materials);
  bom.metadata.component = whole;
  const node = nodeItself(materials);
  const parts = partsOfNode(materials);
  const direct = [node, ...materials.packages.map(npmPackage), ...materials.libraries.map(library)];
  for (const component of [...direct, ...parts]) bom.components.add(component);
  for (const component of direct) whole.dependencies.add(component.bomRef);
  for (const part of parts) node.dependencies.add(part.bomRef);
  const serializer = new Serialize.JsonSerializer(new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6));
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}

function application({ name, version, commit, sha256, arch, license }: Materials): Models.Component {
  const component = new Models.Component(Enums.ComponentType.Application, name, {
    bomRef: name,
    version,
    purl: `pkg:generic/${name}@${version}?arch=${arch}`,
    hashes: new Models.HashDictionary([[Enums.HashAlgorithm['SHA-256'], sha256]]),
    licenses: licences(license),
  });
  component.properties.add(new Models.Property('onevisor:architecture', arch));
  if (commit !== null) component.properties.add(new Models.Property('onevisor:commit', commit));
  return component;
}

function nodeItself({ node }: Materials): Models.Component {
  const version = node['node'] ?? '';
  return new Models.Component(Enums.ComponentType.Platform, 'node', {
    bomRef: 'node',
    version,
    purl: `pkg:generic/node@${version}`,
    cpe: cpeOf('nodejs:node.js', version),
    licenses: licences('MIT'),
  });
}

function partsOfNode({ node }: Materials): Models.Component[] {
  return Object.entries(node).flatMap(([key, version]) => {
    // Node names parts that it was built without, with an empty version.
    if (version === undefined || version === '' || NOT_SOFTWARE.has(key)) return [];
    const { name, license, cpe } = NODE_PARTS[key] ?? { name: key, license: null };
    return new Models.Component(Enums.ComponentType.Library, name, {
      bomRef: `node/${name}`,
      version,
      purl: `pkg:generic/${name}@${encodeURIComponent(version)}`,
      ...(cpe === undefined ? {} : { cpe: cpeOf(cpe, version) }),
      ...(license === null ? {} : { licenses: licences(license) }),
    });
  });
}

function npmPackage({ name, version, license }: NpmPackage): Models.Component {
  return new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: `npm/${name}`,
    version,
    purl: `pkg:npm/${name.replace('@', '%40')}@${version}`,
    licenses: licences(license),
  });
}

/** Describes a library by the source package of the distribution, by which scanners know its fixes. */
function library({ name, version, license, source }: Library): Models.Component {
  const purl =
    source === null
      ? `pkg:generic/${name}@${version}`
      : `pkg:deb/${source.distribution}/${source.name}@${encodeURIComponent(source.version)}` +
        `?arch=source&distro=${source.distribution}-${source.release}`;
  return new Models.Component(Enums.ComponentType.Library, name, {
    bomRef: `toolchain/${name}`,
    version: source?.version ?? version,
    purl,
    licenses: licences(license),
  });
}

function licences(expression: string): Models.LicenseRepository {
  return new Models.LicenseRepository([new Models.LicenseExpression(expression)]);
}

/** Formats a name of CPE 2.3: vendor and product, and the version without what the packager has added. */
function cpeOf(vendorAndProduct: string, version: string): `cpe:2.3:a:${string}` {
  return `cpe:2.3:a:${vendorAndProduct}:${/^[\d.]*\d/.exec(version)?.[0] ?? '*'}:*:*:*:*:*:*:*`;
}
