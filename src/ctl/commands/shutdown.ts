/** The command `shutdown`: ends the supervisor and all it runs; in the shell it asks first. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { ConnectionError } from '../errors.ts';

const GONE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refused connection'],
  ['ENOENT', 'no such file'],
]);

export const shutdown: Command = {
  name: 'shutdown',
  help: ['shutdown \tShut the remote supervisord down.'],
  async run(session, argument) {
    if (argument !== '') {
      session.fail('Error: shutdown accepts no arguments');
      session.outputAll(shutdown.help);
      return false;
    }
    if (!(await confirm(session, 'Really shut the remote supervisord process down y/N? '))) return false;
    try {
      await session.supervisor.shutdown();
      session.output('Shut down');
    } catch (error) {
      const reason = error instanceof ConnectionError ? GONE.get(error.code) : undefined;
      // compat: a supervisor that is on its way down already is said, but does no harm.
      if (error instanceof RpcFault && error.code === faults.SHUTDOWN_STATE) session.output('ERROR: already shutting down');
      else if (reason !== undefined) session.fail(`ERROR: ${session.endpoint.serverUrl} ${reason} (already shut down?)`);
      else throw error;
    }
    return false;
  },
};
