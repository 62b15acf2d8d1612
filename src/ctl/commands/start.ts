/** The command `start`: starts processes and waits until they are up. */
import { faults } from '../../core/faults.ts';
import { formatNamespec } from '../../core/namespec.ts';
import { defineCommand, requireNames } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { ExitCode } from '../exit-codes.ts';
import { formatStartResult } from '../format.ts';
import { takeLogs, withLogs } from '../logs/after.ts';
import { readStatus, reasonOf } from '../process-status.ts';
import type { Session } from '../session.ts';
import { takeTimeout, waitForStarts } from '../start-wait.ts';
import { findDependencies, takeFlag, WITH_DEPENDENCIES } from '../with-dependents.ts';

export const start = defineCommand({
  name: 'start',
  help: [
    'start <name>\t\tStart a process',
    'start <gname>:*\t\tStart all processes in a group',
    'start <name> <name>\tStart multiple processes or groups',
    'start all\t\tStart all processes',
  ],
  upcheck: 'before arguments',
  parse(words, namesFrom) {
    const { rest: others, timeoutMs } = takeTimeout(words.slice(0, namesFrom));
    const { rest: more, hasLogs } = takeLogs(others);
    const { rest, hasFlag: hasDependencies } = takeFlag(more, WITH_DEPENDENCIES);
    const names = requireNames('start', [...rest, ...words.slice(namesFrom)], ExitCode.INVALID_ARGS);
    return { names, timeoutMs, hasLogs, hasDependencies };
  },
  limitMs: ({ timeoutMs }) => timeoutMs,
  run: (session, { names, hasLogs, hasDependencies }) =>
    withLogs(session, names, hasLogs, async () => {
      const dependencies = hasDependencies ? await findDependencies(session, names) : [];
      if (dependencies !== null) await startNames(session, [...dependencies, ...names]);
    }),
});

/** Starts the processes that the names mean, and shows each result. */
export async function startNames(session: Session, names: readonly string[]): Promise<void> {
  const { client } = session;
  const failed: string[] = [];
  await waitForStarts(session, names, () =>
    applyToNames(session, names, {
      all: client.startAllProcesses,
      group: client.startProcessGroup,
      one: client.startProcess,
      format(result) {
        const isExplained = result.reason !== null;
        if (UNEXPLAINED.has(result.status) && !isExplained) failed.push(formatNamespec(result.group, result.name));
        return formatStartResult(result);
      },
      harmless: faults.ALREADY_STARTED,
      unknownGroupCode: ExitCode.INVALID_ARGS,
    }),
  );
  await showReasons(session, failed);
}

/** Faults of a start that do not say what has gone wrong. */
const UNEXPLAINED: ReadonlySet<number> = new Set([faults.SPAWN_ERROR, faults.ABNORMAL_TERMINATION]);

/** Prints for a person why starts have failed, as `status` does. */
async function showReasons(session: Session, failed: readonly string[]): Promise<void> {
  if (failed.length === 0 || !session.hasOwnViews) return;
  const statuses = ((await session.client.getStatus(false)) ?? []).map(readStatus);
  for (const status of statuses) {
    const { name, info } = status;
    if (!failed.includes(formatNamespec(info.group, info.name))) continue;
    session.output(`${name} is ${info.statename}: ${reasonOf(status)}; see onevisor why ${name}`);
  }
}
