/** Parses a datagram of sd_notify(3) from a program into facts. Pure. The caller verifies the sender. */

/** One fact of a message. Unknown assignments are ignored. */
export type NotifyFact =
  | { readonly kind: 'ready' }
  /** The program reloads its configuration. `ready` follows. */
  | { readonly kind: 'reloading' }
  | { readonly kind: 'stopping' }
  /** Description by the program itself (`STATUS=`), safe to be shown. Empty: no description any more. */
  | { readonly kind: 'status'; readonly text: string }
  /** `WATCHDOG=1`: the program is alive. */
  | { readonly kind: 'alive' }
  /** `WATCHDOG=trigger`: the program reports that it has failed. */
  | { readonly kind: 'failed' }
  /** `WATCHDOG_USEC`: new maximum time between two watchdog messages; null for no limit. */
  | { readonly kind: 'watchdog'; readonly limitMs: number | null }
  /** An assignment that we know and do not carry out, by its name. */
  | { readonly kind: 'unsupported'; readonly name: string };

/** Limit for the length of a status. The rest is cut off. */
const MAX_STATUS_CHARACTERS = 200;

const FIXED = new Map<string, NotifyFact>([
  ['READY=1', { kind: 'ready' }],
  ['RELOADING=1', { kind: 'reloading' }],
  ['STOPPING=1', { kind: 'stopping' }],
  ['WATCHDOG=1', { kind: 'alive' }],
  ['WATCHDOG=trigger', { kind: 'failed' }],
]);

/**
 * `MAINPID`: the main process is always our own child. `EXTEND_TIMEOUT_USEC`: the configuration sets the timeouts for
 * starts and stops.
 */
const UNSUPPORTED = new Set(['MAINPID', 'MAINPIDFDID', 'EXTEND_TIMEOUT_USEC', 'FDSTORE']);

/**
 * Parses a datagram: lines of `NAME=value`. Invalid UTF-8 is replaced. Of repeated assignments only the last one
 * counts: hundreds of lines fit into a datagram, and a flood of them would keep the supervisor busy. Returns null for a
 * message with a NUL, which is invalid. As in systemd, a single NUL at the end is allowed.
 */
export function parseNotifyMessage(bytes: Uint8Array): NotifyFact[] | null {
  const end = bytes.at(-1) === 0 ? bytes.length - 1 : bytes.length;
  const text = new TextDecoder().decode(bytes.subarray(0, end));
  if (text.includes('\0')) return null;
  const lines = new Map<string, string>();
  for (const line of text.split('\n')) {
    const key = FIXED.has(line) ? line : line.slice(0, Math.max(line.indexOf('='), 0));
    lines.delete(key);
    lines.set(key, line);
  }
  return [...lines.values()].flatMap((line) => factOf(line) ?? []);
}

function factOf(line: string): NotifyFact | null {
  const fixed = FIXED.get(line);
  if (fixed !== undefined) return fixed;
  const equals = line.indexOf('=');
  const name = line.slice(0, Math.max(equals, 0));
  const value = line.slice(equals + 1);
  if (name === 'STATUS') return { kind: 'status', text: fitStatus(value) };
  if (name === 'WATCHDOG_USEC' && /^\d{1,19}$/.test(value))
    return { kind: 'watchdog', limitMs: Number(value) === 0 ? null : Number(value) / 1000 };
  return UNSUPPORTED.has(name) ? { kind: 'unsupported', name } : null;
}

/**
 * Makes a status safe for a terminal, a table and a web page: one line, without control characters and without
 * characters that change the direction of writing.
 */
function fitStatus(text: string): string {
  // Cut first: a datagram may have a hundred thousand characters.
  const characters = [
    ...text
      .slice(0, 4 * MAX_STATUS_CHARACTERS)
      .replaceAll('\t', ' ')
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '')
      .trim(),
  ];
  return characters.length <= MAX_STATUS_CHARACTERS
    ? characters.join('')
    : `${characters.slice(0, MAX_STATUS_CHARACTERS - 1).join('')}…`;
}
