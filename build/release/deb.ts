/**
 * Makes the Debian package. It has no dependencies, since everything is in the executable. It conflicts with no file of
 * Debian's package supervisor: the links with the names of Supervisor are in /usr/lib/onevisor only.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { LINK_NAMES } from '../../src/startup/choose-program.ts';
import { stageFiles } from './stage.ts';
import type { SourcePackage } from '../toolchain.ts';
import type { PackOptions } from './archive.ts';
import type { ManualPage } from './manual-pages.ts';
import type { StagedFile } from './stage.ts';

const run = promisify(execFile);

/** Contents of a Debian package. */
export interface DebContents {
  readonly version: string;
  /** Processor, by Debian's name. */
  readonly arch: string;
  /** Name, with or without an address behind it. */
  readonly maintainer: string;
  /** One line without a period at its end. */
  readonly summary: string;
  /** Path of the executable. */
  readonly executable: string;
  readonly pages: readonly ManualPage[];
  /** Our licence and those of the parts. */
  readonly copyright: string;
  readonly sbom: string;
  /** Source packages of the libraries that are linked statically. */
  readonly builtUsing: readonly SourcePackage[];
}

const DOCUMENTS = 'usr/share/doc/onevisor';

/** Long description: each line begins with a space (deb-control(5)). */
const DESCRIPTION = [
  'onevisor reads the supervisord.conf of Supervisor, variables, or one command.',
  'It starts programs, restarts them, collects orphans as PID 1, and stops',
  'everything in order. Its client has the commands of supervisorctl.',
  '.',
  'The links supervisord, supervisorctl, echo_supervisord_conf and pidproxy are',
  'in /usr/lib/onevisor, so that the package supervisor can stay installed.',
];

/** Findings of lintian(1) that are as they should be. */
const OVERRIDES = [
  '# All that the executable needs is in it.',
  'onevisor: statically-linked-binary [usr/bin/onevisor]',
  'onevisor: embedded-library *',
  '# The licences must be complete for users of the archive and of images, too.',
  'onevisor: copyright-file-contains-full-apache-2-license',
  'onevisor: copyright-file-contains-full-gpl-license',
  'onevisor: old-fsf-address-in-copyright-file',
  '',
].join('\n');

/** Returns a contact as Debian wants it: with an address, if only one that leads nowhere (RFC 2606). */
export function debianContact(name: string): string {
  return name.includes('<') ? name : `${name} <onevisor@onevisor.invalid>`;
}

/** Converts a version of package.json to one of Debian: a pre-release sorts before the release. */
export function debianVersion(version: string): string {
  return version.replace('-', '~');
}

/** Returns the files of the package, and those for dpkg in DEBIAN/. */
export async function debFiles(contents: DebContents, date: Date): Promise<StagedFile[]> {
  const files: StagedFile[] = [
    { path: 'usr/bin/onevisor', from: contents.executable, isExecutable: true },
    ...LINK_NAMES.map((name) => ({ path: `usr/lib/onevisor/${name}`, target: '../../bin/onevisor' })),
    ...contents.pages.map(({ file, section, roff }) => ({
      path: `usr/share/man/man${section}/${file}.gz`,
      text: gzipSync(roff, { level: 9 }),
    })),
    { path: `${DOCUMENTS}/copyright`, text: contents.copyright },
    { path: `${DOCUMENTS}/changelog.gz`, text: gzipSync(changelog(contents, date), { level: 9 }) },
    { path: 'usr/share/lintian/overrides/onevisor', text: OVERRIDES },
    { path: `${DOCUMENTS}/onevisor.cdx.json`, text: contents.sbom },
  ];
  const sums = await Promise.all(files.map(checksumLine));
  return [
    ...files,
    { path: 'DEBIAN/control', text: control(contents, await installedKibibytes(files)) },
    { path: 'DEBIAN/md5sums', text: sums.filter((line) => line !== null).join('') },
  ];
}

/** Stages the files in `folder`, and packs them into `output` with dpkg-deb(1). */
export async function makeDeb(
  contents: DebContents,
  { folder, output }: { readonly folder: string; readonly output: string },
  { date, isQuick }: PackOptions,
): Promise<void> {
  await stageFiles(folder, await debFiles(contents, date), date);
  const env = {
    ...process.env,
    SOURCE_DATE_EPOCH: String(Math.floor(date.getTime() / 1000)),
    // With several threads, xz compresses in blocks, and the result would depend on the number of processors.
    DPKG_DEB_THREADS_MAX: '1',
  };
  // Debian 11 does not read packages that are compressed by zstd.
  const compression = isQuick ? ['-Znone'] : ['-Zxz', '-z9'];
  await run('dpkg-deb', ['--root-owner-group', ...compression, '--build', folder, output], { env });
}

function control({ version, arch, maintainer, summary, builtUsing }: DebContents, kibibytes: number): string {
  const used = builtUsing.map(({ name, version: exact }) => `${name} (= ${exact})`).join(', ');
  return [
    'Package: onevisor',
    `Version: ${debianVersion(version)}`,
    `Architecture: ${arch}`,
    `Maintainer: ${debianContact(maintainer)}`,
    `Installed-Size: ${kibibytes}`,
    ...(used === '' ? [] : [`Built-Using: ${used}`]),
    'Section: admin',
    'Priority: optional',
    `Description: ${summary}`,
    ...DESCRIPTION.map((line) => ` ${line}`),
    '',
  ].join('\n');
}

/** The changelog that Debian wants (deb-changelog(5)). The changes themselves are in a manual page. */
function changelog({ version, maintainer }: DebContents, date: Date): string {
  const time = date.toUTCString().replace('GMT', '+0000');
  return (
    `onevisor (${debianVersion(version)}) unstable; urgency=medium\n\n` +
    `  * onevisor-changes(7) has the changes.\n\n -- ${debianContact(maintainer)}  ${time}\n`
  );
}

/** Returns a line of md5sums (deb-md5sums(5)); null for a link. */
async function checksumLine(file: StagedFile): Promise<string | null> {
  if ('target' in file) return null;
  const bytes = 'from' in file ? await readFile(file.from) : file.text;
  return `${createHash('md5').update(bytes).digest('hex')}  ${file.path}\n`;
}

/** Sums up the sizes of files, each rounded up to 1 KiB, as Debian's policy describes Installed-Size. */
async function installedKibibytes(files: readonly StagedFile[]): Promise<number> {
  const sizes = await Promise.all(files.map(sizeOf));
  return sizes.reduce((sum, bytes) => sum + Math.ceil(bytes / 1024), 0);
}

async function sizeOf(file: StagedFile): Promise<number> {
  if ('from' in file) return (await stat(file.from)).size;
  return 'text' in file ? Buffer.from(file.text).length : 1;
}
