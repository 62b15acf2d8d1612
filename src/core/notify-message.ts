/**
 * A datagram of sd_notify(3) from a program: its lines, read into facts. Pure; who has sent it, and what
 * follows, is decided elsewhere.
 */

/** One fact of a message. What is not known here is no fact: programs say more than we act upon. */
export type NotifyFact =
  | { readonly kind: 'ready' }
  /** It reads its configuration anew; `ready` follows. */
  | { readonly kind: 'reloading' }
  | { readonly kind: 'stopping' }
  /** How it is, in its own words, fit to be shown; empty for nothing any more. */
  | { readonly kind: 'status'; readonly text: string }
  /** `WATCHDOG=1`: it is alive. */
  | { readonly kind: 'alive' }
  /** `WATCHDOG=trigger`: it gives itself up. */
  | { readonly kind: 'failed' }
  /** `WATCHDOG_USEC`: the longest time between two signs of life from now on; null for no limit. */
  | { readonly kind: 'watchdog'; readonly limitMs: number | null }
  /** Something that asks for what we do not do, by its name. */
  | { readonly kind: 'unheeded'; readonly name: string };

/** More of a status is cut. */
const MOST_STATUS_CHARACTERS = 200;

const FIXED = new Map<string, NotifyFact>([
  ['READY=1', { kind: 'ready' }],
  ['RELOADING=1', { kind: 'reloading' }],
  ['STOPPING=1', { kind: 'stopping' }],
  ['WATCHDOG=1', { kind: 'alive' }],
  ['WATCHDOG=trigger', { kind: 'failed' }],
]);

/**
 * `MAINPID`: we know who our child is. `EXTEND_TIMEOUT_USEC`: the times of a start and of a stop are those of the
 * configuration.
 */
const UNHEEDED = new Set(['MAINPID', 'MAINPIDFDID', 'EXTEND_TIMEOUT_USEC', 'FDSTORE']);

/**
 * Reads a datagram: lines of `NAME=value`. What is no UTF-8 is replaced. What is said more than once in it counts once,
 * as its last line has it: hundreds of lines fit into one, and a flood of those would keep the supervisor busy. Null
 * for a message with a NUL in it, which is none (a single one at its end is let pass, as by systemd).
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
  return UNHEEDED.has(name) ? { kind: 'unheeded', name } : null;
}

/**
 * One line that does no harm to a terminal, a table or a page: without control characters, and without those that turn
 * the direction of what follows.
 */
function fitStatus(text: string): string {
  // Cut before it is looked at: a datagram may have a hundred thousand characters.
  const characters = [
    ...text
      .slice(0, 4 * MOST_STATUS_CHARACTERS)
      .replaceAll('\t', ' ')
      .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu, '')
      .trim(),
  ];
  return characters.length <= MOST_STATUS_CHARACTERS
    ? characters.join('')
    : `${characters.slice(0, MOST_STATUS_CHARACTERS - 1).join('')}…`;
}
