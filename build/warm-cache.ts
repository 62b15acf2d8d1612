/**
 * Makes V8's code cache of our program by running it (warm-run.cjs). The same program gives the same bytes: hashes have
 * a fixed seed, no compiler runs at the same time, and functions are numbered again (warm-again.cjs). V8 accepts the
 * cache whatever the seed is later.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CACHE } from './platform.ts';

const run = promisify(execFile);

/** Seed of the hashes of strings in the cache. With a random seed they differ from build to build. */
const SEED = '--random-seed=1';

/** Longest time of the run, which takes about a second. */
const LONGEST_MS = 120_000;

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

/** Input of a run that makes a cache. */
export interface WarmRun {
  /** Path of the Node that the executable has. */
  readonly node: string;
  /** The program, and the flags of V8 that the executable has. */
  readonly program: Uint8Array;
  readonly flags: readonly string[];
}

/** Runs the program, and writes the cache to `output`. Throws if the run fails. */
export async function makeWarmCache({ node, program, flags }: WarmRun, output: string): Promise<void> {
  const folder = await mkdtemp(join(CACHE, 'warm-'));
  try {
    const script = join(folder, 'onevisor.cjs');
    await writeFile(script, program);
    await writeFile(join(folder, 'supervisord.conf'), formatConfig(folder));
    const first = join(folder, 'first.cache');
    const options = { timeout: LONGEST_MS, killSignal: 'SIGKILL', env: { PATH: process.env['PATH'] ?? '' } } as const;
    const runScript = async (name: string, ...args: readonly string[]): Promise<void> => {
      await run(node, [...flags, SEED, join(import.meta.dirname, name), script, ...args], options);
    };
    await runScript('warm-run.cjs', folder, first, String(ENDING));
    await runScript('warm-again.cjs', first, output);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
