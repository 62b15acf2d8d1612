/**
 * The question before something that cannot be undone. Asked in the shell only: a command line means what it says.
 */
import type { Session } from './session.ts';
import { CtlError } from './errors.ts';

/** Whether to go on: yes, where nobody is asked. */
export async function confirm(session: Session, question: string): Promise<boolean> {
  if (!session.isInteractive) return true;
  const answer = await session.lines.readLine(question, session.interrupt.signal);
  if (answer === null) throw new CtlError('EOFError', '');
  return answer.toLowerCase().startsWith('y');
}
