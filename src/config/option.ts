/**
 * What one option of a section is: the row of the table in options.ts, and the types that follow from such rows.
 * Owns no option itself.
 */
import type { DataType } from './datatype.ts';

/**
 * Which names a value may expand besides `ENV_x`; each scope has those before it, but `socket`. `bare`: none; `here`:
 * here; `program`: program_name, group_name, host_node_name; `process`: process_num, numprocs and the program's own
 * environment; `socket`: here and program_name; `raw`: the value is not expanded.
 */
export type Scope = 'raw' | 'bare' | 'here' | 'socket' | 'program' | 'process';

/** One row of the table. */
export interface Option<T> {
  readonly type: DataType<T>;
  readonly default: T;
  /** The default in container mode, where it is another one. */
  readonly containerDefault?: T;
  /** The default in words, where the value does not say it. */
  readonly defaultText?: string;
  readonly scope: Scope;
  /** compat: Supervisor expands some values twice. */
  readonly isExpandedTwice: boolean;
  /** One sentence for the reference and the sample. */
  readonly doc: string;
  /** An addition of ours; Supervisor ignores it. */
  readonly isAddition: boolean;
  readonly isRequired: boolean;
  /** A change is applied to a running process; any other needs a restart. */
  readonly isLive: boolean;
  /** Shown as `***`. */
  readonly isSecret: boolean;
  /** Further names of the same option. */
  readonly aliases: readonly string[];
  /** A value for the sample configuration. */
  readonly sample?: string;
}

/** The options of one section, by name. */
export type Table = Readonly<Record<string, Option<unknown>>>;

/** The values that the options of a table have, by name. */
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
  /** A row whose value is never null. */
  option<T>(type: DataType<T>, fallback: NoInfer<T>, doc: string, extra?: Extra<NoInfer<T>>): Option<T>;
  /** A row whose value is null where nothing is set, unless `default` says otherwise. */
  optional<T>(
    type: DataType<T>,
    doc: string,
    extra?: Extra<NoInfer<T> | null> & { readonly default?: NoInfer<T> },
  ): Option<T | null>;
}

/** The functions that make the rows of options with this scope. */
export function rowsOf(scope: Scope): Rows {
  return {
    option: (type, fallback, doc, extra) => ({ ...PLAIN, scope, type, default: fallback, doc, ...extra }),
    optional: (type, doc, extra) => ({ ...PLAIN, scope, type, default: null, doc, ...extra }),
  };
}
