/** Size of the executable, as it is and compressed. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createGzip, createZstdCompress, constants } from 'node:zlib';
import type { Transform } from 'node:stream';
import type { Bench } from './context.ts';
import { sampleOf } from './figures.ts';
import type { Row } from './figures.ts';

export async function sizeRows({ contenders, pick }: Bench): Promise<Row[]> {
  const { executable } = contenders;
  const level = pick(19, 3);
  const zstd = createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } });
  const [gzip, best] = await Promise.all([
    compressedBytes(executable, createGzip()),
    compressedBytes(executable, zstd),
  ]);
  const row = (what: string, bytes: number): Row => ({
    what,
    unit: 'MB',
    ours: sampleOf([bytes / 1e6]),
    peer: null,
    peerName: '',
    goal: null,
  });
  return [
    row('size of the executable', (await stat(executable)).size),
    row('  with gzip', gzip),
    row(`  with zstd -${level}`, best),
  ];
}

async function compressedBytes(path: string, compressor: Transform): Promise<number> {
  let sum = 0;
  for await (const piece of createReadStream(path, { highWaterMark: 1 << 20 }).pipe(compressor))
    sum += (piece as Buffer).length;
  return sum;
}
