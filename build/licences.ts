/**
 * Collects the licences of the third-party software in the executable: Node, the npm packages of the bundle, and the
 * libraries of the toolchain that are linked in. Software without a licence text is an error, since it must not be
 * distributed.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ARCHS, readPackage, ROOT } from './platform.ts';
import type { Platform } from './platform.ts';
import { absentAsNull, isPresent } from './cache.ts';

const run = promisify(execFile);

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

/** glibc is linked statically; its licence wants its source named, and that others can link it anew. */
async function licenceOfLibc({ cc }: Platform): Promise<Part> {
  const { stdout } = await run('sh', [
    '-c',
    'printf "#include <features.h>\\n__GLIBC__.__GLIBC_MINOR__\\n" | "$0" -E -P -',
    cc,
  ]);
  const version = stdout.trim().replaceAll(' ', '');
  const texts = await Promise.all(LGPL_TEXTS.map((path) => readFile(path, 'utf8').catch(absentAsNull)));
  const text = texts.find((one) => one !== null);
  if (text === undefined) throw new Error(`cannot pass on glibc: there is none of ${LGPL_TEXTS.join(', ')}`);
  const notice =
    `Its source is https://ftp.gnu.org/gnu/glibc/glibc-${version}.tar.xz, with the changes of the distribution ` +
    `whose package was linked: ${await distribution()}. To link the executable with another glibc, install its ` +
    `static libraries and run "npm run build" in the source of onevisor.`;
  return { title: `GNU C Library ${version} (LGPL-2.1-or-later)`, text: `${notice}\n\n${text.trim()}` };
}

/** libstdc++ and libgcc are linked statically. */
async function licenceOfGcc({ cxx }: Platform): Promise<Part> {
  const version = (await run(cxx, ['-dumpfullversion'])).stdout.trim();
  const text =
    'libstdc++ and libgcc are under the GNU General Public License, version 3 or later, with the GCC Runtime ' +
    'Library Exception, version 3.1 (https://www.gnu.org/licenses/gcc-exception-3.1.html). It permits to pass on ' +
    "programs that contain them under terms of one's choice. " +
    `Their source is https://ftp.gnu.org/gnu/gcc/gcc-${version}/, with the changes of ${await distribution()}.`;
  return { title: `libstdc++ and libgcc ${version} (GPL-3.0-or-later WITH GCC-exception-3.1)`, text };
}

/** Name of the distribution that this machine runs (os-release(5)). */
async function distribution(): Promise<string> {
  const text = (await readFile('/etc/os-release', 'utf8').catch(absentAsNull)) ?? '';
  return /^PRETTY_NAME="?([^"\n]+)/m.exec(text)?.[1] ?? 'Linux';
}

async function readManifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function formatLicences(parts: readonly Part[]): string {
  const rule = '='.repeat(80);
  const titles = parts.map(({ title }) => `  ${title}\n`).join('');
  const texts = parts.map(({ title, text }) => `\n${rule}\n${title}\n${rule}\n\n${text}\n`).join('');
  const head = 'onevisor contains this software of others, each under the licence that follows its name:';
  return `${head}\n\n${titles}${texts}`;
}
