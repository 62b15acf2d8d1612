/** Listening sockets in the tables of /proc/PID/net (proc_pid_net(5)), with the inodes that name them. Pure. */

/** State of a TCP socket that accepts connections, as the table has it. */
const TCP_LISTENS = '0A';
/** Flag of a unix socket that accepts connections (SO_ACCEPTCON). */
const UNIX_ACCEPTS = 0x10000;

/** Returns the address of each listening socket in the text of `tcp` or `tcp6`, by inode: `0.0.0.0:80`, `[::]:80`. */
export function parseTcpTable(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, , local = '', , state = '', , , , , , inode = ''] = line.split(/\s+/);
    const [, digits = '', port = ''] = /^([0-9A-F]{8}|[0-9A-F]{32}):([0-9A-F]{4})$/.exec(local) ?? [];
    if (state === TCP_LISTENS && digits !== '')
      found.set(inode, `${formatAddress(digits)}:${Number.parseInt(port, 16)}`);
  }
  return found;
}

/** Returns the path of each listening socket in the text of `unix`, by inode. An abstract name begins with `@`. */
export function parseUnixTable(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const [, flags = '', inode = '', path = ''] =
      /^[0-9a-f]+: [0-9A-F]+ [0-9A-F]+ ([0-9A-F]+) [0-9A-F]+ [0-9A-F]+ +(\d+) (.+)$/.exec(line) ?? [];
    if ((Number.parseInt(flags, 16) & UNIX_ACCEPTS) !== 0) found.set(inode, path);
  }
  return found;
}

/** Formats an address of the table: 32-bit numbers in the byte order of the machine, which is little-endian. */
function formatAddress(digits: string): string {
  const bytes = [...digits.matchAll(/(..)(..)(..)(..)/g)].flatMap(([, a = '', b = '', c = '', d = '']) => [d, c, b, a]);
  if (bytes.length === 4) return bytes.map((byte) => Number.parseInt(byte, 16)).join('.');
  const groups = Array.from({ length: 8 }, (_, index) =>
    Number.parseInt(`${bytes[2 * index]}${bytes[2 * index + 1]}`, 16).toString(16),
  );
  return `[${shorten(groups)}]`;
}

/** Replaces the longest run of zeros by `::` (RFC 5952). */
function shorten(groups: readonly string[]): string {
  const runs = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map(([run]) => run);
  const longest = runs.toSorted((a, b) => b.length - a.length)[0];
  if (longest === undefined) return groups.join(':');
  const [before = '', after = ''] = groups.join(':').split(longest, 2);
  return `${before}::${after.replace(/^:/, '')}`;
}
