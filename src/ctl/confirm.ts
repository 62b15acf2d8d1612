/**
 * The question before an action that cannot be undone. Only the shell asks; a command line is not interactive.
 */
import type { Session } from './session.ts';
import { CtlError } from './errors.ts';

/** Asks the question in the shell. Returns true to continue, and always true outside the shell. */
export async function confirm(session: Session, question: string): Promise<boolean> {
  if (!session.isInteractive) return true;
  const answer = await session.readLine(question, session.interrupt.signal);
  if (answer === null) throw new CtlError('EOFError', '');
  return answer.toLowerCase().startsWith('y');
}
