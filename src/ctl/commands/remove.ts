/** The command `remove`: deactivates groups whose processes are stopped. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand } from '../command.ts';
import { showGroupHints } from '../name-hint.ts';

export const remove = defineCommand({
  name: 'remove',
  help: ['remove <name> [...]\tRemoves process/group from active config'],
  upcheck: 'never',
  parse: (words) => words,
  async run(session, names) {
    const unknown: string[] = [];
    for (const name of names) {
      try {
        await session.client.removeProcessGroup(name);
        session.output(`${name}: removed process group`);
      } catch (error) {
        if (!(error instanceof RpcFault)) throw error;
        if (error.code === faults.STILL_RUNNING) session.fail(`ERROR: process/group still running: ${name}`);
        else if (error.code === faults.BAD_NAME) {
          session.fail(`ERROR: no such process/group: ${name}`);
          unknown.push(name);
        } else throw error;
      }
    }
    await showGroupHints(session, unknown);
  },
});
