/** The command `start`: starts processes and waits until they are up. */
import { faults } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { ExitCode } from '../exit-codes.ts';
import { formatStartResult } from '../format.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import { takeTimeout, waitForStarts } from '../start-wait.ts';

export const start: Command = {
  name: 'start',
  help: [
    'start <name>\t\tStart a process',
    'start <gname>:*\t\tStart all processes in a group',
    'start <name> <name>\tStart multiple processes or groups',
    'start all\t\tStart all processes',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const words = takeTimeout(splitNames(argument));
    if (typeof words === 'string') {
      session.fail(`Error: ${words}`, ExitCode.INVALID_ARGS);
    } else if (words.names.length > 0) {
      await startNames(session, words.names, words.timeoutMs);
    } else {
      session.fail('Error: start requires a process name', ExitCode.INVALID_ARGS);
      session.outputAll(start.help);
    }
    return false;
  },
};

/** Starts what the names stand for, and shows each result. */
export async function startNames(session: Session, names: readonly string[], timeoutMs: number | null): Promise<void> {
  const { client } = session;
  await waitForStarts(session, names, timeoutMs, () =>
    applyToNames(session, names, {
      all: client.startAllProcesses,
      group: client.startProcessGroup,
      one: client.startProcess,
      format: formatStartResult,
      harmless: faults.ALREADY_STARTED,
      unknownGroupCode: ExitCode.INVALID_ARGS,
    }),
  );
}
