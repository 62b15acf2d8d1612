/**
 * `npm run release`: makes dist/release/ with the executables for x64 and arm64, archives, Debian packages, bills of
 * materials, licences, manual pages and checksums. The same commit and the same toolchain give the same bytes.
 *
 * Options: --arch x64|arm64 (only that one; can be repeated), --out FOLDER (empty or missing), --draft (accepts changed
 * files, and a folder without git), --quick (little compression, for tests).
 */
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { supervisorFlags } from '../src/config/flags.ts';
import { formatCommandReference } from '../src/cli/help-text.ts';
import { readManual } from '../src/programs/help.ts';
import { LINK_NAMES } from '../src/startup/choose-program.ts';
import { absentAsNull, hashOfFile } from './cache.ts';
import { readManifest } from './licences.ts';
import { ARCHS, CACHE, debianArch, DIST, platformOf, readPackage, ROOT, sourceCommit, sourceDate } from './platform.ts';
import { buildProduct } from './product.ts';
import { packFolder } from './release/archive.ts';
import { billOfMaterials } from './release/bill-of-materials.ts';
import { debianVersion, makeDeb } from './release/deb.ts';
import { manualPages } from './release/manual-pages.ts';
import { stageFiles } from './release/stage.ts';
import { requireTools } from './release/tools.ts';
import { linkedGcc, linkedGlibc } from './toolchain.ts';
import type { Platform } from './platform.ts';
import type { Product } from './product.ts';
import type { ManualPage } from './release/manual-pages.ts';

const { values: options } = parseArgs({
  options: {
    arch: { type: 'string', multiple: true, default: [...ARCHS] },
    out: { type: 'string' },
    draft: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});

/** Description in the Debian package. */
const SUMMARY = 'entrypoint of a container: PID 1, a Supervisor, and its supervisorctl';

/** Facts about the whole release. */
interface Release {
  readonly version: string;
  readonly license: string;
  readonly author: string;
  readonly commit: string | null;
  readonly date: Date;
  /** Folder of the results. */
  readonly output: string;
  readonly isQuick: boolean;
}

const began = performance.now();
const platforms = options.arch.map((arch) => platformOf(arch, undefined));
await requireTools(platforms);
const release = await describeRelease();
const pages = manualPages({
  main: await readFile(join(ROOT, 'build', 'release', 'onevisor.1.md'), 'utf8'),
  topics: readManual(),
  flags: supervisorFlags,
  commands: formatCommandReference(),
  version: release.version,
  date: release.date,
});
await mkdir(join(release.output, 'man'), { recursive: true });
for (const page of pages) await writePage(page);
for (const platform of platforms) await releaseFor(platform);
await writeChecksums();
console.log(`commit ${release.commit ?? 'unknown'}, in ${((performance.now() - began) / 1000).toFixed(0)} s`);

/** Reads the version, the commit and its time. Throws if the sources are not those of a commit, except for a draft. */
async function describeRelease(): Promise<Release> {
  const { version, license, author } = await readPackage();
  const [commit, date] = await Promise.all([sourceCommit(), sourceDate()]);
  if (!options.draft && (commit === null || date === null))
    throw new Error('cannot make a release outside of git: set SOURCE_COMMIT and SOURCE_DATE_EPOCH, or use --draft');
  if (!options.draft && commit?.endsWith('-dirty') === true)
    throw new Error('cannot make a release of changed files: commit them, or use --draft');
  const output = options.out === undefined ? join(DIST, 'release') : resolve(options.out);
  if (options.out === undefined) await rm(output, { recursive: true, force: true });
  else if (((await readdir(output).catch(absentAsNull)) ?? []).length > 0)
    throw new Error(`cannot write to ${output}: the folder is not empty`);
  return { version, license, author, commit, date: date ?? new Date(0), output, isQuick: options.quick };
}

async function writePage({ file, section, roff }: ManualPage): Promise<void> {
  const folder = join(release.output, 'man', `man${section}`);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, file), roff);
}

/** Makes the files for one processor. */
async function releaseFor(platform: Platform): Promise<void> {
  const product = await buildProduct(platform);
  const name = `onevisor-${release.version}-linux-${platform.arch}`;
  const sbom = await materialsOf(platform, product);
  const executable = join(release.output, name);
  await copyFile(product.path, executable);
  await chmod(executable, 0o755);
  await copyFile(product.licences, `${executable}.licenses.txt`);
  await writeFile(`${executable}.cdx.json`, sbom);
  const archive = `${executable}.tar.zst`;
  const deb = join(release.output, `onevisor_${debianVersion(release.version)}_${debianArch(platform.arch)}.deb`);
  const work = await mkdtemp(join(CACHE, 'release-'));
  try {
    await Promise.all([
      makeArchive({ product, sbom }, { folder: join(work, name), output: archive }),
      makePackage(platform, { product, sbom }, { folder: join(work, 'deb'), output: deb }),
    ]);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  for (const file of [executable, archive, deb]) console.log(`${relative(ROOT, file)}: ${await megabytes(file)}`);
}

/** Files of one processor that go into the archive and the package. */
interface Contents {
  readonly product: Product;
  readonly sbom: string;
}

/** Folder to stage files in, and the file to make. */
interface Places {
  readonly folder: string;
  readonly output: string;
}

/** Makes the archive: its folders are those of /usr/local. */
async function makeArchive({ product, sbom }: Contents, { folder, output }: Places): Promise<void> {
  const documents = 'share/doc/onevisor';
  const files = [
    { path: 'bin/onevisor', from: product.path, isExecutable: true },
    ...LINK_NAMES.map((name) => ({ path: `bin/${name}`, target: 'onevisor' })),
    ...pages.map(({ file, section, roff }) => ({ path: `share/man/man${section}/${file}`, text: roff })),
    { path: `${documents}/LICENSE`, from: join(ROOT, 'LICENSE'), isExecutable: false },
    { path: `${documents}/THIRD_PARTY_LICENSES.txt`, from: product.licences, isExecutable: false },
    { path: `${documents}/onevisor.cdx.json`, text: sbom },
  ];
  await stageFiles(folder, files, release.date);
  await packFolder(folder, output, release);
}

/** Makes the Debian package. */
async function makePackage(platform: Platform, { product, sbom }: Contents, places: Places): Promise<void> {
  const [licence, parts] = await Promise.all(
    [join(ROOT, 'LICENSE'), product.licences].map((path) => readFile(path, 'utf8')),
  );
  const libraries = await Promise.all([linkedGlibc(platform), linkedGcc(platform)]);
  const contents = {
    version: release.version,
    arch: debianArch(platform.arch),
    maintainer: release.author,
    summary: SUMMARY,
    executable: product.path,
    pages,
    copyright: `${licence ?? ''}\n${parts ?? ''}`,
    sbom,
    builtUsing: libraries.flatMap(({ source }) => (source === null ? [] : [source])),
  };
  await makeDeb(contents, places, release);
}

/** Returns the bill of materials of an executable. */
async function materialsOf(platform: Platform, product: Product): Promise<string> {
  const { optionalDependencies } = await readPackage();
  if (optionalDependencies[`node-linux-${platform.arch}`] !== process.versions.node)
    throw new Error(`cannot list the parts of Node for ${platform.arch}: this Node has another version`);
  const manifests = await Promise.all(product.packages.map((name) => readManifest(join(ROOT, 'node_modules', name))));
  const [glibc, gcc] = await Promise.all([linkedGlibc(platform), linkedGcc(platform)]);
  const gccLicense = 'GPL-3.0-or-later WITH GCC-exception-3.1';
  return billOfMaterials({
    name: 'onevisor',
    version: release.version,
    license: release.license,
    commit: release.commit,
    date: release.date,
    sha256: await hashOfFile(product.path),
    arch: debianArch(platform.arch),
    node: process.versions,
    packages: manifests.map(({ name, version, license }) => ({ name, version, license: String(license) })),
    libraries: [
      { name: 'glibc', license: 'LGPL-2.1-or-later', ...glibc },
      { name: 'libstdc++', license: gccLicense, ...gcc },
      { name: 'libgcc', license: gccLicense, ...gcc },
    ],
  });
}

/** Writes SHA256SUMS for all files, in the format of sha256sum(1). */
async function writeChecksums(): Promise<void> {
  const entries = await readdir(release.output, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const lines: string[] = [];
  for (const file of files.sort()) lines.push(`${await hashOfFile(file)}  ${relative(release.output, file)}\n`);
  await writeFile(join(release.output, 'SHA256SUMS'), lines.join(''));
}

async function megabytes(file: string): Promise<string> {
  return `${((await stat(file)).size / 1e6).toFixed(1)} MB`;
}
