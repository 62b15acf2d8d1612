/**
 * One row of the tables in options.ts, and the types that follow from such rows. Owns no option itself.
 */
import type { DataType } from './datatype.ts';

/**
 * Names that a value can expand besides `ENV_x`. Each scope includes the scopes before it.
 *
 * - `raw`: the value is not expanded
 * - `bare`: none
 * - `here`: here
 * - `program`: program_name, group_name, host_node_name
 * - `process`: process_num, numprocs, and the program's own environment
 */
export type Scope = 'raw' | 'bare' | 'here' | 'program' | 'process';

/** One row of the table. */
export interface Option<T> {
  readonly type: DataType<T>;
  readonly default: T;
  /** The default in container mode, if it differs. */
  readonly containerDefault?: T;
  /** The default in words, if the value does not explain it. */
  readonly defaultText?: string;
  readonly scope: Scope;
  /** compat: Supervisor expands some values twice. */
  readonly isExpandedTwice: boolean;
  /** One sentence for the reference and the sample. */
  readonly doc: string;
  /** True for an option that Supervisor does not have. */
  readonly isAddition: boolean;
  readonly isRequired: boolean;
  /** True if a change is applied to a running process. Changes of other options need a restart. */
  readonly isLive: boolean;
  /** True for a value that is shown as `***`. */
  readonly isSecret: boolean;
  /** Other names of the same option. */
  readonly aliases: readonly string[];
  /** A value for the sample configuration. */
  readonly sample?: string;
}

/** The options of one section, by name. */
export type Table = Readonly<Record<string, Option<unknown>>>;

/** The values of the options of a table, by name. */
export type Values<T extends Record<string, Option<never> | Option<unknown>>> = {
  readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never;
};

type Extra<T> = Partial<Omit<Option<T>, 'type' | 'default' | 'doc'>>;

const PLAIN = {
  isExpandedTwice: false,
  isAddition: false,
  isRequired: false,
  isLive: false,
  isSecret: false,
  aliases: [],
} as const;

interface Rows {
  /** Makes a row whose value is never null. */
  option<T>(type: DataType<T>, fallback: NoInfer<T>, doc: string, extra?: Extra<NoInfer<T>>): Option<T>;
  /** Makes a row whose value is null if nothing is set, unless it has a `default`. */
  optional<T>(
    type: DataType<T>,
    doc: string,
    extra?: Extra<NoInfer<T> | null> & { readonly default?: NoInfer<T> },
  ): Option<T | null>;
}

/** Returns the functions that make the rows of options with this scope. */
export function rowsOf(scope: Scope): Rows {
  return {
    option: (type, fallback, doc, extra) => ({ ...PLAIN, scope, type, default: fallback, doc, ...extra }),
    optional: (type, doc, extra) => ({ ...PLAIN, scope, type, default: null, doc, ...extra }),
  };
}

/** Returns the default of an option in this mode. */
export function defaultOf<T>({ default: usual, containerDefault }: Option<T>, isContainer: boolean): T {
  return isContainer && containerDefault !== undefined ? containerDefault : usual;
}
