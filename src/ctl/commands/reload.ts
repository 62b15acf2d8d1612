/** The command `reload`: restarts the supervisor and all it runs; in the shell it asks first. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';

export const reload: Command = {
  name: 'reload',
  help: ['reload \t\tRestart the remote supervisord.'],
  async run(session, argument) {
    if (argument !== '') {
      session.fail('Error: reload accepts no arguments');
      session.outputAll(reload.help);
      return false;
    }
    if (!(await confirm(session, 'Really restart the remote supervisord process y/N? '))) return false;
    try {
      await session.client.restart();
      session.output('Restarted supervisord');
    } catch (error) {
      // compat: any other fault is shown as it is, as that of a configuration that is wrong, with the reasons.
      if (!(error instanceof RpcFault) || error.code !== faults.SHUTDOWN_STATE) throw error;
      session.fail('ERROR: already shutting down');
    }
    return false;
  },
};
