/** The command `reread`: has the supervisor read its configuration, and shows what differs; nothing is applied. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { formatChanges } from '../format.ts';

export const reread: Command = {
  name: 'reread',
  help: ["reread \t\t\tReload the daemon's configuration files without add/remove"],
  async run(session, argument) {
    if (argument !== '') {
      session.fail('Error: reread accepts no arguments');
      session.outputAll(reread.help);
      return false;
    }
    try {
      session.outputAll(formatChanges(await session.client.reloadConfig()));
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.code === faults.SHUTDOWN_STATE) session.fail('ERROR: supervisor shutting down');
      else if (error.code === faults.CANT_REREAD) session.fail(`ERROR: ${error.faultString}`);
      else throw error;
    }
    return false;
  },
};
