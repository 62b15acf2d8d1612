/**
 * One line as it is typed: finds the command and runs it. Every error ends here as a line and an exit code, but for
 * Ctrl-C.
 */
import type { Command } from './command.ts';
import { CtlError, formatError, HttpStatusError, InterruptError } from './errors.ts';
import type { Session } from './session.ts';

const UNAUTHORIZED = 401;

/**
 * A line split into the command's name and the rest, as Python's cmd module does: a name is letters, digits and `_`.
 */
export function parseLine(line: string): { name: string; argument: string } {
  const text = line.trim().replace(/^\?/, 'help ');
  const name = /^\w*/.exec(text)?.[0] ?? '';
  return { name, argument: text.slice(name.length).trim() };
}

/**
 * Runs a line; true ends the shell. While it runs, Ctrl-C ends it. Throws {@link InterruptError} then, and nothing
 * else.
 */
export async function runLine(
  session: Session,
  commands: ReadonlyMap<string, Command>,
  line: string,
): Promise<boolean> {
  const text = line.trim();
  if (text === '') return false;
  const { name, argument } = parseLine(text);
  const command = commands.get(name);
  if (command === undefined) {
    session.fail(`*** Unknown syntax: ${text}`);
    return false;
  }
  const interrupt = new AbortController();
  session.interrupt = interrupt;
  const unsubscribe = session.io.onInterrupt(() => interrupt.abort());
  try {
    return await runCommand(session, command, argument);
  } finally {
    unsubscribe();
  }
}

async function runCommand(session: Session, command: Command, argument: string): Promise<boolean> {
  for (;;) {
    try {
      return await command.run(session, argument);
    } catch (error) {
      if (error instanceof InterruptError) throw error;
      if (error instanceof HttpStatusError && error.status === UNAUTHORIZED) {
        session.output('Server requires authentication');
        if (session.isInteractive) {
          if (await askForPassword(session)) continue;
          session.fail(formatError(new CtlError('EOFError', '')));
          return false;
        }
      }
      session.fail(formatError(error));
      return false;
    }
  }
}

/** Asks for user name and password; false where the input is at its end. */
async function askForPassword(session: Session): Promise<boolean> {
  const { signal } = session.interrupt;
  const username = await session.lines.readLine('Username:', signal);
  const password = username === null ? null : await session.lines.readSecret('Password:', signal);
  if (username === null || password === null) return false;
  session.output('');
  session.endpoint = { ...session.endpoint, username, password };
  return true;
}
