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

/** Width of the names that share the streams, the names that are cut, and the colour of each program. */
export class PrefixLayout {
  /** Changes when prefixes that were made before are out of date. */
  version = 0;
  #width = 0;
  #limit = 0;
  readonly #names = new Map<string, number>();
  /** Names that are too long, with the text in their place. */
  #cut: ReadonlyMap<string, string> = new Map();
  readonly #colors = new Map<string, number>();
  /** Programs without a colour yet. */
  readonly #uncolored = new Set<string>();

  get width(): number {
    return this.#width;
  }

  /** Counts a name in, once for each channel that shows the name. */
  add({ process: name, program, limit }: ShownName): void {
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    this.#limit = limit;
    if (!this.#colors.has(program)) this.#uncolored.add(program);
    this.#measure();
  }

  /** Counts a name out again. */
  remove(name: string): void {
    const count = (this.#names.get(name) ?? 0) - 1;
    if (count > 0) this.#names.set(name, count);
    else this.#names.delete(name);
    this.#measure();
  }

  /** Returns a name as it is shown. */
  shorten(name: string): string {
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

  #measure(): void {
    const limit = this.#limit === 0 ? Infinity : this.#limit;
    const long = [...this.#names.keys()].filter((name) => widthOf(name) > limit);
    const cut = cutNames(long, limit);
    let width = 0;
    for (const name of this.#names.keys()) width = Math.max(width, widthOf(cut.get(name) ?? name));
    if (width === this.#width && isSameMap(cut, this.#cut)) return;
    this.#width = width;
    this.#cut = cut;
    this.version++;
  }
}

/**
 * Cuts names in the middle: `a-very-lo…worker_12`. Beginnings and ends tell names apart, as the ends have the numbers
 * of numprocs. Names that would become the same get their number in the order of the names: `a-very-l…2…rvice_log`.
 */
function cutNames(names: readonly string[], limit: number): Map<string, string> {
  const groups = Map.groupBy(names.toSorted(), (name) => cutMiddle(name, '…', limit));
  return new Map(
    [...groups].flatMap(([text, same]) =>
      same.map((name, index): [string, string] => [
        name,
        same.length === 1 ? text : cutMiddle(name, `…${index + 1}…`, limit),
      ]),
    ),
  );
}

function cutMiddle(text: string, mark: string, limit: number): string {
  return cutMiddleWith(text, mark, limit, Math.ceil((limit - widthOf(mark)) / 2));
}

function isSameMap(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, text]) => other.get(name) === text);
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
