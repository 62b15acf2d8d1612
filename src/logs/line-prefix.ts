/**
 * What stands before each line in the prefix format: the name, padded to the longest one of all, in the program's
 * colour, or what a template makes of it (`log_prefix`). Makes bytes; writes nothing.
 */
import { parseLogTemplate, type TemplateField, type TemplatePart } from '../core/log-template.ts';
import { cutToPrecision, padText } from '../core/percent-format.ts';
import type { LineStyle, StreamName } from './ports.ts';
import { formatIsoTime } from './time-format.ts';

/** Who wrote a line. */
export interface LineOrigin {
  readonly group: string;
  readonly program: string;
  readonly process: string;
  readonly stream: StreamName;
}

const CYCLE = [36, 33, 32, 35, 34, 31, 96, 93, 92, 95, 94, 91];

/** The names that share the streams: how wide they are, and which colour each program has. */
export class PrefixLayout {
  /** Changes when prefixes made before are out of date. */
  version = 0;
  #width = 0;
  readonly #names = new Map<string, number>();
  readonly #colors = new Map<string, number>();

  get width(): number {
    return this.#width;
  }

  /** Counts a name in, once for each channel that shows it. */
  add(name: string): void {
    this.#names.set(name, (this.#names.get(name) ?? 0) + 1);
    this.#measure();
  }

  /** Counts a name out again. */
  remove(name: string): void {
    const count = (this.#names.get(name) ?? 0) - 1;
    if (count > 0) this.#names.set(name, count);
    else this.#names.delete(name);
    this.#measure();
  }

  /** The SGR code of a program, the next one of the cycle when it is new. */
  colorOf(program: string): number {
    const known = this.#colors.get(program);
    if (known !== undefined) return known;
    const color = CYCLE[this.#colors.size % CYCLE.length] as number;
    this.#colors.set(program, color);
    return color;
  }

  #measure(): void {
    let width = 0;
    for (const name of this.#names.keys()) width = Math.max(width, widthOf(name));
    if (width === this.#width) return;
    this.#width = width;
    this.version++;
  }
}

/** The parts of a `log_prefix`. A template that does not end in a blank gets one, since the file cannot keep it. */
export function parsePrefixTemplate(template: string): TemplatePart[] {
  const parts = parseLogTemplate(template);
  if (template !== '' && !/\s$/.test(template)) parts.push(' ');
  return parts;
}

const EMPTY = Buffer.alloc(0);

/** Makes the prefix of the lines of one pipe. */
export class LinePrefix {
  readonly #origin: LineOrigin;
  readonly #pid: number;
  readonly #layout: PrefixLayout;
  readonly #color: number | null;
  /** Null: the usual prefix. */
  readonly #parts: readonly TemplatePart[] | null;
  readonly #isStamped: boolean;
  readonly #hasTime: boolean;
  #made: Buffer = EMPTY;
  #madeVersion = -1;
  #madeMs = Number.NaN;

  /** `isColored`: whether the lines go to a terminal. The configuration has checked the template. */
  constructor(origin: LineOrigin, pid: number, style: LineStyle, layout: PrefixLayout, isColored: boolean) {
    this.#origin = origin;
    this.#pid = pid;
    this.#layout = layout;
    this.#color = isColored ? layout.colorOf(origin.program) : null;
    this.#parts = style.prefix === null ? null : parsePrefixTemplate(style.prefix);
    const showsTime = this.#parts?.some((part) => typeof part !== 'string' && part.field === 'time') === true;
    this.#isStamped = style.timestamp === 'iso8601' && !showsTime;
    this.#hasTime = this.#isStamped || showsTime;
  }

  /** The bytes for lines that were read at `wallMs`; valid until the next call. */
  at(wallMs: number): Buffer {
    if (this.#madeVersion === this.#layout.version && (!this.#hasTime || this.#madeMs === wallMs)) return this.#made;
    const stamp = this.#isStamped ? `${formatIsoTime(wallMs)} ` : '';
    const text =
      stamp + (this.#parts === null ? this.#usual() : this.#parts.map((part) => this.#render(part, wallMs)).join(''));
    this.#made = Buffer.from(this.#color === null || text === '' ? text : `\x1b[${this.#color}m${text}\x1b[0m`);
    this.#madeVersion = this.#layout.version;
    this.#madeMs = wallMs;
    return this.#made;
  }

  #usual(): string {
    return `${padText(this.#origin.process, { flags: '-', width: this.#layout.width })} | `;
  }

  #render(part: TemplatePart, wallMs: number): string {
    if (typeof part === 'string') return part;
    return padText(cutToPrecision(this.#valueOf(part.field, wallMs), part.conversion), part.conversion);
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

/** Characters, not UTF-16 units. */
function widthOf(text: string): number {
  return [...text].length;
}
