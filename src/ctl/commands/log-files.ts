/** The commands `reopen` and `rotate`: act on the log files of processes, one process after the other. */
import type { Command } from '../command.ts';
import { perProcessCommand } from '../per-process.ts';
import type { Session } from '../session.ts';

/** Makes a command that calls `act` for each process. `done`: the result in a few words. */
function logFileCommand(
  name: 'reopen' | 'rotate',
  done: string,
  act: (session: Session, proc: string) => Promise<void>,
): Command {
  return perProcessCommand({
    name,
    otherWay: 'send it SIGUSR2 to reopen the logs of all programs',
    act: async (session, proc) => {
      await act(session, proc);
      return done;
    },
  });
}

export const reopen = logFileCommand('reopen', 'logs reopened', (session, proc) =>
  session.client.reopenProcessLogs(proc),
);
export const rotate = logFileCommand('rotate', 'logs rotated', (session, proc) =>
  session.client.rotateProcessLogs(proc),
);
