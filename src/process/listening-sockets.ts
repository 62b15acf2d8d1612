/**
 * Finds the sockets on which processes accept connections. Reads /proc for a client that asks, in slices, and keeps
 * nothing.
 */
import { open, readdir, readlink } from 'node:fs/promises';
import { parseTcpTable, parseUnixTable } from '../core/listening-sockets.ts';

/** Bytes of a table that are read. Listening TCP sockets come first in it. */
const TABLE_BYTES = 256 * 1024;
/** Descriptors of one process, and processes, that are looked at. */
const MOST_DESCRIPTORS = 4096;
const MOST_PROCESSES = 256;

/**
 * Returns the addresses on which any of these processes accepts connections: `tcp 0.0.0.0:80`, `unix /run/app.sock`, in
 * order. Processes that may not be looked at count as having none.
 */
export async function readListeningSockets(pids: readonly number[]): Promise<string[]> {
  const found = new Set<string>();
  const tables = new Map<string, ReadonlyMap<string, string>>();
  for (const pid of pids.slice(0, MOST_PROCESSES)) {
    const inodes = await readSocketInodes(pid);
    if (inodes.length === 0) continue;
    // Processes of one network namespace have the same tables.
    const namespace = await readlink(`/proc/${pid}/ns/net`).catch(() => '');
    const table = tables.get(namespace) ?? (await readTables(pid));
    tables.set(namespace, table);
    for (const inode of inodes) {
      const address = table.get(inode);
      if (address !== undefined) found.add(address);
    }
  }
  return [...found].sort();
}

async function readSocketInodes(pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`).catch(() => []);
  const inodes: string[] = [];
  for (const name of names.slice(0, MOST_DESCRIPTORS)) {
    const target = await readlink(`/proc/${pid}/fd/${name}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined) inodes.push(inode);
  }
  return inodes;
}

async function readTables(pid: number): Promise<Map<string, string>> {
  const read = async (name: string): Promise<string> => readStart(`/proc/${pid}/net/${name}`).catch(() => '');
  const named = (kind: string, table: ReadonlyMap<string, string>): Array<[string, string]> =>
    [...table].map(([inode, address]) => [inode, `${kind} ${address}`]);
  return new Map([
    ...named('tcp', parseTcpTable(await read('tcp'))),
    ...named('tcp', parseTcpTable(await read('tcp6'))),
    ...named('unix', parseUnixTable(await read('unix'))),
  ]);
}

/** Reads the first part of a file of /proc, which may be long. */
async function readStart(path: string): Promise<string> {
  const file = await open(path, 'r');
  try {
    const buffer = Buffer.alloc(TABLE_BYTES);
    let length = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === buffer.length) return buffer.toString('latin1', 0, length);
    }
  } finally {
    await file.close();
  }
}
