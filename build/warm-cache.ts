/**
 * Makes V8's code cache of a piece of our program by running it (warm-run.cjs, warm-client.cjs). The same program gives
 * the same bytes: hashes have a fixed seed, no compiler runs at the same time, and functions are numbered again
 * (warm-again.cjs). V8 accepts the cache whatever the seed is later.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { BundleName } from '../src/startup/bundles.ts';
import { isPresent } from './cache.ts';
import { CACHE } from './platform.ts';

const run = promisify(execFile);

/** Seed of the hashes of strings in the cache. With a random seed they differ from build to build. */
const SEED = '--random-seed=1';

/** Longest time of the run, which takes about a second. */
const LONGEST_MS = 120_000;

const LOOK_AGAIN_MS = 20;

/** Number of programs that end. */
const ENDING = 8;

/**
 * Programs of the run: output of both kinds, a program that stays, and exits with restarts. Of several programs that
 * write and end at once, one at least is reaped before its output is read.
 */
function formatConfig(folder: string): string {
  return `[supervisord]
logfile=${folder}/supervisord.log
pidfile=${folder}/supervisord.pid
childlogdir=${folder}
[unix_http_server]
file=${folder}/control.sock
[supervisorctl]
serverurl=unix://${folder}/control.sock
[program:stays]
command=/bin/sh -c "echo out; echo err >&2; echo > ${folder}/started; exec sleep 1000"
startsecs=0
stdout_logfile=/dev/fd/1
stdout_logfile_maxbytes=0
redirect_stderr=false
[program:file]
command=/bin/sh -c "echo out; exec sleep 1000"
startsecs=0
[program:ends]
command=/bin/sh -c "echo end; test -e $1 && echo > $1.again && exit 0; echo > $1; exit 1" sh ${folder}/%(process_num)d
process_name=%(program_name)s_%(process_num)d
numprocs=${ENDING}
autorestart=unexpected
startsecs=0
`;
}

/** Input of a run that makes caches. */
export interface WarmRun {
  /** Path of the Node that the executable has. */
  readonly node: string;
  /** Folder with the pieces of the program. */
  readonly pieces: string;
  /** The flags of V8 that the executable has. */
  readonly flags: readonly string[];
}

/** Runs the supervisor and its client. Writes the cache of `wanted` to `output`. Throws if the run fails. */
export async function makeWarmCache(
  wanted: BundleName,
  { node, pieces, flags }: WarmRun,
  output: string,
): Promise<void> {
  const folder = await mkdtemp(join(CACHE, 'warm-'));
  const env = { PATH: process.env['PATH'] ?? '' };
  const begin = (name: string, ...args: readonly string[]): ReturnType<typeof run> =>
    run(node, [...flags, SEED, join(import.meta.dirname, name), ...args], {
      timeout: LONGEST_MS,
      killSignal: 'SIGKILL',
      env,
    });
  const inFolder = (name: string): string => join(folder, name);
  const piece = (name: BundleName): string => join(pieces, `${name}.cjs`);
  try {
    const configuration = inFolder('supervisord.conf');
    await writeFile(configuration, formatConfig(folder));
    const supervisor = begin('warm-run.cjs', piece('onevisor'), folder, inFolder('onevisor'), String(ENDING));
    try {
      await Promise.race([supervisor, untilPresent(inFolder('at-rest'))]);
      await begin('warm-client.cjs', piece('client'), configuration, inFolder('client'));
    } finally {
      // Also after a failure: it would run on with its programs.
      supervisor.child.kill('SIGTERM');
      await supervisor;
    }
    await begin('warm-again.cjs', piece(wanted), inFolder(wanted), output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Waits until a file exists, for some time. */
async function untilPresent(path: string): Promise<void> {
  const deadlineMs = performance.now() + LONGEST_MS;
  while (performance.now() < deadlineMs) {
    if (await isPresent(path)) return;
    await sleep(LOOK_AGAIN_MS);
  }
  throw new Error(`${LONGEST_MS} ms passed while waiting for ${path}`);
}
