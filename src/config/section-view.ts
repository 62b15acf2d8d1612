/**
 * One section while it is read: finds its options as written, also where they fall back to, and reports problems at the
 * place where an option is set. Converts no value; section-reader.ts does. Pure.
 */
import type { RawOption, RawSection } from './dialect.ts';
import type { OptionPlaces, SourceLocation } from './model.ts';
import type { Problems } from './problems.ts';

/** Options of one section or of a section that others fall back to; undefined if there is no such section. */
export type OptionSource = ReadonlyMap<string, RawOption> | undefined;

/** A section with the sections that it falls back to. */
export class SectionView {
  readonly section: RawSection;
  readonly #problems: Problems;
  readonly #sources: readonly OptionSource[];

  /** Options are looked up in `sources`, in this order; the section itself is usually the first. */
  constructor(section: RawSection, problems: Problems, sources: readonly OptionSource[]) {
    this.section = section;
    this.#problems = problems;
    this.#sources = sources;
  }

  get name(): string {
    return this.section.name;
  }

  /** Returns the same section with other text for one option. */
  with(name: string, option: RawOption): SectionView {
    return new SectionView(this.section, this.#problems, [new Map([[name, option]]), ...this.#sources]);
  }

  /** Returns the same section, whose problems are others. */
  reportTo(problems: Problems): SectionView {
    return new SectionView(this.section, problems, this.#sources);
  }

  /** Returns an option as it is written; undefined if it is set nowhere. */
  find(name: string): RawOption | undefined {
    for (const source of this.#sources) {
      const found = source?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Returns the rows of a table that are set somewhere. `rows`: names of rows, by their own names and aliases. */
  rowsSet(rows: ReadonlyMap<string, string>): ReadonlySet<string> {
    const set = new Set<string>();
    for (const source of this.#sources)
      for (const name of source?.keys() ?? []) {
        const row = rows.get(name);
        if (row !== undefined) set.add(row);
      }
    return set;
  }

  isSet(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /** Returns where an option is set; the section itself for an option that is not set. */
  placeOf(name: string): SourceLocation {
    return this.find(name)?.place ?? this.section.place;
  }

  /** Returns the places of all options that are set here or in a section that this falls back to. */
  places(): OptionPlaces {
    const places = new Map<string, SourceLocation>();
    for (const source of this.#sources.toReversed())
      for (const [name, { place }] of source ?? []) places.set(name, place);
    return places;
  }

  /**
   * Reports an error of an option.
   *
   * @param setAt - the option whose place is shown; null for the place of the section
   */
  error(option: string, reason: string, setAt: string | null = option): void {
    this.#problems.error(this.#placeAt(setAt), this.name, option, reason);
  }

  /** Reports a warning in the same way. */
  warn(option: string, reason: string, setAt: string | null = option): void {
    this.#problems.warn(this.#placeAt(setAt), this.name, option, reason);
  }

  /** Reports a note: a warning about something that the user may have meant. */
  note(option: string, reason: string): void {
    this.#problems.note(this.placeOf(option), this.name, option, reason);
  }

  #placeAt(option: string | null): SourceLocation {
    return option === null ? this.section.place : this.placeOf(option);
  }
}
