/**
 * The common part of `start`, `stop` and `signal`: applies an operation to the processes that names mean, and prints a
 * line for each result.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { parseNamespec } from '../core/namespec.ts';
import { ExitCode } from './exit-codes.ts';
import { showHints } from './name-hint.ts';
import { expandNames } from './names.ts';
import type { Session } from './session.ts';
import { type ProcessResult, resultOf } from './supervisor-client.ts';

/** The calls of an operation, and the form of its results. */
export interface Operation {
  all(): Promise<ProcessResult[]>;
  group(name: string): Promise<ProcessResult[]>;
  one(name: string): Promise<void>;
  format(result: ProcessResult): string;
  /** A fault that does not change the exit code, for example ALREADY_STARTED. */
  readonly harmless?: number;
  /** Exit code for an unknown group. */
  readonly unknownGroupCode?: number;
}

/**
 * Applies the operation to each name; `all` among the names means all processes. Throws faults that have no line of
 * their own.
 */
export async function applyToNames(session: Session, names: readonly string[], operation: Operation): Promise<void> {
  const show = (result: ProcessResult): void => {
    session.output(operation.format(result));
    session.noteFault(result.status, operation.harmless);
  };
  if (names.includes('all')) {
    (await operation.all()).forEach(show);
    return;
  }
  const unknown: string[] = [];
  for (const name of await expandNames(names, session.client.getAllProcessInfo)) {
    const { group, process: proc } = parseNamespec(name);
    try {
      if (proc === null) (await operation.group(group)).forEach(show);
      else {
        await operation.one(name);
        session.output(operation.format(resultOf({ group, name: proc }, null)));
      }
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.code === faults.BAD_NAME) unknown.push(name);
      if (proc !== null) show(resultOf({ group, name: proc }, error));
      else if (error.code === faults.BAD_NAME)
        session.fail(`${group}: ERROR (no such group)`, operation.unknownGroupCode ?? ExitCode.GENERIC);
      else throw error;
    }
  }
  await showHints(session, unknown);
}
