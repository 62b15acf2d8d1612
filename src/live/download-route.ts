/** Answers `GET /api/v1/logs/download`: lines in memory as a text file, with the same selection, range and filter. */
import type { Exchange } from '../http/route.ts';
import type { LogLine, LogLines } from '../rpc/lines.ts';
import { encodeBytes } from '../files/bytes.ts';
import type { LogRouteParts } from './follow-route.ts';
import { filterLineOf, readLogQuery } from './log-query.ts';
import { displayName } from './messages.ts';
import { PacedWriter } from './paced-writer.ts';
import { queryOf, readSwitch } from './stream-query.ts';

const READ_LIMITS = { lines: 1000, bytes: 192 * 1024 } as const;
/** Longest part of a file name that is made from names. */
const MAX_NAME = 60;

/** Makes the name of the file: from the names, with letters, digits, `-`, `_` and `.` only. */
export function fileNameOf(names: readonly string[], wallMs: number): string {
  const chosen = names.join('+').replace(/[^A-Za-z0-9._+-]+/g, '-');
  // A name must not begin with a dot, which hides a file, or with a hyphen, which looks like an option.
  const safe = chosen.slice(0, MAX_NAME).replace(/^[.-]+/, '');
  const time = new Date(wallMs).toISOString().slice(0, 19).replace(/[:]/g, '').replace('T', '-');
  return `${safe === '' ? 'all' : safe}-${time}.log`;
}

/** Writes lines as text. A piece of a line and its rest are put together. */
class LineText {
  readonly #hasNames: boolean;
  readonly #hasTimes: boolean;
  #isOpen = false;
  #last = '';

  constructor(hasNames: boolean, hasTimes: boolean) {
    this.#hasNames = hasNames;
    this.#hasTimes = hasTimes;
  }

  format({ name, stream, at, text, partial, rest }: LogLine): string {
    const output = `${name} ${stream}`;
    const continues = rest === true && this.#isOpen && this.#last === output;
    const head =
      (this.#hasTimes ? `${new Date(at).toISOString()} ` : '') + (this.#hasNames ? `${displayName(name)} | ` : '');
    const before = this.#isOpen && !continues ? '\n' : '';
    this.#isOpen = partial === true;
    this.#last = output;
    return before + (continues ? '' : head) + text + (partial === true ? '' : '\n');
  }

  /** Makes the line about bytes that were overwritten before they could be read. */
  formatLoss({ name, stream, bytes }: LogLines['missed'][number]): string {
    const lost = `up to ${bytes} bytes of ${displayName(name)} (${stream})`;
    return `${this.end()}==> ${lost} were lost before they could be read <==\n`;
  }

  /** Ends an open line. */
  end(): string {
    const end = this.#isOpen ? '\n' : '';
    this.#isOpen = false;
    return end;
  }
}

/** Answers a request. Resolves when the answer is complete. Throws QueryError. */
export async function downloadLogs(exchange: Exchange, { api, timers, stallMs }: LogRouteParts): Promise<void> {
  const { request, response, signal } = exchange;
  const query = queryOf(request.url);
  const { selection, range, filter } = readLogQuery(query, api.wallMs());
  const text = new LineText(selection.names.length !== 1, readSwitch(query, 'timestamps', false));
  response.writeHead(200, {
    'Content-Type': 'text/plain;charset=utf-8',
    'Content-Disposition': `attachment; filename="${fileNameOf(selection.names, api.wallMs())}"`,
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  if (request.method === 'HEAD') return void response.end();
  const writer = new PacedWriter(response, signal, timers, stallMs);
  // Lines that come later do not belong to the file, so that it ends.
  const before = Math.min(range.before ?? Infinity, api.latestSeq + 1);
  // Programs write while a client reads slowly. Each loss is told once.
  const told = new WeakMap<object, number>();
  let after = range.after ?? 0;
  let isFirst = true;
  for (let hasMore = true; hasMore && !writer.isOver;) {
    const read = api.readLines(selection, { ...range, before, after, limits: READ_LIMITS, told }, () => undefined);
    ({ next: after, hasMore } = read);
    // Bytes overwritten before the request are no loss, unless the client continues after a number.
    const missed = isFirst && range.after === null ? [] : read.missed;
    isFirst = false;
    const wanted = await filter.choose({ lines: read.lines, read: filterLineOf, isOver: () => writer.isOver });
    const losses = missed.map((lost) => text.formatLoss(lost));
    await writer.write(encodeBytes([...losses, ...wanted.map((line) => text.format(line))].join('')));
  }
  if (!writer.isOver) response.write(text.end());
  writer.end();
}
