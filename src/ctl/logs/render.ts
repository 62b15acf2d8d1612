/**
 * Formats lines and events: as text with the name before each line, as one JSON object a line, or as the bytes of the
 * program alone.
 */
import { cutMiddleWith, pad, widthOf } from '../../logs/columns.ts';
import { encodeBytes } from '../../files/bytes.ts';
import { type Entry, type EventEntry, type LineEntry, shownName } from './entry.ts';
import { guessLevel } from '../../core/line-level.ts';
import type { OutputForm } from './options.ts';
import { Patterns } from './pattern.ts';
import { markSpans, showLine } from './shown-line.ts';
import { formatTime } from './times.ts';

/** Widest column of names. */
const MAX_WIDTH = 24;

/** Signs between the name and the text: of stdout, of stderr, and of an event. */
const SIGNS = { stdout: '|', stderr: '!', event: '*' } as const;

/** Colours of names, of the 16 that every terminal has: none that is hard to read on black or white. */
const COLOURS = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];
const RED = 31;
const GREY = 90;

/** The form of the output. */
export interface RenderOptions {
  readonly form: OutputForm;
  readonly hasPrefix: boolean;
  readonly hasColours: boolean;
  /** True if control sequences of programs must not reach the output. */
  readonly isTerminal: boolean;
  readonly hasTimes: boolean;
  readonly isUtc: boolean;
  readonly highlight: readonly string[];
  readonly isCaseIgnored: boolean;
}

/** Formats entries. Names that come later get the next colours. */
export class Renderer {
  readonly #options: RenderOptions;
  readonly #marks: Patterns | null;
  readonly #colours = new Map<string, number>();
  #width = 0;

  /** `names`: full names that are known from the beginning, which get their colours in alphabetical order. */
  constructor(options: RenderOptions, names: readonly string[]) {
    this.#options = options;
    const { highlight, hasColours, isCaseIgnored } = options;
    this.#marks = highlight.length > 0 && hasColours ? new Patterns(highlight, isCaseIgnored) : null;
    for (const name of names.map(shownName).sort()) this.#meet(name);
  }

  /** Formats entries, each with a line end. Text of programs that is not UTF-8 is kept as bytes if it is not shown. */
  render(entries: readonly Entry[]): string | Buffer {
    const text = this.#options.form === 'text' ? this.#renderText(entries) : this.#renderOther(entries);
    return text.isWellFormed() ? text : encodeBytes(text);
  }

  #renderOther(entries: readonly Entry[]): string {
    const { form } = this.#options;
    return entries
      .map((entry) => {
        if (form === 'json') return `${JSON.stringify(toJson(entry))}\n`;
        return entry.kind === 'line' ? `${entry.text}\n` : '';
      })
      .join('');
  }

  #renderText(entries: readonly Entry[]): string {
    const { isTerminal, hasColours } = this.#options;
    const keepsColours = hasColours && this.#marks === null;
    const texts = entries.map(({ text, kind }) =>
      isTerminal || kind === 'event' || this.#marks !== null ? showLine(text, keepsColours) : text,
    );
    const spans = this.#marks?.spans(texts);
    return entries
      .map((entry, index) => {
        const text = texts[index] ?? '';
        const marked = spans === undefined ? text : markSpans(text, spans[index] ?? []);
        const shown = entry.kind === 'event' ? this.#paint(marked, GREY) : marked;
        return `${this.#timeOf(entry)}${this.#prefixOf(entry)}${shown}\n`;
      })
      .join('');
  }

  #timeOf(entry: Entry): string {
    const { at } = entry;
    const { hasTimes, isUtc } = this.#options;
    if (!hasTimes) return '';
    const text = at === null ? formatBound(entry, isUtc) : formatTime(at, isUtc);
    return `${this.#paint(text, GREY)} `;
  }

  #prefixOf(entry: Entry): string {
    const isEvent = entry.kind === 'event';
    if (!this.#options.hasPrefix) return isEvent ? `${SIGNS.event} ` : '';
    const name = shownName(entry.name);
    const shown = pad(fitName(name), this.#meet(name));
    const sign = signOf(entry);
    const colour = this.#colours.get(name) ?? GREY;
    return `${this.#paint(shown, colour)} ${this.#paint(sign, sign === SIGNS.stderr ? RED : colour)} `;
  }

  /** Gives a new name a colour, and returns the width of the column. */
  #meet(name: string): number {
    if (!this.#colours.has(name)) {
      this.#colours.set(name, COLOURS[this.#colours.size % COLOURS.length] ?? GREY);
      this.#width = Math.max(this.#width, widthOf(fitName(name)));
    }
    return this.#width;
  }

  #paint(text: string, colour: number): string {
    return this.#options.hasColours ? `\x1b[${colour}m${text}\x1b[0m` : text;
  }
}

const MINUTE_MS = 60_000;

/** Formats the latest time of a line without a time, in the columns of a time: `before 2026-11-29 12:34`. */
function formatBound(entry: Entry, isUtc: boolean): string {
  const before = entry.kind === 'line' ? entry.bounds?.beforeMs : undefined;
  if (before === undefined) return '-'.padEnd(isUtc ? 24 : 23);
  const text = formatTime((Math.floor(before / MINUTE_MS) + 1) * MINUTE_MS, isUtc);
  return `before ${text.slice(0, 16)}${isUtc ? 'Z' : ''}`;
}

function signOf(entry: Entry): string {
  if (entry.kind === 'event') return SIGNS.event;
  return entry.stream === 'stderr' ? SIGNS.stderr : SIGNS.stdout;
}

/** Cuts a long name in the middle: numbered programs differ at the end. */
function fitName(name: string): string {
  const safe = showLine(name, false);
  return widthOf(safe) <= MAX_WIDTH ? safe : cutMiddleWith(safe, '…', MAX_WIDTH, MAX_WIDTH / 2);
}

function toJson(entry: Entry): object {
  const { at, seq, name } = entry;
  const origin = { ...(at === null ? {} : { time: new Date(at).toISOString() }), ...(seq === null ? {} : { seq }) };
  return entry.kind === 'event'
    ? { ...origin, name: shownName(name), ...eventMembers(entry) }
    : { ...origin, name: shownName(name), ...lineMembers(entry) };
}

function eventMembers({ event, text, members }: EventEntry): object {
  const { seq: _seq, at: _at, name: _name, event: _event, text: _text, ...others } = members;
  return { event, text, ...others };
}

/** The times between which a line without a time was written. */
function boundMembers({ afterMs, beforeMs }: NonNullable<LineEntry['bounds']>): object {
  return {
    ...(afterMs === 0 ? {} : { after: new Date(afterMs).toISOString() }),
    before: new Date(beforeMs).toISOString(),
  };
}

function lineMembers({ stream, pid, text, isPartial, isRest, bounds }: LineEntry): object {
  const level = guessLevel(text);
  return {
    stream,
    ...(bounds === undefined ? {} : boundMembers(bounds)),
    ...(pid === null ? {} : { pid }),
    ...(level === null ? {} : { level }),
    text,
    ...(isPartial ? { partial: true } : {}),
    ...(isRest ? { rest: true } : {}),
  };
}
