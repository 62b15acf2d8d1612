/** The command `version`: the version of the supervisor. */
import type { Command } from '../command.ts';

export const version: Command = {
  name: 'version',
  help: ['version\t\t\tShow the version of the remote supervisord process'],
  async run(session, argument) {
    if (argument !== '') {
      session.fail('Error: version accepts no arguments');
      session.outputAll(version.help);
    } else if (await session.upcheck()) {
      session.output(await session.client.getSupervisorVersion());
    }
    return false;
  },
};
