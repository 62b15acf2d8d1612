/**
 * Builds the executable of one machine with its links and its licences. Builds only what has changed. `npm run build`
 * and `npm run release` use this.
 */
import { mkdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { LINK_NAMES } from '../src/startup/choose-program.ts';
import { buildAddon } from './addon.ts';
import { bundle, bundleLoader, bundleManual } from './bundle.ts';
import { bundleDashboard } from './dashboard.ts';
import { absentAsNull, writeWhole } from './cache.ts';
import { makeExecutable } from './executable.ts';
import { collectLicences, LICENCES } from './licences.ts';
import { CACHE, productFolder, ROOT } from './platform.ts';
import type { Platform } from './platform.ts';

/** The main program of the executable, and the piece of it that is the client alone. */
export const ENTRY = join(ROOT, 'src', 'main.ts');
const CLIENT_ENTRY = join(ROOT, 'src', 'client.ts');

/** Result of a build. */
export interface Product {
  /** Path of the executable. */
  readonly path: string;
  /** Path of the file with the licences of the parts. */
  readonly licences: string;
  /** True if the executable was made now, and false if it was current. */
  readonly made: boolean;
  /** Length of our own program in bytes. */
  readonly programBytes: number;
  /** npm packages whose code is in the program. */
  readonly packages: readonly string[];
}

/** Builds for a platform, with `entry` as the main program. */
export async function buildProduct(platform: Platform, entry: string = ENTRY): Promise<Product> {
  const folder = productFolder(platform);
  await mkdir(folder, { recursive: true });
  await mkdir(CACHE, { recursive: true });
  // Earlier builds left the addon there.
  await rm(join(folder, 'onevisor.node'), { force: true });
  const isOwn = entry === ENTRY;
  const [{ code, packages: nodePackages }, client, loader, dashboard, ownAssets] = await Promise.all([
    bundle(entry, platform),
    isOwn ? bundle(CLIENT_ENTRY, platform) : null,
    bundleLoader(),
    bundleDashboard(),
    makeAssets(platform),
  ]);
  const assets = { ...ownAssets, 'dashboard.json': dashboard.path };
  const packages = [...new Set([...nodePackages, ...dashboard.packages])].sort();
  const pieces = client === null ? { onevisor: code } : { onevisor: code, client: client.code };
  const { path, made } = await makeExecutable(platform, { loader, pieces, canRun: isOwn, assets });
  await makeLinks(folder);
  const licences = join(folder, LICENCES);
  await writeWhole(licences, await collectLicences(platform, packages));
  return { path, licences, made, programBytes: code.length + (client?.code.length ?? 0), packages };
}

/** Builds the assets of the executable, by their names for `node:sea`. */
async function makeAssets(platform: Platform): Promise<Record<string, string>> {
  return { 'onevisor.node': await buildAddon(platform), 'manual.json': await bundleManual() };
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
