/** Makes the archive of a release: `tar` with fixed owners, times and order, compressed by Node's own zstd. */
import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { constants, zstdCompress } from 'node:zlib';

const run = promisify(execFile);
const compress = promisify(zstdCompress);

/** Highest level whose archives need only 8 MB of memory to unpack. */
const LEVEL = 19;
const QUICK_LEVEL = 3;

/** Output of tar is kept in memory: zstd then knows the size, and pieces cannot change the result. */
const LARGEST_BYTES = 1 << 30;

/** Options of an archive or a package. */
export interface PackOptions {
  /** Time of all entries. */
  readonly date: Date;
  /** True for tests: little compression. */
  readonly isQuick: boolean;
}

/** Packs a folder into `output`, a `.tar.zst` whose entries begin with the name of the folder. */
export async function packFolder(folder: string, output: string, { date, isQuick }: PackOptions): Promise<void> {
  const seconds = Math.floor(date.getTime() / 1000);
  const { stdout } = await run(
    'tar',
    [
      '--create',
      '--format=ustar',
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--mtime=@${seconds}`,
      `--directory=${dirname(folder)}`,
      basename(folder),
    ],
    { encoding: 'buffer', maxBuffer: LARGEST_BYTES },
  );
  const level = isQuick ? QUICK_LEVEL : LEVEL;
  await writeFile(output, await compress(stdout, { params: { [constants.ZSTD_c_compressionLevel]: level } }));
}
