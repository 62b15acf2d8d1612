/** The command `version`: prints the version of the supervisor. */
import { defineCommand, parseNothing } from '../command.ts';

export const version = defineCommand({
  name: 'version',
  help: ['version\t\t\tShow the version of the remote supervisord process'],
  upcheck: 'after arguments',
  parse: parseNothing('version'),
  async run(session) {
    session.output(await session.client.getSupervisorVersion());
  },
});
