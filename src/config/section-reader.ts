/**
 * Reads a section as written into the values of its options, by their table: expands, converts, fills in defaults,
 * collects problems. Knows tables, not what sections mean. Pure.
 */
import { type Context, UnclosedValue, WrongValue } from './datatype.ts';
import { text } from './datatypes.ts';
import type { RawOption, RawSection } from './dialect.ts';
import { ExpansionError, expandPieces, expandTwice, hasNamelessConversion, joinPieces, type Piece } from './expand.ts';
import type { Names } from './expand.ts';
import type { NameSpace, Subject } from './names.ts';
import { formatSuggestion } from './nearest.ts';
import { defaultOf, type Option, rowsOf, type Table, type Values } from './option.ts';
import { sectionKinds } from './options.ts';
import type { Problems } from './problems.ts';
import { type OptionSource, SectionView } from './section-view.ts';
import { findSynonym } from './suggestions.ts';

/** Returns the option that is set under the name of a row or under one of its aliases. */
function findOption(view: SectionView, name: string, option: Option<unknown>): RawOption | undefined {
  for (const known of [name, ...option.aliases]) {
    const found = view.find(known);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Facts about a table, made once for all the sections that are read by it. */
interface TablePlan {
  /** Names of the rows, by their own names and their aliases. */
  readonly rows: ReadonlyMap<string, string>;
  /** Places of the rows in the table. */
  readonly order: ReadonlyMap<string, number>;
  readonly required: readonly string[];
  readonly defaults: Readonly<Record<string, unknown>>;
}

function makePlan(table: Table, isContainer: boolean): TablePlan {
  const entries = Object.entries(table);
  return {
    rows: new Map(entries.flatMap(([name, { aliases }]) => [name, ...aliases].map((own) => [own, name] as const))),
    order: new Map(entries.map(([name], index) => [name, index])),
    required: entries.filter(([, { isRequired }]) => isRequired).map(([name]) => name),
    defaults: Object.fromEntries(entries.map(([name, option]) => [name, defaultOf(option, isContainer)])),
  };
}

/** Names the section that has an unknown option, or the option that was probably meant. */
function explainUnknown(section: string, name: string, known: readonly string[]): string {
  const synonym = findSynonym(section, name);
  if (synonym !== null) return synonym;
  const home = sectionKinds.find(
    ({ tables, title }) => title !== 'program-default' && tables.some((table) => Object.hasOwn(table, name)),
  );
  return home === undefined ? formatSuggestion(name, known) : `; [${home.title}] has it`;
}

/** Explains a value with a comment mark that begins no comment, because there is no space before it. */
function hintAtComment(value: string): string {
  const mark = /\S([;#])/.exec(value)?.[1];
  return mark === undefined ? '' : `; a comment needs a space before its "${mark}"`;
}

/**
 * Explains a value that ends too early, because the text after it is a comment. `wayOut`: another way to write the
 * value.
 */
export function hintAtCut({ comment }: RawOption, wayOut: string): string {
  const mark = comment?.charAt(0) ?? '';
  if (mark === '') return '';
  const other = wayOut === '' ? '' : `, or ${wayOut}`;
  return `; the text after " ${mark}" is a comment: write it without a space before "${mark}"${other}`;
}

const NAMELESS_CONVERSION =
  'a "%" and a letter without a name in parentheses expands to all names at once, as in Supervisor; ' +
  'a percent sign is written %%';

const PLUGIN_OPTION = rowsOf('bare').option(text, '', 'An option of a plug-in.');

/** An option that is set, with its row and the section it is in. */
interface OptionEntry<T> {
  readonly view: SectionView;
  readonly name: string;
  readonly option: Option<T>;
  readonly raw: RawOption;
}

/** Returns the names that an option in a file in the directory `here` can use. */
type FindNames = (option: Option<unknown>, here: string) => Names;

/**
 * Most characters in the values of all processes together. Every process reads the values of its program anew, so
 * `numprocs` and expansions multiply them; a supervisor that reads for minutes obeys no signal meanwhile.
 */
const MAX_CHARACTERS = 16 * 1024 * 1024;

/** Reads sections of one configuration. */
export class SectionReader {
  /** Number of characters that were read so far. */
  #characters = 0;
  #isExcessReported = false;
  /** Values of options that are the same for every process, without remarks. Reads them once, whatever numprocs is. */
  readonly #constants = new WeakMap<RawOption, Map<Option<unknown>, unknown>>();
  readonly #plans = new WeakMap<Table, TablePlan>();
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

  /** Returns a section with the sections that its options fall back to. */
  open(section: RawSection, fallbacks: readonly OptionSource[]): SectionView {
    return new SectionView(section, this.#problems, [section.options, ...fallbacks]);
  }

  /**
   * Returns the values of all options of a table. A wrong value becomes a problem and is replaced by the default.
   *
   * @param subject - the program whose names can be expanded; null if the section belongs to no program
   * @param lenient - options that the table requires, but this section does not
   */
  read<T extends Table>(
    view: SectionView,
    table: T,
    subject: Subject | null,
    lenient: readonly string[] = [],
  ): Values<T> {
    const findNames = this.#cacheNames(subject);
    const plan = this.#planOf(table);
    const values: Record<string, unknown> = { ...plan.defaults };
    // Of over a hundred rows, few are set.
    const set = view.rowsSet(plan.rows);
    const missing = plan.required.filter((name) => !set.has(name) && !lenient.includes(name));
    const met = [...set, ...missing].sort((one, other) => (plan.order.get(one) ?? 0) - (plan.order.get(other) ?? 0));
    for (const name of met) {
      const option = table[name];
      if (option === undefined) continue;
      const raw = findOption(view, name, option);
      if (raw === undefined) reportMissing(view, name, option);
      else values[name] = this.#readOption({ view, name, option, raw }, findNames);
    }
    return values as Values<T>;
  }

  #planOf(table: Table): TablePlan {
    const known = this.#plans.get(table);
    if (known !== undefined) return known;
    const plan = makePlan(table, this.#isContainer);
    this.#plans.set(table, plan);
    return plan;
  }

  /** Returns a function that makes the names of each scope only once. */
  #cacheNames(subject: Subject | null): FindNames {
    const cache = new Map<string, Names>();
    return ({ scope }, here) => {
      const key = `${scope}\n${here}`;
      const names = cache.get(key) ?? this.names.of(scope, here, subject);
      cache.set(key, names);
      return names;
    };
  }

  #readOption<T>(entry: OptionEntry<T>, findNames: FindNames): T {
    const { view, name, option, raw } = entry;
    const { type } = option;
    const constants = this.#constants.get(raw);
    if (constants?.has(option) === true) {
      this.#characters += raw.value.length;
      return constants.get(option) as T;
    }
    const report = (reason: string): void => this.#problems.error(raw.place, view.name, name, reason);
    try {
      const pieces = this.#expand(entry, findNames);
      for (const { text } of pieces) this.#characters += text.length;
      const remarks = type.remarks?.(pieces, (variable) => this.names.hasVariable(variable)) ?? [];
      for (const remark of remarks) this.#problems.warn(raw.place, view.name, name, remark);
      const value =
        type.parsePieces === undefined ? type.parse(joinPieces(pieces), this.#context) : type.parsePieces(pieces);
      if (isConstant(raw, option) && remarks.length === 0)
        this.#constants.set(raw, new Map([...(constants ?? []), [option, value]]));
      return value;
    } catch (error) {
      if (error instanceof ExpansionError) report(`cannot expand the value: ${error.message}`);
      else if (error instanceof UnclosedValue) report(error.message + hintAtCut(raw, error.wayOut));
      else if (error instanceof WrongValue)
        report(error.message + (type.hasSemicolons === true ? '' : hintAtComment(raw.value)));
      else throw error;
      return defaultOf(option, this.#isContainer);
    }
  }

  #expand({ view, name, option, raw }: OptionEntry<unknown>, findNames: FindNames): Piece[] {
    const { value } = raw;
    if (isConstant(raw, option)) return [{ text: value, isValue: false }];
    const names = findNames(option, raw.here);
    const pieces = option.isExpandedTwice ? expandTwice(value, names) : expandPieces(value, names);
    if (hasNamelessConversion(value)) this.#problems.warn(raw.place, view.name, name, NAMELESS_CONVERSION);
    return pieces;
  }

  /** False if all values together are too long to read another process. Reports this once, for the section `view`. */
  canReadMore(view: SectionView): boolean {
    if (this.#characters <= MAX_CHARACTERS) return true;
    if (!this.#isExcessReported)
      view.error(
        view.isSet('numprocs') ? 'numprocs' : 'command',
        `the values of all processes together are longer than ${MAX_CHARACTERS / (1024 * 1024)} million characters; ` +
          'lower numprocs, or put long values into a file that the program reads',
      );
    this.#isExcessReported = true;
    return false;
  }

  /** Returns the text of an option that is in no table, as those of a plug-in; empty if it is not set. */
  readText(view: SectionView, name: string): string {
    const raw = view.find(name);
    if (raw === undefined) return PLUGIN_OPTION.default;
    return this.#readOption({ view, name, option: PLUGIN_OPTION, raw }, this.#cacheNames(null));
  }

  /** Warns of options that no table has; Supervisor ignores them. `foreign`: names that a plug-in reads. */
  warnUnknown(section: RawSection, tables: readonly Table[], foreign: readonly string[] = []): void {
    for (const [name, { place }] of section.options) {
      if (tables.some((table) => this.#planOf(table).rows.has(name)) || foreign.includes(name)) continue;
      const known = [...tables.flatMap((table) => [...this.#planOf(table).rows.keys()]), ...foreign];
      const hint = explainUnknown(section.name, name, known);
      this.#problems.warn(place, section.name, name, `there is no such option here, it is ignored${hint}`);
    }
  }
}

/** True if the value is not expanded. */
function isConstant({ literal, value }: RawOption, { scope }: Option<unknown>): boolean {
  return literal || scope === 'raw' || !value.includes('%');
}

function reportMissing(view: SectionView, name: string, { sample }: Option<unknown>): void {
  view.error(name, `is missing; add it${sample === undefined ? '' : `, for example ${name}=${sample}`}`);
}
