/**
 * `onevisor --version`: our version, and the version of Supervisor that we are compatible with. `--json` prints one
 * object with what a report of an error, or a list of what is in an image, needs.
 */
import { isSea } from 'node:sea';
import { SUPERVISOR_VERSION } from '../core/supervisor-version.ts';
import { type BundleName, type CacheUse, currentLoader } from '../startup/bundles.ts';
import type { ProgramIo } from './program-io.ts';

/** Facts that the build has written into the executable. */
export interface BuildFacts {
  readonly version: string;
  /** Commit of the sources, with `-dirty` behind it if they were changed; null if it is not known. */
  readonly commit: string | null;
  /** Version of the glibc inside. */
  readonly glibc: string;
}

/** Runs `--version` with the arguments behind it. Returns the exit code. */
export function runVersion(
  args: readonly string[],
  { version, commit, glibc }: BuildFacts,
  io: ProgramIo & { readonly libcChoice: Readonly<Record<string, string>> },
): number {
  if (!args.includes('--json')) {
    io.out(`onevisor ${version} (compatible with Supervisor ${SUPERVISOR_VERSION})\n`);
    return 0;
  }
  const isInside = isSea() && Object.keys(io.libcChoice).length === 0;
  const facts = {
    version,
    ...(commit === null ? {} : { commit }),
    supervisor: SUPERVISOR_VERSION,
    node: process.versions.node,
    libc: isInside ? { from: 'inside', glibc } : { from: 'system', glibc: systemGlibc() },
    architecture: process.arch,
    code_cache: cacheUse('onevisor'),
    client_code_cache: cacheUse('client'),
  };
  io.out(`${JSON.stringify(facts)}\n`);
  return 0;
}

function cacheUse(name: BundleName): CacheUse {
  return currentLoader()?.cacheUse(name) ?? 'none';
}

/** Returns the version of the system's glibc. Node's report asks it; the one inside cannot be asked like this. */
function systemGlibc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime: string } };
  return header.glibcVersionRuntime;
}
