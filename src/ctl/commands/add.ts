/** The command `add`: activates groups of the configuration. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand } from '../command.ts';
import { showGroupHints } from '../name-hint.ts';

export const add = defineCommand({
  name: 'add',
  help: ['add <name> [...]\tActivates any updates in config for process/group'],
  upcheck: 'never',
  parse: (words) => words,
  async run(session, names) {
    const unknown: string[] = [];
    for (const name of names) {
      try {
        await session.client.addProcessGroup(name);
        session.output(`${name}: added process group`);
      } catch (error) {
        if (!(error instanceof RpcFault)) throw error;
        // compat: a group that is active already does not change the exit code.
        if (error.code === faults.ALREADY_ADDED) session.output('ERROR: process group already active');
        else if (error.code === faults.BAD_NAME) {
          session.fail(`ERROR: no such process/group: ${name}`);
          unknown.push(name);
        } else if (error.code === faults.FAILED && error.reason !== null)
          session.fail(`${name}: ERROR (${error.reason})`);
        else if (error.code === faults.SHUTDOWN_STATE) session.fail('ERROR: shutting down');
        else throw error;
      }
    }
    await showGroupHints(session, unknown);
  },
});
