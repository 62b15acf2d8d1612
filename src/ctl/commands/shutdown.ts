/** The command `shutdown`: ends the supervisor and all it runs; in the shell it asks first. */
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { confirm } from '../confirm.ts';
import { ConnectionError } from '../errors.ts';
import type { Session } from '../session.ts';

const GONE: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'refused connection'],
  ['ENOENT', 'no such file'],
]);

/**
 * Set in the environment of every program: listeners and scripts of programs ask to shut down at each event, and mean
 * no more than that.
 */
const MARK_OF_PROGRAMS = 'SUPERVISOR_ENABLED';

/** A person who asks once more has lost patience. compat: to a supervisor that has no such method, it does no harm. */
async function insist(session: Session): Promise<void> {
  session.output('ERROR: already shutting down');
  if (session.io.env[MARK_OF_PROGRAMS] !== undefined) return;
  const isKilled = await session.client.shutdownAgain().catch((error: unknown) => {
    // It has ended meanwhile.
    if (error instanceof ConnectionError && GONE.has(error.code)) return false;
    throw error;
  });
  if (isKilled) session.output('Killing what is left');
}

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
      await session.client.shutdown();
      session.output('Shut down');
    } catch (error) {
      const reason = error instanceof ConnectionError ? GONE.get(error.code) : undefined;
      if (error instanceof RpcFault && error.code === faults.SHUTDOWN_STATE) await insist(session);
      else if (reason !== undefined)
        session.fail(`ERROR: ${session.endpoint.serverUrl} ${reason} (already shut down?)`);
      else throw error;
    }
    return false;
  },
};
