/** The command `shutdown`: shuts down the supervisor, which stops all its processes. In the shell it asks first. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand, parseNothing } from '../command.ts';
import { confirm } from '../confirm.ts';
import { ConnectionError } from '../errors.ts';
import type { Session } from '../session.ts';

/** Error codes that mean that the supervisor no longer listens, with Supervisor's words. */
const GONE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refused connection'],
  ['ENOENT', 'no such file'],
]);

/**
 * A variable that the supervisor sets for every program. Event listeners and scripts of programs may run `shutdown` at
 * each event; a second request of theirs must not kill anything.
 */
const MARK_OF_PROGRAMS = 'SUPERVISOR_ENABLED';

export const shutdown = defineCommand({
  name: 'shutdown',
  help: ['shutdown \tShut the remote supervisord down.'],
  upcheck: 'never',
  parse: parseNothing('shutdown'),
  async run(session) {
    if (!(await confirm(session, 'Really shut the remote supervisord process down y/N? '))) return;
    try {
      await session.client.shutdown();
      session.output('Shut down');
    } catch (error) {
      const reason = error instanceof ConnectionError ? GONE.get(error.code) : undefined;
      if (error instanceof RpcFault && error.code === faults.SHUTDOWN_STATE) await requestKill(session);
      else if (reason !== undefined && !session.hasOwnViews)
        session.fail(`ERROR: ${session.endpoint.serverUrl} ${reason} (already shut down?)`);
      else throw error;
    }
  },
});

/**
 * Asks a supervisor that is shutting down already to end its shutdown_delay, or else to kill the remaining processes.
 * compat: a supervisord has no such methods, and nothing happens.
 */
async function requestKill(session: Session): Promise<void> {
  session.output('ERROR: already shutting down');
  if (session.io.env[MARK_OF_PROGRAMS] !== undefined) return;
  const { client } = session;
  if (await ask(client.endShutdownDelay())) session.output('Ending shutdown_delay: stopping the processes now');
  else if (await ask(client.shutdownAgain())) session.output('Killing the remaining processes');
}

/** Returns the answer of a supervisor; false if it has ended in the meantime. */
function ask(answer: Promise<boolean>): Promise<boolean> {
  return answer.catch((error: unknown) => {
    if (error instanceof ConnectionError && GONE.has(error.code)) return false;
    throw error;
  });
}
