/**
 * The `command` of a program, split into words. An unusable command is a warning here and an error at the start, as in
 * Supervisor. Pure.
 */
import { CommandLineError, splitCommandLine } from '../core/command-line.ts';
import { USE_SCRIPT } from './command-type.ts';
import type { ProcessConfig } from './model.ts';
import { formatPythonString } from './python-text.ts';
import { hintAtCut } from './section-reader.ts';
import type { SectionView } from './section-view.ts';

/** Reason why a program without a command cannot be started. */
export const EMPTY_COMMAND = 'command is empty';

/**
 * Splits a command into words.
 * compat: Supervisor finds out at the start that a command cannot be split. A warning reports it already here.
 */
export function splitStartCommand(view: SectionView, command: string): Pick<ProcessConfig, 'argv' | 'commandError'> {
  const raw = view.find('command');
  try {
    const argv = splitCommandLine(command);
    if (argv.length > 0) return { argv, commandError: null };
    if (raw !== undefined) view.warn('command', 'is empty, so the program cannot be started');
    return { argv, commandError: EMPTY_COMMAND };
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    const hint = raw === undefined ? '' : hintAtCut(raw, USE_SCRIPT);
    view.warn('command', `cannot be split into words, so the program cannot be started: ${error.message}${hint}`);
    return { argv: [], commandError: `can't parse command ${formatPythonString(command)}: ${error.message}` };
  }
}
