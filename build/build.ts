/**
 * `npm run build`: builds dist/onevisor, with its links and the licences of its contents. Builds only what has changed.
 * Options: --quiet, --arch x64|arm64 (also amd64), --cc COMPILER, --entry FILE (another main program, to test the build
 * itself), --out FOLDER (copies the executable and the licences there). Another processor than this machine's gets the
 * folder dist/ARCH.
 */
import { copyFile, mkdir, stat } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { platformOf, ROOT } from './platform.ts';
import { buildProduct } from './product.ts';

const { values: options } = parseArgs({
  options: {
    quiet: { type: 'boolean', default: false },
    arch: { type: 'string' },
    cc: { type: 'string' },
    entry: { type: 'string' },
    out: { type: 'string' },
  },
});

const began = performance.now();
const product = await buildProduct(platformOf(options.arch, options.cc), options.entry);
const { path, licences, made, programBytes, packages } = product;
if (options.out !== undefined) {
  await mkdir(options.out, { recursive: true });
  for (const file of [path, licences]) await copyFile(file, join(options.out, basename(file)));
}
if (!options.quiet) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const size = ((await stat(path)).size / 1e6).toFixed(1);
  const own = (programBytes / 1e3).toFixed(0);
  console.log(
    `${relative(ROOT, path)}: ${size} MB (${own} kB of it the ` +
      `program${packages.length > 0 ? ` with ${packages.join(', ')}` : ''}), ${made ? 'made' : 'current'} in ` +
      `${seconds} s`,
  );
}
