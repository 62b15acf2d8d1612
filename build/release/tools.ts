/** The programs that a release needs, and the Debian packages that bring them. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { debianArch } from '../platform.ts';
import type { Arch, Platform } from '../platform.ts';

const run = promisify(execFile);

/** Names of processors in the names of Debian's cross compilers. */
const CROSS_NAMES: Readonly<Record<Arch, string>> = { x64: 'x86-64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** Returns the Debian packages that build for a platform. */
export function compilerPackages({ arch, foreign }: Pick<Platform, 'arch' | 'foreign'>): string[] {
  return foreign ? [`g++-${CROSS_NAMES[arch]}`, `libc6-dev-${debianArch(arch)}-cross`] : ['g++', 'libc6-dev'];
}

/** Throws one error that names the missing programs, the packages to install, and how to build for one processor. */
export async function requireTools(platforms: readonly Platform[]): Promise<void> {
  const wanted = platforms.flatMap((platform) => {
    const packages = compilerPackages(platform);
    return [platform.cc, platform.cxx].map((program) => ({ program, packages, platform }));
  });
  const tools = ['dpkg-deb', 'tar'].map((program) => ({
    program,
    packages: [program.split('-')[0] ?? ''],
    platform: null,
  }));
  const checked = await Promise.all(
    [...wanted, ...tools].map(async (tool) => ({ ...tool, isThere: await canRun(tool.program) })),
  );
  const missing = checked.filter(({ isThere }) => !isThere);
  if (missing.length === 0) return;
  const names = missing.map(({ program }) => program).join(', ');
  const packages = [...new Set(missing.flatMap((tool) => tool.packages))].join(' ');
  const left = platforms.filter((one) => !missing.some(({ platform }) => platform === one || platform === null));
  const only = left.map(({ arch }) => `. Or release for one processor: npm run release -- --arch ${arch}`).join('');
  throw new Error(`cannot make the release without ${names}: apt-get install ${packages}${only}`);
}

async function canRun(program: string): Promise<boolean> {
  return run(program, ['--version']).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}
