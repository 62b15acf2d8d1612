/**
 * The `command` of a program, split into words. An unusable command is a warning here and an error at the start, as in
 * Supervisor. Pure.
 */
import { CommandLineError, splitCommandLine } from '../core/command-line.ts';
import { showText } from '../core/shown-text.ts';
import { USE_SCRIPT } from './command-type.ts';
import type { RawOption } from './dialect.ts';
import type { ProcessConfig } from './model.ts';
import { formatPythonString } from './python-text.ts';
import { hintAtCut } from './section-reader.ts';
import type { SectionView } from './section-view.ts';

/** Reason why a program without a command cannot be started. */
export const EMPTY_COMMAND = 'command is empty';

/** Number of characters after the position that a message repeats. */
const SHOWN_AFTER = 20;

/** Names the quote without a partner, in the text as written: an expanded value may hold a secret. */
function hintAtPosition({ value }: RawOption): string {
  try {
    splitCommandLine(value);
    return '; the quote comes from the value of a variable';
  } catch (error) {
    if (!(error instanceof CommandLineError)) throw error;
    const { position } = error;
    const mark = value.charAt(position);
    if (mark === '\\') return '; remove the backslash at its end';
    const after = showText(value.slice(position + 1).split('\n')[0] ?? '', SHOWN_AFTER);
    const found = after === '' ? 'at its end' : `before "${after}"`;
    return `; the ${mark} ${found} (character ${position + 1}) has no partner: close it, or write \\${mark}`;
  }
}

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
    const hint = raw === undefined ? '' : hintAtCut(raw, USE_SCRIPT) || hintAtPosition(raw);
    view.warn('command', `cannot be split into words, so the program cannot be started: ${error.message}${hint}`);
    return { argv: [], commandError: `can't parse command ${formatPythonString(command)}: ${error.message}` };
  }
}
