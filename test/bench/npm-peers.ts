/**
 * Peers from npm, in the versions of peers/package-lock.json: installs them into dist/.cache when a full run needs
 * them. They are no dependencies of the project.
 */
import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { isPresent } from '../../build/cache.ts';
import { CACHE } from '../../build/platform.ts';

const run = promisify(execFile);

const RECIPE = join(import.meta.dirname, 'peers');
const FOLDER = join(CACHE, 'bench', 'peers');

/** Paths of the scripts, with the versions in the names; the reason if they cannot be had. */
export type NpmPeers =
  | { readonly pm2: NpmPeer; readonly concurrently: NpmPeer; readonly reason: null }
  | { readonly pm2: null; readonly concurrently: null; readonly reason: string };

export interface NpmPeer {
  readonly name: string;
  readonly path: string;
}

/** Finds the peers. Installs them first, if `canInstall` and the lockfile has changed or nothing is installed. */
export async function npmPeers(canInstall: boolean): Promise<NpmPeers> {
  const none = { pm2: null, concurrently: null } as const;
  if (!(await isCurrent())) {
    if (!canInstall) return { ...none, reason: 'is not installed; a run without --quick installs it' };
    const failure = await install().catch((error: Error) => `cannot be installed: ${firstLine(error.message)}`);
    if (failure !== null) return { ...none, reason: failure };
  }
  return {
    pm2: await peerOf('pm2', 'pm2-runtime', 'pm2/bin/pm2-runtime'),
    concurrently: await peerOf('concurrently', 'concurrently', 'concurrently/dist/bin/index.js'),
    reason: null,
  };
}

async function isCurrent(): Promise<boolean> {
  if (!(await isPresent(join(FOLDER, 'node_modules', '.package-lock.json')))) return false;
  const name = 'package-lock.json';
  return (await readFile(join(RECIPE, name), 'utf8')) === (await readFile(join(FOLDER, name), 'utf8').catch(() => ''));
}

async function install(): Promise<null> {
  await mkdir(FOLDER, { recursive: true });
  for (const name of ['package.json', 'package-lock.json']) await copyFile(join(RECIPE, name), join(FOLDER, name));
  // npm compares each package with its integrity in the lockfile. No script of a package runs.
  const words = ['ci', '--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund'];
  await run('npm', words, { cwd: FOLDER, timeout: 180_000, killSignal: 'SIGKILL' });
  return null;
}

async function peerOf(owner: string, name: string, script: string): Promise<NpmPeer> {
  const modules = join(FOLDER, 'node_modules');
  const { version } = JSON.parse(await readFile(join(modules, owner, 'package.json'), 'utf8')) as { version: string };
  return { name: `${name} ${version}`, path: join(modules, script) };
}

function firstLine(text: string): string {
  return text.trim().split('\n', 1)[0] ?? '';
}
