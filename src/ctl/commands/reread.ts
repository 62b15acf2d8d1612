/** The command `reread`: makes the supervisor read its configuration, and shows the differences. Applies none. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand, parseNothing } from '../command.ts';
import { formatChanges } from '../format.ts';

export const reread = defineCommand({
  name: 'reread',
  help: ["reread \t\t\tReload the daemon's configuration files without add/remove"],
  upcheck: 'never',
  parse: parseNothing('reread'),
  async run(session) {
    try {
      session.outputAll(formatChanges(await session.client.reloadConfig()));
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.code === faults.SHUTDOWN_STATE) session.fail('ERROR: supervisor shutting down');
      else if (error.code === faults.CANT_REREAD) session.fail(`ERROR: ${error.faultString}`);
      else throw error;
    }
  },
});
