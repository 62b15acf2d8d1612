/**
 * The options `--with-dependencies` of `start` and `--with-dependents` of `stop` and `restart`: the further processes
 * that the command is for. The server knows the order.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import { RUNNING_STATES } from '../core/states.ts';
import { ExitCode } from './exit-codes.ts';
import { expandNames } from './names.ts';
import type { Session } from './session.ts';

export const WITH_DEPENDENCIES = '--with-dependencies';
export const WITH_DEPENDENTS = '--with-dependents';

/** The words of a command without an option. */
export interface FlagWords {
  readonly rest: readonly string[];
  readonly hasFlag: boolean;
}

/** Takes an option without a value out of the words of a command. */
export function takeFlag(words: readonly string[], option: string): FlagWords {
  return { rest: words.filter((word) => word !== option), hasFlag: words.includes(option) };
}

/**
 * Returns the dependencies that must be started before the named processes, in their order. Null, with an error, if the
 * server does not know them.
 */
export function findDependencies(session: Session, names: readonly string[]): Promise<readonly string[] | null> {
  return ask(session, names, WITH_DEPENDENCIES, session.client.getMissingDependencies);
}

/**
 * Returns the processes that are up and depend on the named ones, in the order of their starts. Null, with an error, if
 * the server does not know them.
 */
export async function findDependents(session: Session, names: readonly string[]): Promise<readonly string[] | null> {
  const { client } = session;
  const dependents = await ask(session, names, WITH_DEPENDENTS, client.getDependents);
  if (dependents === null || dependents.length === 0) return dependents;
  const up = new Set(
    (await client.getAllProcessInfo())
      .filter(({ statename }) => (RUNNING_STATES as ReadonlySet<string>).has(statename))
      .map(({ group, name }) => formatNamespec(group, name)),
  );
  return dependents.filter((name) => up.has(name));
}

async function ask(
  session: Session,
  names: readonly string[],
  option: string,
  call: (names: readonly string[]) => Promise<string[]>,
): Promise<readonly string[] | null> {
  if (names.includes('all')) return [];
  try {
    return await call(await expandNames(names, session.client.getAllProcessInfo));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    // The command itself reports unknown names.
    if (error.code === faults.BAD_NAME) return [];
    if (error.code !== faults.UNKNOWN_METHOD) throw error;
    session.fail(`${option}: ERROR (this supervisor does not know dependencies)`, ExitCode.GENERIC);
    return null;
  }
}
