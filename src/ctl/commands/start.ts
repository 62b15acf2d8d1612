/** The command `start`: starts processes and waits until they are up. */
import { faults } from '../../core/faults.ts';
import { defineCommand, requireNames } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { ExitCode } from '../exit-codes.ts';
import { formatStartResult } from '../format.ts';
import { takeLogs, withLogs } from '../logs/after.ts';
import type { Session } from '../session.ts';
import { takeTimeout, waitForStarts } from '../start-wait.ts';

export const start = defineCommand({
  name: 'start',
  help: [
    'start <name>\t\tStart a process',
    'start <gname>:*\t\tStart all processes in a group',
    'start <name> <name>\tStart multiple processes or groups',
    'start all\t\tStart all processes',
  ],
  upcheck: 'before arguments',
  parse(words) {
    const { rest: others, timeoutMs } = takeTimeout(words);
    const { rest, hasLogs } = takeLogs(others);
    return { names: requireNames('start', rest, ExitCode.INVALID_ARGS), timeoutMs, hasLogs };
  },
  run: (session, { names, timeoutMs, hasLogs }) =>
    withLogs(session, names, hasLogs, () => startNames(session, names, timeoutMs)),
});

/** Starts the processes that the names mean, and shows each result. */
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
