/** The command `add`: activates groups that the configuration has. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { splitNames } from '../names.ts';

export const add: Command = {
  name: 'add',
  help: ['add <name> [...]\tActivates any updates in config for process/group'],
  async run(session, argument) {
    for (const name of splitNames(argument)) {
      try {
        await session.client.addProcessGroup(name);
        session.output(`${name}: added process group`);
      } catch (error) {
        if (!(error instanceof RpcFault)) throw error;
        // compat: a group that is active already is said, but does no harm.
        if (error.code === faults.ALREADY_ADDED) session.output('ERROR: process group already active');
        else if (error.code === faults.BAD_NAME) session.fail(`ERROR: no such process/group: ${name}`);
        else if (error.code === faults.SHUTDOWN_STATE) session.fail('ERROR: shutting down');
        else throw error;
      }
    }
    return false;
  },
};
