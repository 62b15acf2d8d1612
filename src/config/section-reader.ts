/**
 * From a section as written to the values of its options, by the table: expands, converts, fills in defaults, collects
 * problems. Knows tables, not what sections mean. Pure.
 */
import { type Context, UnclosedValue, WrongValue } from './datatype.ts';
import { text } from './datatypes.ts';
import type { RawOption, RawSection } from './dialect.ts';
import { ExpansionError, expandPieces, expandTwice, hasNamelessConversion, joinPieces, type Piece } from './expand.ts';
import type { NameSpace, Subject } from './names.ts';
import { formatSuggestion } from './nearest.ts';
import { type Option, rowsOf, type Table, type Values } from './option.ts';
import { sectionKinds } from './options.ts';
import { findSynonym } from './suggestions.ts';
import type { Problems } from './problems.ts';

/** Finds an option as written: in the section itself, or where it falls back to. */
export type Lookup = (name: string) => RawOption | undefined;

/** A lookup that tries several places, the first one first. */
export function chainLookup(...places: ReadonlyArray<ReadonlyMap<string, RawOption> | undefined>): Lookup {
  return (name) => {
    for (const place of places) {
      const found = place?.get(name);
      if (found !== undefined) return found;
    }
    return undefined;
  };
}

/** The option that a lookup has under the name of a row or one of its further names. */
export function findOption(lookup: Lookup, name: string, option: Option<unknown>): RawOption | undefined {
  for (const known of [name, ...option.aliases]) {
    const found = lookup(known);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where an unknown option would be known, or what it was probably meant to be. */
function explainUnknown(section: string, name: string, known: readonly string[]): string {
  const synonym = findSynonym(section, name);
  if (synonym !== null) return synonym;
  const home = sectionKinds.find(
    ({ tables, title }) => title !== 'program-default' && tables.some((table) => Object.hasOwn(table, name)),
  );
  return home === undefined ? formatSuggestion(name, known) : `; it is one of [${home.title}]`;
}

/** What looks like a comment without the space that makes it one. */
function hintAtComment(value: string): string {
  const mark = /\S([;#])/.exec(value)?.[1];
  return mark === undefined ? '' : `; a comment needs a space before its "${mark}"`;
}

/** Where the end of a value may have gone. */
export function hintAtCut({ cutAt }: RawOption, wayOut: string): string {
  return cutAt === undefined
    ? ''
    : `; what follows " ${cutAt}" is a comment: write it without a space before "${cutAt}"${wayOut === '' ? '' : `, or ${wayOut}`}`;
}

const plainText = rowsOf('bare').option(text, '', 'An option of a plug-in.');

/** Reads sections of one configuration. */
export class SectionReader {
  readonly #problems: Problems;
  readonly #context: Context;
  readonly #isContainer: boolean;
  readonly names: NameSpace;

  constructor(problems: Problems, context: Context, isContainer: boolean, names: NameSpace) {
    this.#problems = problems;
    this.#context = context;
    this.#isContainer = isContainer;
    this.names = names;
  }

  /**
   * The values of all options of a table. What is wrong becomes a problem, and the default stands in for it.
   *
   * @param lenient - options that are required by the table and not here
   */
  read<T extends Table>(
    section: RawSection,
    table: T,
    lookup: Lookup,
    subject: Subject | null,
    lenient: readonly string[] = [],
  ): Values<T> {
    const cache = new Map<string, ReturnType<NameSpace['of']>>();
    const namesOf = (option: Option<unknown>, here: string): ReturnType<NameSpace['of']> => {
      const key = `${option.scope}\n${here}`;
      const known = cache.get(key) ?? this.names.of(option.scope, here, subject);
      cache.set(key, known);
      return known;
    };
    const values: Record<string, unknown> = {};
    for (const [name, option] of Object.entries(table)) {
      const raw = findOption(lookup, name, option);
      if (raw === undefined && option.isRequired && !lenient.includes(name)) {
        const sample = option.sample === undefined ? '' : `, as ${name}=${option.sample}`;
        this.#problems.error(section.place, section.name, name, `is missing; add it${sample}`);
      }
      values[name] = this.#readOption(section.name, name, option, raw, (here) => namesOf(option, here));
    }
    return values as Values<T>;
  }

  #readOption<T>(
    section: string,
    name: string,
    option: Option<T>,
    raw: RawOption | undefined,
    namesOf: (here: string) => ReturnType<NameSpace['of']>,
  ): T {
    const fallback =
      this.#isContainer && option.containerDefault !== undefined ? option.containerDefault : option.default;
    if (raw === undefined) return fallback;
    try {
      const pieces = this.#expand(section, name, option, raw, namesOf);
      for (const remark of option.type.remarks?.(pieces, (variable) => this.names.hasVariable(variable)) ?? [])
        this.#problems.warn(raw.place, section, name, remark);
      return option.type.parsePieces === undefined
        ? option.type.parse(joinPieces(pieces), this.#context)
        : option.type.parsePieces(pieces);
    } catch (error) {
      if (error instanceof ExpansionError)
        this.#problems.error(raw.place, section, name, `cannot expand the value: ${error.message}`);
      else if (error instanceof UnclosedValue)
        this.#problems.error(raw.place, section, name, error.message + hintAtCut(raw, error.wayOut));
      else if (error instanceof WrongValue)
        this.#problems.error(raw.place, section, name, error.message + hintAtComment(raw.value));
      else throw error;
      return fallback;
    }
  }

  #expand(
    section: string,
    name: string,
    option: Option<unknown>,
    raw: RawOption,
    namesOf: (here: string) => ReturnType<NameSpace['of']>,
  ): Piece[] {
    if (raw.literal || option.scope === 'raw' || !raw.value.includes('%')) return [{ text: raw.value, isValue: false }];
    const names = namesOf(raw.here);
    const pieces = option.isExpandedTwice ? expandTwice(raw.value, names) : expandPieces(raw.value, names);
    if (hasNamelessConversion(raw.value))
      this.#problems.warn(
        raw.place,
        section,
        name,
        'a "%" and a letter without a name in parentheses stands for all names at once, as in Supervisor; a percent sign is written %%',
      );
    return pieces;
  }

  /** Adds a warning about what was read. */
  warn(place: RawOption['place'], section: string, option: string, reason: string): void {
    this.#problems.warn(place, section, option, reason);
  }

  /** The text of an option that is in no table, as those of a plug-in. */
  readText(section: RawSection, name: string, raw: RawOption | undefined): string {
    return this.#readOption(section.name, name, plainText, raw, (here) => this.names.of(plainText.scope, here, null));
  }

  /** Warns of options that none of the tables has, which Supervisor ignores. `foreign`: names that a plug-in reads. */
  warnUnknown(section: RawSection, tables: readonly Table[], foreign: readonly string[] = []): void {
    const own = tables.flatMap((table) => Object.entries(table).flatMap(([name, option]) => [name, ...option.aliases]));
    const known = [...own, ...foreign];
    for (const [name, { place }] of section.options) {
      if (!known.includes(name))
        this.#problems.warn(
          place,
          section.name,
          name,
          `there is no such option here, it is ignored${explainUnknown(section.name, name, known)}`,
        );
    }
  }
}
