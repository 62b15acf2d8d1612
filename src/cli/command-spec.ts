/**
 * The form of a row in the table of commands. These follow from the rows: `--help`, `help COMMAND`, the completion of
 * shells, the rule for a command without `--`, the tables in the documents, the suggestions for misspelt words.
 */

/**
 * Kind of a command.
 *
 * - `client`: asks a running supervisor. Does not exist in the main process of a container, where the same word is a
 *   command to run.
 * - `frozen`: a program of its own, in every process. No row of this kind is ever added (manual/start.md).
 * - `tool`: a program of its own that asks no supervisor. Does not exist in the main process of a container.
 * - `shell`: makes sense within the shell of `onevisor ctl` only.
 */
export type CommandKind = 'client' | 'frozen' | 'tool' | 'shell';

/** Titles of the groups of commands, in the order of `--help`. */
export const groupTitles = {
  look: 'Look at programs',
  act: 'Start and stop programs',
  change: 'Apply a changed configuration',
  supervisor: 'The supervisor, and its client',
  prepare: 'Prepare images and configurations',
  learn: 'Help',
} as const;

/** Name of a group of commands. */
export type CommandGroup = keyof typeof groupTitles;

/**
 * Kind of an argument, for the completion of shells. `processes` and `groups` are names of the running supervisor, and
 * `conditions` are names of processes that may have a condition behind them: `web:ready`.
 */
export type ArgumentKind =
  | 'processes'
  | 'conditions'
  | 'groups'
  | 'stream'
  | 'signal'
  | 'action'
  | 'topic'
  | 'shell'
  | 'schema'
  | 'format'
  | 'file'
  | 'directory'
  | 'text';

/** An option of a command. */
export interface OptionSpec {
  /** The names, the shortest first, for example `-c` and `--configuration`. */
  readonly names: readonly string[];
  /** Name of the value in the help; missing for an option without a value. */
  readonly value?: string;
  readonly valueKind?: ArgumentKind;
  /** `=` if the value is only accepted in the same word, and may be left out. */
  readonly join?: '=';
  readonly help: string;
}

/** An example, as it can be typed, and its effect. */
export interface Example {
  readonly line: string;
  readonly effect: string;
}

/** A command. */
export interface CommandSpec {
  readonly name: string;
  readonly kind: CommandKind;
  readonly group: CommandGroup;
  /** One line for `--help`: a verb, at most 60 columns. */
  readonly summary: string;
  /** Forms of the command line after `onevisor `. */
  readonly usage: readonly string[];
  /** Kinds of the arguments; the last one repeats. Empty for none. */
  readonly takes: readonly ArgumentKind[];
  readonly options?: readonly OptionSpec[];
  /** Paragraphs. */
  readonly details?: readonly string[];
  readonly examples?: readonly Example[];
  /** Exit codes other than 0, with their meanings. */
  readonly exitCodes?: ReadonlyArray<readonly [code: number, meaning: string]>;
}
