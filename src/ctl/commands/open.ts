/** The command `open`: sends all further commands to another supervisor. */
import type { Command } from '../command.ts';
import { PLAIN_VIEW, showStatus } from './status.ts';

export const open: Command = {
  name: 'open',
  help: [
    'open <url>\tConnect to a remote supervisord process.',
    '\t\t(for UNIX domain socket, use unix:///socket/path)',
  ],
  async run(session, argument) {
    if (!/^(unix|http):/i.test(argument)) {
      session.fail('ERROR: url must be http:// or unix://');
      return false;
    }
    session.endpoint = { ...session.endpoint, serverUrl: argument, origin: 'from open' };
    const before = session.exitCode;
    await showStatus(session, { names: [], ...PLAIN_VIEW });
    // compat: the status of the processes does not change the exit code of this command.
    session.exitCode = before;
    return false;
  },
};
