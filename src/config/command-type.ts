/**
 * Type of options that hold a command line, which hooks and health checks do. Pure.
 */
import { CommandLineError, splitCommandLine } from '../core/command-line.ts';
import { dataType, reject, UnclosedValue } from './datatype.ts';

/** Way out for a command that is too long or too complicated for a line of the file. */
export const USE_SCRIPT = 'put the commands into a script';

/** Turns the error of a command that cannot be split into an error of its option. */
export function refuseUnsplit(error: CommandLineError): never {
  throw new UnclosedValue(
    `cannot be split into words: ${error.message}; close the quote, or write it as \\"`,
    USE_SCRIPT,
  );
}

/**
 * The command of a hook. A hook that cannot be split is an error, because it would always fail. (Supervisor accepts any
 * `command` of a program, so that one is only a warning.)
 */
export const hookCommand = dataType('command', (value) =>
  splitOrRefuse(value).length === 0 ? reject(value, 'a command') : value,
);

function splitOrRefuse(value: string): string[] {
  try {
    return splitCommandLine(value);
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    return refuseUnsplit(error);
  }
}
