/**
 * Collects the licences of the third-party software in the executable: Node, the npm packages of the bundle, and the
 * libraries of the toolchain that are linked in. Software without a licence text is an error, since it must not be
 * distributed.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ARCHS, readPackage, ROOT } from './platform.ts';
import type { Platform } from './platform.ts';
import { absentAsNull, isPresent } from './cache.ts';
import { linkedGcc, linkedGlibc, osRelease } from './toolchain.ts';
import type { LinkedLibrary } from './toolchain.ts';

/** Name of the licence file next to the executable. */
export const LICENCES = 'THIRD_PARTY_LICENSES.txt';

/** A third-party part of the executable. */
interface Part {
  /** Name, version and short name of the licence. */
  readonly title: string;
  readonly text: string;
}

/** The part of a package.json that is read. */
interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  readonly author?: string | { readonly name: string };
}

/**
 * Returns the text of the licence file: Node for a platform, and npm packages by name. Rejects if a licence is missing.
 */
export async function collectLicences(platform: Platform, packages: readonly string[]): Promise<string> {
  const parts = [
    await licenceOfNode(platform),
    await licenceOfLibc(platform),
    await licenceOfGcc(platform),
    ...(await Promise.all(packages.map((name) => licenceOf(join(ROOT, 'node_modules', name))))),
  ];
  return formatLicences(parts);
}

/**
 * Texts of licences that a package may name without including them, by SPDX identifier. The author comes before the
 * text. One package does this: @nodable/entities.
 */
const KNOWN_TEXTS: Readonly<Record<string, string>> = {
  MIT: [
    'Permission is hereby granted, free of charge, to any person obtaining a copy of this software and ' +
      'associated documentation files (the "Software"), to deal in the Software without restriction, including ' +
      'without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell ' +
      'copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the ' +
      'following conditions:',
    'The above copyright notice and this permission notice shall be included in all copies or substantial ' +
      'portions of the Software.',
    'THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT ' +
      'LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO ' +
      'EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER ' +
      'IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR ' +
      'THE USE OR OTHER DEALINGS IN THE SOFTWARE.',
  ].join('\n\n'),
};

/**
 * Returns the name, version and licence text of a package. For a package that only names a known licence, this is the
 * standard text with the author.
 */
export async function licenceOf(folder: string): Promise<Part> {
  const { name, version, license, author } = await readManifest(folder);
  if (typeof license !== 'string' || license === '')
    throw new Error(`cannot pass on ${name}: its package.json names no licence`);
  const files = (await readdir(folder)).filter((file) => /^(?:licen[cs]e|copying)(?:[-.].*)?$/i.test(file)).sort();
  const texts = await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')));
  const known = KNOWN_TEXTS[license];
  const holder = typeof author === 'string' ? author : author?.name;
  const standard = known === undefined || holder === undefined ? '' : `Copyright (c) ${holder}\n\n${known}`;
  const text =
    texts
      .map((one) => one.trim())
      .filter((one) => one !== '')
      .join('\n\n') || standard;
  if (text === '') throw new Error(`cannot pass on ${name}: there is no text of its licence in ${folder}`);
  return { title: `${name} ${version} (${license})`, text };
}

/**
 * Returns the licence of Node, which names the parts of Node. The package for any processor has the same text, if the
 * version is the same.
 */
async function licenceOfNode(platform: Platform): Promise<Part> {
  const version = (await readPackage()).optionalDependencies[`node-linux-${platform.arch}`];
  for (const arch of ARCHS) {
    const folder = join(ROOT, 'node_modules', `node-linux-${arch}`);
    if (!(await isPresent(folder)) || (await readManifest(folder)).version !== version) continue;
    return { title: `Node.js ${version}`, text: (await readFile(join(folder, 'LICENSE'), 'utf8')).trim() };
  }
  throw new Error(`cannot find the licence of Node ${String(version)}: run "npm ci", without --omit=optional`);
}

/** Texts of the LGPL 2.1 on Debian and Ubuntu, and on Fedora. */
const LGPL_TEXTS: readonly string[] = [
  '/usr/share/common-licenses/LGPL-2.1',
  '/usr/share/licenses/glibc/COPYING.LIB',
  '/usr/share/licenses/glibc-devel/COPYING.LIB',
];
/** Texts of the GPL 3 on the same systems. */
const GPL_TEXTS: readonly string[] = [
  '/usr/share/common-licenses/GPL-3',
  '/usr/share/licenses/libstdc++/COPYING3',
  '/usr/share/licenses/libgcc/COPYING3',
];

/** Steps to link another glibc, which the LGPL 2.1 wants to be possible (section 6). */
const RELINKING = `How to link onevisor with another glibc, or with one that you have changed:

1. Get the source of onevisor (MIT licence), at the commit that "onevisor --version --json" prints. It is complete: all
   code of its authors is in it, and "npm ci" fetches Node.js and the npm packages that are named below.
2. Either install another toolchain with static libraries and name its C compiler: npm run build -- --cc gcc-14
3. Or put your libc.a into a folder, such as /opt/libc/lib, with libm.a, crt1.o, crti.o and crtn.o if you have changed
   them. Make a script /opt/libc/g++ with these two lines, and run the third:
       #!/bin/sh
       exec g++ -B/opt/libc/lib/ "$@"
       npm ci && CXX=/opt/libc/g++ npm run build
The result is dist/onevisor. build/libc/libraries.ts has the command of the linker.`;

/** glibc is linked statically. Its licence wants its source named, and that others can link it anew. */
async function licenceOfLibc(platform: Platform): Promise<Part> {
  const library = await linkedGlibc(platform);
  const address = `https://ftp.gnu.org/gnu/glibc/glibc-${library.version}.tar.xz`;
  const text = joinTexts([
    `The GNU C Library is linked statically. ${await describeSource(library, address)}`,
    RELINKING,
    noticesOf(library),
    await firstText('glibc', LGPL_TEXTS),
  ]);
  return { title: `GNU C Library ${exactVersion(library)} (LGPL-2.1-or-later)`, text };
}

/** libstdc++ and libgcc are linked statically. */
async function licenceOfGcc(platform: Platform): Promise<Part> {
  const library = await linkedGcc(platform);
  const address = `https://ftp.gnu.org/gnu/gcc/gcc-${library.version}/`;
  const text = joinTexts([
    'libstdc++ and libgcc are linked statically. They are under the GNU General Public License, version 3 or later, ' +
      'with the GCC Runtime Library Exception, version 3.1. The exception permits to pass on programs that contain ' +
      `them under terms of one's choice. ${await describeSource(library, address)}`,
    await readFile(join(ROOT, 'build', 'gcc-exception-3.1.txt'), 'utf8'),
    noticesOf(library),
    await firstText('libstdc++', GPL_TEXTS),
  ]);
  return { title: `libstdc++ and libgcc ${exactVersion(library)} (GPL-3.0-or-later WITH GCC-exception-3.1)`, text };
}

/** Returns the version of the distribution's source package if it is known, which begins with that of the authors. */
function exactVersion({ version, source }: LinkedLibrary): string {
  return source?.version ?? version;
}

/** Says where the source of a library is. `address`: the release of its authors. */
async function describeSource({ source }: LinkedLibrary, address: string): Promise<string> {
  if (source === null)
    return `The source is ${address}, with the changes of ${(await osRelease('PRETTY_NAME')) ?? 'the distribution'}.`;
  const { distribution, name, version } = source;
  const place =
    distribution === 'ubuntu'
      ? `https://launchpad.net/ubuntu/+source/${name}/${version}`
      : `https://snapshot.debian.org/package/${name}/${version}/`;
  return (
    `The exact source is the source package ${name}, version ${version}, of ${distribution}:\n${place}\n` +
    `It is made from ${address}.`
  );
}

/** The notices of a library's authors, as its package has them. */
function noticesOf({ source }: LinkedLibrary): string {
  if (source === null || source.notices === null) return '';
  return `The notices of the package ${source.name} (${source.distribution}):\n\n${source.notices}`;
}

/** Reads the first of the files that exists. Throws if none exists. */
async function firstText(name: string, paths: readonly string[]): Promise<string> {
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(absentAsNull)));
  const text = texts.find((one) => one !== null);
  if (text === undefined) throw new Error(`cannot pass on ${name}: there is none of ${paths.join(', ')}`);
  return text;
}

/** Joins texts with a line between them; leaves out empty ones. */
function joinTexts(texts: readonly string[]): string {
  return texts
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .join(`\n\n${'-'.repeat(80)}\n\n`);
}

/** Reads the package.json of an npm package in a folder. */
export async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function formatLicences(parts: readonly Part[]): string {
  const rule = '='.repeat(80);
  const titles = parts.map(({ title }) => `  ${title}\n`).join('');
  const texts = parts.map(({ title, text }) => `\n${rule}\n${title}\n${rule}\n\n${text}\n`).join('');
  const head = 'onevisor contains this software of others, each under the licence that follows its name:';
  return `${head}\n\n${titles}${texts}`;
}
