/** The command `stop`: stops processes and waits until they have ended. */
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec, parseNamespec } from '../../core/namespec.ts';
import type { Command } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { formatSignalResult } from '../format.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import type { ProcessResult } from '../supervisor-client.ts';

export const stop: Command = {
  name: 'stop',
  help: [
    'stop <name>\t\tStop a process',
    'stop <gname>:*\t\tStop all processes in a group',
    'stop <name> <name>\tStop multiple processes or groups',
    'stop all\t\tStop all processes',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const names = splitNames(argument);
    if (names.length > 0) await stopNames(session, names);
    else {
      session.fail('Error: stop requires a process name');
      session.outputAll(stop.help);
    }
    return false;
  },
};

/**
 * Stops what the names stand for, and shows each result. `resting`: namespecs of processes that did not run before.
 * They are not shown as stopped, though a start of them that was due is called off.
 */
export async function stopNames(
  session: Session,
  names: readonly string[],
  resting: ReadonlySet<string> = new Set(),
): Promise<void> {
  const { client } = session;
  const wasUp = ({ group, name }: ProcessResult): boolean => !resting.has(formatNamespec(group, name));
  await applyToNames(session, names, {
    all: async () => (await client.stopAllProcesses()).filter(wasUp),
    group: async (name) => (await client.stopProcessGroup(name)).filter(wasUp),
    one: async (name) => {
      await client.stopProcess(name);
      const { group, process: proc } = parseNamespec(name);
      if (proc !== null && resting.has(formatNamespec(group, proc))) throw RpcFault.of('NOT_RUNNING', name);
    },
    format: (result) => formatSignalResult(result, 'stopped'),
    harmless: faults.NOT_RUNNING,
  });
}
