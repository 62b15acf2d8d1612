/** The command `remove`: takes stopped groups out of what is active. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { splitNames } from '../names.ts';

export const remove: Command = {
  name: 'remove',
  help: ['remove <name> [...]\tRemoves process/group from active config'],
  async run(session, argument) {
    for (const name of splitNames(argument)) {
      try {
        await session.client.removeProcessGroup(name);
        session.output(`${name}: removed process group`);
      } catch (error) {
        if (!(error instanceof RpcFault)) throw error;
        if (error.code === faults.STILL_RUNNING) session.fail(`ERROR: process/group still running: ${name}`);
        else if (error.code === faults.BAD_NAME) session.fail(`ERROR: no such process/group: ${name}`);
        else throw error;
      }
    }
    return false;
  },
};
