/**
 * Runs one typed line: finds the command and runs it. Every error but Ctrl-C becomes a printed line and an exit code
 * here.
 */
import { nearestName } from '../config/nearest.ts';
import type { Command } from './command.ts';
import { CtlError, HttpStatusError, InterruptError } from './errors.ts';
import { ExitCode } from './exit-codes.ts';
import { splitNames } from './names.ts';
import { findUnknownOption } from './own-words.ts';
import type { Session } from './session.ts';

const UNAUTHORIZED = 401;

/**
 * Splits a line into the name of the command and its arguments, as Python's cmd module does. A name has letters, digits
 * and `_`. A command of `commands` may also have `-` in its name.
 */
export function parseLine(
  line: string,
  commands: ReadonlyMap<string, unknown> = new Map(),
): { name: string; argument: string } {
  const text = line.trim().replace(/^\?/, 'help ');
  const [first = ''] = /^\S*/.exec(text) ?? [];
  const name = commands.has(first) ? first : (/^\w*/.exec(text)?.[0] ?? '');
  return { name, argument: text.slice(name.length).trim() };
}

/**
 * Runs a line. `words`: the words that the line was made of, if it was several. Returns true to end the shell. Ctrl-C
 * ends the command; only then this throws, an {@link InterruptError}.
 */
export async function runLine(
  session: Session,
  commands: ReadonlyMap<string, Command>,
  line: string,
  words: readonly string[] = [],
): Promise<boolean> {
  const text = line.trim();
  if (text === '') return false;
  const { name, argument } = parseLine(text, commands);
  const command = commands.get(name);
  if (command === undefined) {
    session.fail(`*** Unknown syntax: ${text}`);
    if (session.isForPeople) showNearest(session, name, [...commands.keys()]);
    return false;
  }
  const isHelpAsked = session.isForPeople && (argument === '-h' || argument === '--help');
  if (isHelpAsked) return runLine(session, commands, `help ${name}`);
  // compat: elsewhere such a word is a name, as for Supervisor's client.
  const others = words.length > 1 ? words.slice(1) : splitNames(argument);
  const unknownOption = session.hasOwnViews ? findUnknownOption(name, others) : null;
  if (unknownOption !== null) {
    session.fail(unknownOption, ExitCode.INVALID_ARGS);
    return false;
  }
  session.shownHints.clear();
  const interrupt = new AbortController();
  session.interrupt = interrupt;
  const unsubscribe = session.io.onInterrupt(() => interrupt.abort());
  try {
    return await runCommand(session, command, argument, words.length > 1 ? words.slice(1) : null);
  } finally {
    unsubscribe();
  }
}

/** Prints the command that a misspelt word was probably meant to be. */
function showNearest(session: Session, name: string, known: readonly string[]): void {
  const nearest = nearestName(name, known);
  if (nearest !== null) session.output(`did you mean ${nearest}?`);
}

async function runCommand(
  session: Session,
  command: Command,
  argument: string,
  words: readonly string[] | null,
): Promise<boolean> {
  for (;;) {
    try {
      return await command.run(session, argument, words);
    } catch (error) {
      if (error instanceof InterruptError) throw error;
      if (error instanceof HttpStatusError && error.status === UNAUTHORIZED) {
        if (!session.isForPeople || session.isInteractive) session.output('Server requires authentication');
        if (session.isInteractive) {
          if (await askForPassword(session)) continue;
          session.failWith(new CtlError('EOFError', ''));
          return false;
        }
      }
      session.failWith(error);
      return false;
    }
  }
}

/** Asks for the user name and the password. Returns false at the end of the input. */
async function askForPassword(session: Session): Promise<boolean> {
  const { signal } = session.interrupt;
  const username = await session.readLine('Username:', signal);
  const password = username === null ? null : await (await session.lines()).readSecret('Password:', signal);
  if (username === null || password === null) return false;
  session.output('');
  session.endpoint = { ...session.endpoint, username, password };
  return true;
}
