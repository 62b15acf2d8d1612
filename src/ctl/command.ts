/**
 * What a command of the client is. Owns types only.
 */
import type { Session } from './session.ts';

/** A command: its name, what `help` says of it, what it does with the rest of its line. */
export interface Command {
  readonly name: string;
  /** Lines of `help NAME`. */
  readonly help: readonly string[];
  /** Does the work; true ends the shell. Errors that it does not expect are thrown, and shown by the dispatcher. */
  run(session: Session, argument: string): Promise<boolean>;
}
