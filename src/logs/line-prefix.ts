/**
 * The prefix of each line in the format `prefix`: the name of the process, padded to the longest name, in the colour of
 * the program. Names that are longer than `log_prefix_width` are cut in the middle. A template replaces all of it
 * (`log_prefix`). This file makes bytes and writes nothing.
 */
import { parseLogTemplate, type TemplateField, type TemplatePart } from '../core/log-template.ts';
import type { StreamName } from '../core/stream-name.ts';
import { cutMiddleWith, fitStart, pad, widthOf } from './columns.ts';
import type { LineStyle } from './ports.ts';
import { formatIsoTime } from './time-format.ts';

/** Writer of a line. */
export interface LineOrigin {
  readonly group: string;
  readonly program: string;
  readonly process: string;
  readonly stream: StreamName;
}

const CYCLE = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91];

/** A name in the prefixes. */
export interface ShownName {
  readonly process: string;
  readonly program: string;
  /** Most columns of a name (`log_prefix_width`). 0: no limit. It is the same for all names. */
  readonly limit: number;
}

/**
 * Width of the names that share the streams, the names that are cut, and the colour of each program. A name that comes
 * or goes costs as much as the names that are cut to the same text: thousands of programs may start in one turn.
 */
export class PrefixLayout {
  #version = 0;
  #width = 0;
  #limit = 0;
  readonly #names = new Map<string, number>();
  /** Number of shown names by their columns. */
  readonly #widths = new Map<number, number>();
  /** Names that are too long, by the text that they are cut to. */
  readonly #sameCut = new Map<string, Set<string>>();
  /** Texts in the place of long names. */
  readonly #cut = new Map<string, string>();
  /** Texts of {@link #sameCut} whose names have changed. */
  readonly #changedCuts = new Set<string>();
  #isChanged = false;
  readonly #colors = new Map<string, number>();
  /** Programs without a colour yet. */
  readonly #uncolored = new Set<string>();

  /** Changes when prefixes that were made before are out of date. */
  get version(): number {
    this.#settle();
    return this.#version;
  }

  get width(): number {
    this.#settle();
    return this.#width;
  }

  /** Counts a name in, once for each channel that shows the name. */
  add({ process: name, program, limit }: ShownName): void {
    if (!this.#colors.has(program)) this.#uncolored.add(program);
    if (limit !== this.#limit) this.#changeLimit(limit);
    const count = this.#names.get(name) ?? 0;
    this.#names.set(name, count + 1);
    if (count === 0) this.#show(name);
  }

  /** Counts a name out again. */
  remove(name: string): void {
    const count = (this.#names.get(name) ?? 0) - 1;
    if (count > 0) {
      this.#names.set(name, count);
      return;
    }
    this.#names.delete(name);
    this.#hide(name);
  }

  /** Returns a name as it is shown. */
  shorten(name: string): string {
    this.#settle();
    return this.#cut.get(name) ?? name;
  }

  /**
   * Returns the SGR code of a program. Programs get the colours of the cycle in the order of their names, so that a
   * program has the same colour after a restart of the supervisor. Programs that are added later come after them.
   */
  colorOf(program: string): number {
    if (!this.#colors.has(program)) {
      for (const name of [...this.#uncolored.add(program)].sort())
        this.#colors.set(name, CYCLE[this.#colors.size % CYCLE.length] as number);
      this.#uncolored.clear();
    }
    return this.#colors.get(program) as number;
  }

  #changeLimit(limit: number): void {
    for (const name of this.#names.keys()) this.#hide(name);
    this.#limit = limit;
    for (const name of this.#names.keys()) this.#show(name);
  }

  #isLong(name: string): boolean {
    return this.#limit !== 0 && widthOf(name) > this.#limit;
  }

  #show(name: string): void {
    this.#isChanged = true;
    if (!this.#isLong(name)) return this.#countWidth(name, 1);
    const text = cutMiddle(name, '…', this.#limit);
    const same = this.#sameCut.get(text) ?? new Set();
    this.#sameCut.set(text, same.add(name));
    this.#changedCuts.add(text);
  }

  #hide(name: string): void {
    this.#isChanged = true;
    if (!this.#isLong(name)) return this.#countWidth(name, -1);
    const text = cutMiddle(name, '…', this.#limit);
    const same = this.#sameCut.get(text);
    same?.delete(name);
    if (same?.size === 0) this.#sameCut.delete(text);
    this.#changedCuts.add(text);
    const shown = this.#cut.get(name);
    if (shown === undefined) return;
    this.#countWidth(shown, -1);
    this.#cut.delete(name);
    this.#version++;
  }

  #countWidth(shown: string, change: 1 | -1): void {
    const width = widthOf(shown);
    const count = (this.#widths.get(width) ?? 0) + change;
    if (count > 0) this.#widths.set(width, count);
    else this.#widths.delete(width);
  }

  /**
   * Makes the texts and the width again, when they are needed. Names are cut in the middle: `a-very-lo…worker_12`.
   * Beginnings and ends tell names apart, as the ends have the numbers of numprocs. Names that would become the same
   * get their number in the order of the names: `a-very-l…2…rvice_log`.
   */
  #settle(): void {
    if (!this.#isChanged) return;
    this.#isChanged = false;
    let isNew = false;
    for (const text of this.#changedCuts) {
      const names = [...(this.#sameCut.get(text) ?? [])].sort();
      for (const [index, name] of names.entries()) {
        const shown = names.length === 1 ? text : cutMiddle(name, `…${index + 1}…`, this.#limit);
        const before = this.#cut.get(name);
        if (before === shown) continue;
        if (before !== undefined) this.#countWidth(before, -1);
        this.#countWidth(shown, 1);
        this.#cut.set(name, shown);
        isNew = true;
      }
    }
    this.#changedCuts.clear();
    const width = Math.max(0, ...this.#widths.keys());
    if (width === this.#width && !isNew) return;
    this.#width = width;
    this.#version++;
  }
}

function cutMiddle(text: string, mark: string, limit: number): string {
  return cutMiddleWith(text, mark, limit, Math.ceil((limit - widthOf(mark)) / 2));
}

/**
 * Returns the parts of a `log_prefix`. A template without white space at its end gets a space, because a configuration
 * file cannot keep one there.
 */
export function parsePrefixTemplate(template: string): TemplatePart[] {
  const parts = parseLogTemplate(template);
  if (template !== '' && !/\s$/.test(template)) parts.push(' ');
  return parts;
}

const EMPTY = Buffer.alloc(0);

/** Parts of the prefix of one pipe. */
export interface PrefixParts {
  readonly origin: LineOrigin;
  readonly pid: number;
  /** The configuration has checked the template. */
  readonly style: LineStyle;
  readonly layout: PrefixLayout;
  readonly isColored: boolean;
}

/** Makes the prefix of the lines of one pipe. */
export class LinePrefix {
  readonly #origin: LineOrigin;
  readonly #pid: number;
  readonly #layout: PrefixLayout;
  readonly #color: number | null;
  /** Null: the default prefix. */
  readonly #template: readonly TemplatePart[] | null;
  readonly #isStamped: boolean;
  readonly #hasTime: boolean;
  #made: Buffer = EMPTY;
  #madeVersion = -1;
  #madeMs = Number.NaN;

  constructor({ origin, pid, style, layout, isColored }: PrefixParts) {
    this.#origin = origin;
    this.#pid = pid;
    this.#layout = layout;
    this.#color = isColored ? layout.colorOf(origin.program) : null;
    this.#template = style.prefix === null ? null : parsePrefixTemplate(style.prefix);
    const showsTime = this.#template?.some((part) => typeof part !== 'string' && part.field === 'time') === true;
    this.#isStamped = style.timestamp === 'iso8601' && !showsTime;
    this.#hasTime = this.#isStamped || showsTime;
  }

  /** Returns the prefix of lines that were read at `wallMs`. The bytes are valid until the next call. */
  at(wallMs: number): Buffer {
    if (this.#madeVersion === this.#layout.version && (!this.#hasTime || this.#madeMs === wallMs)) return this.#made;
    const text = this.#makeText(wallMs);
    this.#made = Buffer.from(this.#color === null || text === '' ? text : `\x1b[${this.#color}m${text}\x1b[0m`);
    this.#madeVersion = this.#layout.version;
    this.#madeMs = wallMs;
    return this.#made;
  }

  #makeText(wallMs: number): string {
    const stamp = this.#isStamped ? `${formatIsoTime(wallMs)} ` : '';
    if (this.#template !== null) return stamp + this.#template.map((part) => this.#render(part, wallMs)).join('');
    const name = this.#layout.shorten(this.#origin.process);
    return `${stamp}${pad(name, this.#layout.width)} | `;
  }

  #render(part: TemplatePart, wallMs: number): string {
    if (typeof part === 'string') return part;
    const { precision, width, flags } = part.conversion;
    const value = this.#valueOf(part.field, wallMs);
    return pad(precision === null ? value : fitStart(value, precision), width, !flags.includes('-'));
  }

  #valueOf(field: TemplateField, wallMs: number): string {
    switch (field) {
      case 'process_name':
        return this.#origin.process;
      case 'group_name':
        return this.#origin.group;
      case 'program_name':
        return this.#origin.program;
      case 'pid':
        return String(this.#pid);
      case 'channel':
        return this.#origin.stream;
      case 'time':
        return formatIsoTime(wallMs);
    }
  }
}
