/**
 * An operation on the processes that names stand for: all of them, a group, one after the other; each result is a line.
 * What start, stop, signal and clear have in common; what they are is theirs.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { parseNamespec } from '../core/namespec.ts';
import { ExitCode } from './exit-codes.ts';
import { expandNames } from './names.ts';
import type { Session } from './session.ts';
import { type ProcessResult, resultOf } from './supervisor-client.ts';

/** How an operation is done and shown. */
export interface Operation {
  all(): Promise<ProcessResult[]>;
  group(name: string): Promise<ProcessResult[]>;
  one(name: string): Promise<void>;
  format(result: ProcessResult): string;
  /** A fault that leaves the exit code alone, such as ALREADY_STARTED. */
  readonly harmless?: number;
  /** Exit code where a group is unknown. */
  readonly unknownGroupCode?: number;
}

/**
 * Does the operation for each name; `all` among them means everything. Throws for a fault that has no line of its own.
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
      if (proc !== null) show(resultOf({ group, name: proc }, error));
      else if (error.code === faults.BAD_NAME)
        session.fail(`${group}: ERROR (no such group)`, operation.unknownGroupCode ?? ExitCode.GENERIC);
      else throw error;
    }
  }
}
