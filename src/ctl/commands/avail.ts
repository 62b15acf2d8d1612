/** The command `avail`: lists all processes of the configuration, active or not. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand, parseNothing } from '../command.ts';
import { formatConfigs } from '../format.ts';

export const avail = defineCommand({
  name: 'avail',
  help: ['avail\t\t\tDisplay all configured processes'],
  upcheck: 'never',
  parse: parseNothing('avail'),
  async run(session) {
    try {
      session.outputAll(formatConfigs(await session.client.getAllConfigInfo()));
    } catch (error) {
      if (!(error instanceof RpcFault) || error.code !== faults.SHUTDOWN_STATE) throw error;
      session.fail('ERROR: supervisor shutting down');
    }
  },
});
