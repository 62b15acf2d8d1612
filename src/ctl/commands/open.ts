/** The command `open`: talks to another supervisor from here on. */
import type { Command } from '../command.ts';
import { showStatus } from './status.ts';

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
    session.endpoint = { ...session.endpoint, serverUrl: argument };
    const before = session.exitCode;
    await showStatus(session, [], false, '');
    // compat: what the status says is not the outcome of this command.
    session.exitCode = before;
    return false;
  },
};
