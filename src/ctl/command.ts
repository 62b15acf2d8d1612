/**
 * The form of a command of the client, and the one wrapper that checks the connection and the arguments of most
 * commands.
 */
import { splitNames } from './names.ts';
import type { Session } from './session.ts';
import { runWithLimit } from './time-limit.ts';

/** A command of the client. */
export interface Command {
  readonly name: string;
  /** Lines of `help NAME`. */
  readonly help: readonly string[];
  /**
   * Runs the command; returns true to end the shell. The dispatcher shows errors that this throws. `words`: the words
   * of `argument` as the system's shell has split them, null for a line that was typed here.
   */
  run(session: Session, argument: string, words: readonly string[] | null): Promise<boolean>;
}

/** A problem with the arguments of a command. */
export class ArgumentError extends Error {
  /** True if the help of the command follows the message. */
  readonly isHelpShown: boolean;
  readonly exitCode: number | undefined;

  constructor(message: string, options: { readonly isHelpShown: boolean; readonly exitCode?: number }) {
    super(message);
    this.name = 'ArgumentError';
    this.isHelpShown = options.isHelpShown;
    this.exitCode = options.exitCode;
  }
}

/** The parts of a command whose arguments are words. `T` is the type of its arguments. */
export interface CommandParts<T> {
  readonly name: string;
  readonly help: readonly string[];
  /**
   * When to test the connection ({@link Session.upcheck}). compat: with two errors at once, this decides which one
   * Supervisor's client shows.
   */
  readonly upcheck: 'before arguments' | 'after arguments' | 'never';
  /**
   * Exit code if no supervisor answers. compat: without this there are two, as in Supervisor's client: 4, and 7 for a
   * missing socket.
   */
  readonly exitCodeAlone?: number;
  /**
   * Splits the text after the name of the command. compat: without this at whitespace, as Supervisor's client does.
   * With this, words of a command line stay as they are.
   */
  readonly split?: (argument: string) => readonly string[];
  /**
   * Reads the words after the name of the command. Words from `namesFrom` on stood behind `--`, so none of them is an
   * option. Throws {@link ArgumentError}.
   */
  readonly parse: (words: readonly string[], namesFrom: number) => T;
  /** Longest time of the command in milliseconds, with the test of the connection; null for no limit. */
  readonly limitMs?: (args: T) => number | null;
  readonly run: (session: Session, args: T) => Promise<void>;
}

/** The words of a command, and the number of those before `--`. */
interface SplitWords {
  readonly words: readonly string[];
  readonly namesFrom: number;
}

function allWords(words: readonly string[]): SplitWords {
  return { words, namesFrom: words.length };
}

/** Removes the first `--`, which ends the options. */
function endOptions(words: readonly string[]): SplitWords {
  const at = words.indexOf('--');
  return at === -1 ? allWords(words) : { words: words.toSpliced(at, 1), namesFrom: at };
}

/** The arguments of a command, or the error in them. */
type ReadArguments<T> =
  { readonly kind: 'read'; readonly value: T } | { readonly kind: 'wrong'; readonly error: ArgumentError };

/** Makes a command that never ends the shell. */
export function defineCommand<T>(parts: CommandParts<T>): Command {
  const { name, help, upcheck, exitCodeAlone, split, parse, limitMs, run } = parts;
  const isUp = async (session: Session): Promise<boolean> => {
    if (await session.upcheck()) return true;
    session.exitCode = exitCodeAlone ?? session.exitCode;
    return false;
  };
  const splitWords = (argument: string, words: readonly string[] | null): readonly string[] =>
    split === undefined ? splitNames(argument) : (words ?? split(argument));
  // An error is shown after the test of the connection, but the test has the time limit that the arguments tell.
  const read = (given: readonly string[], isOwnName: boolean): ReadArguments<T> => {
    // compat: for Supervisor's client, `--` is the name of a process. A command that splits its words reads it itself.
    const { words, namesFrom } = isOwnName && split === undefined ? endOptions(given) : allWords(given);
    try {
      return { kind: 'read', value: parse(words, namesFrom) };
    } catch (error) {
      if (!(error instanceof ArgumentError)) throw error;
      return { kind: 'wrong', error };
    }
  };
  return {
    name,
    help,
    async run(session, argument, words) {
      const args = read(splitWords(argument, words), session.io.isOwnName === true);
      const limit = args.kind === 'read' ? (limitMs?.(args.value) ?? null) : null;
      await runWithLimit(session, limit, async () => {
        if (upcheck === 'before arguments' && !(await isUp(session))) return;
        if (args.kind === 'wrong') {
          session.fail(args.error.message, args.error.exitCode);
          if (args.error.isHelpShown) session.outputAll(help);
          return;
        }
        if (upcheck === 'after arguments' && !(await isUp(session))) return;
        await run(session, args.value);
      });
      return false;
    },
  };
}

/** A parser for a command without arguments. */
export function parseNothing(name: string): (words: readonly string[]) => void {
  return (words) => {
    if (words.length > 0) throw new ArgumentError(`Error: ${name} accepts no arguments`, { isHelpShown: true });
  };
}

/** Returns the names; throws {@link ArgumentError} if there are none. */
export function requireNames(command: string, names: readonly string[], exitCode?: number): readonly string[] {
  if (names.length > 0) return names;
  throw new ArgumentError(`Error: ${command} requires a process name`, {
    isHelpShown: true,
    ...(exitCode === undefined ? {} : { exitCode }),
  });
}
