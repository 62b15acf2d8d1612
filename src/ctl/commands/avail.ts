/** The command `avail`: every process that the configuration has, whether it is active or not. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { formatConfigs } from '../format.ts';

export const avail: Command = {
  name: 'avail',
  help: ['avail\t\t\tDisplay all configured processes'],
  async run(session, argument) {
    if (argument !== '') {
      session.fail('Error: avail accepts no arguments');
      session.outputAll(avail.help);
      return false;
    }
    try {
      session.outputAll(formatConfigs(await session.client.getAllConfigInfo()));
    } catch (error) {
      if (!(error instanceof RpcFault) || error.code !== faults.SHUTDOWN_STATE) throw error;
      session.fail('ERROR: supervisor shutting down');
    }
    return false;
  },
};
