/** The dashboard as the build has made it: an asset inside the executable, or a file of the build in a checkout. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { getAsset, isSea } from 'node:sea';

/** Name of the asset. */
const ASSET = 'dashboard.json';

/** The dashboard. */
export interface Dashboard {
  /** The page with its script and its style sheet, compressed with gzip. */
  readonly page: Uint8Array;
  /** Content-Security-Policy of the page. */
  readonly policy: string;
}

/** Reads the dashboard. It is read when a browser first asks for it, so that a start does not pay for it. */
export async function readDashboard(): Promise<Dashboard> {
  const text = isSea()
    ? getAsset(ASSET, 'utf8')
    : await readFile(join(import.meta.dirname, '..', '..', 'dist', '.cache', ASSET), 'utf8');
  const { page, policy } = JSON.parse(text) as Record<'page' | 'policy', string>;
  return { page: Buffer.from(page, 'base64'), policy };
}
