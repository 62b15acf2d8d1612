/** The command `stop`: stops processes and waits until they have ended. */
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec, parseNamespec } from '../../core/namespec.ts';
import { defineCommand, requireNames } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { formatSignalResult } from '../format.ts';
import type { Session } from '../session.ts';
import type { ProcessResult } from '../supervisor-client.ts';
import { findDependents, takeFlag, WITH_DEPENDENTS } from '../with-dependents.ts';

export const stop = defineCommand({
  name: 'stop',
  help: [
    'stop <name>\t\tStop a process',
    'stop <gname>:*\t\tStop all processes in a group',
    'stop <name> <name>\tStop multiple processes or groups',
    'stop all\t\tStop all processes',
  ],
  upcheck: 'before arguments',
  parse(words, namesFrom) {
    const { rest, hasFlag: hasDependents } = takeFlag(words.slice(0, namesFrom), WITH_DEPENDENTS);
    return { names: requireNames('stop', [...rest, ...words.slice(namesFrom)]), hasDependents };
  },
  async run(session, { names, hasDependents }) {
    const dependents = hasDependents ? await findDependents(session, names) : [];
    if (dependents !== null) await stopNames(session, [...dependents.toReversed(), ...names]);
  },
});

/**
 * Stops the processes that the names mean, and shows each result. `stoppedBefore` has the namespecs of processes that
 * did not run before. They are not shown as stopped, although the request cancels a start of them that was due.
 */
export async function stopNames(
  session: Session,
  names: readonly string[],
  stoppedBefore: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { client } = session;
  const wasUp = ({ group, name }: ProcessResult): boolean => !stoppedBefore.has(formatNamespec(group, name));
  await applyToNames(session, names, {
    all: async () => (await client.stopAllProcesses()).filter(wasUp),
    group: async (name) => (await client.stopProcessGroup(name)).filter(wasUp),
    one: async (name) => {
      await client.stopProcess(name);
      const { group, process: proc } = parseNamespec(name);
      if (proc !== null && stoppedBefore.has(formatNamespec(group, proc))) throw RpcFault.of('NOT_RUNNING', name);
    },
    format: (result) => formatSignalResult(result, 'stopped'),
    harmless: faults.NOT_RUNNING,
  });
}
