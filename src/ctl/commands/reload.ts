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
      await session.supervisor.restart();
      session.output('Restarted supervisord');
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      if (error.code === faults.SHUTDOWN_STATE) session.fail('ERROR: already shutting down');
      else if (error.code === faults.CANT_REREAD) session.fail(`ERROR: ${error.faultString}`);
      else throw error;
    }
    return false;
  },
};
