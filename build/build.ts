/**
 * `npm run build`: builds dist/onevisor, with its links and the licences of its contents. Builds only what has changed.
 * Options: --quiet, --arch x64|arm64, --cc COMPILER, --entry FILE (another main program, to test the build itself).
 */
import { mkdir, readlink, rm, stat, symlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAddon } from './addon.ts';
import { bundle, bundleManual } from './bundle.ts';
import { absentAsNull, writeWhole } from './cache.ts';
import { makeExecutable } from './executable.ts';
import { collectLicences, LICENCES } from './licences.ts';
import { LINK_NAMES } from '../src/startup/choose-program.ts';
import { platformOf, productFolder, ROOT } from './platform.ts';
import type { Platform } from './platform.ts';

const { values: options } = parseArgs({
  options: {
    quiet: { type: 'boolean', default: false },
    arch: { type: 'string' },
    cc: { type: 'string' },
    entry: { type: 'string', default: join(ROOT, 'src', 'main.ts') },
  },
});

const began = performance.now();
const platform = platformOf(options.arch, options.cc);
await mkdir(productFolder(platform), { recursive: true });
// Earlier builds left the addon there.
await rm(join(productFolder(platform), 'onevisor.node'), { force: true });
const [{ code, packages }, assets] = await Promise.all([bundle(options.entry, platform), makeAssets(platform)]);
const { path, made } = await makeExecutable(platform, code, assets);
await makeLinks(productFolder(platform));
await writeWhole(join(productFolder(platform), LICENCES), await collectLicences(platform, packages));
if (!options.quiet) {
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const size = ((await stat(path)).size / 1e6).toFixed(1);
  const own = (code.length / 1e3).toFixed(0);
  console.log(
    `${relative(ROOT, path)}: ${size} MB (${own} kB of it the ` +
      `program${packages.length > 0 ? ` with ${packages.join(', ')}` : ''}), ${made ? 'made' : 'current'} in ` +
      `${seconds} s`,
  );
}

/** Builds the assets of the executable, by their names for `node:sea`. */
async function makeAssets(target: Platform): Promise<Record<string, string>> {
  return { 'onevisor.node': await buildAddon(target), 'manual.json': await bundleManual() };
}

async function makeLinks(folder: string): Promise<void> {
  for (const name of LINK_NAMES) {
    const link = join(folder, name);
    const leads = await readlink(link).catch(absentAsNull);
    if (leads === 'onevisor') continue;
    await rm(link, { force: true });
    await symlink('onevisor', link);
  }
}
