/** The command `reload`: restarts the supervisor and all its processes. In the shell it asks first. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand, parseNothing } from '../command.ts';
import { confirm } from '../confirm.ts';

export const reload = defineCommand({
  name: 'reload',
  help: ['reload \t\tRestart the remote supervisord.'],
  upcheck: 'never',
  parse: parseNothing('reload'),
  async run(session) {
    if (!(await confirm(session, 'Really restart the remote supervisord process y/N? '))) return;
    try {
      await session.client.restartSupervisor();
      session.output('Restarted supervisord');
    } catch (error) {
      // compat: the dispatcher shows any other fault, for example CANT_REREAD with the errors of the configuration.
      if (!(error instanceof RpcFault) || error.code !== faults.SHUTDOWN_STATE) throw error;
      session.fail('ERROR: already shutting down');
    }
  },
});
