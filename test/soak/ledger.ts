/** The ledger in which each run of `programs/worker.c` records its lines. Its form is that of the C file. */
import { open, readFile } from 'node:fs/promises';

const SLOT_BYTES = 64;
const NAME_AT = 24;

/** A run of a worker, as the worker itself recorded it. */
export interface RunRecord {
  readonly slot: number;
  readonly name: string;
  /** Last line that was certainly written. */
  readonly written: number;
  /** Last line that may have been written. */
  readonly attempted: number;
}

/** Everything in the ledger. */
export interface LedgerContent {
  readonly runs: readonly RunRecord[];
  /** Runs that began while another run of the same name lived. */
  readonly overlaps: number;
}

/** Creates an empty ledger for a number of runs. The file is sparse. */
export async function createLedger(path: string, runs: number): Promise<void> {
  const file = await open(path, 'w');
  await file.truncate((runs + 1) * SLOT_BYTES);
  await file.close();
}

/** Reads a ledger. */
export async function readLedger(path: string): Promise<LedgerContent> {
  const bytes = await readFile(path);
  const count = Math.min(Number(bytes.readBigInt64LE(0)), bytes.length / SLOT_BYTES - 1);
  const runs = Array.from({ length: count }, (_, index): RunRecord => {
    const at = (index + 1) * SLOT_BYTES;
    return {
      slot: index + 1,
      attempted: Number(bytes.readBigInt64LE(at)),
      written: Number(bytes.readBigInt64LE(at + 8)),
      name: bytes.toString('latin1', at + NAME_AT, at + SLOT_BYTES).replace(/\0.*$/s, ''),
    };
  });
  return { runs, overlaps: Number(bytes.readBigInt64LE(8)) };
}
