/** The command `clear`: empties the logs of processes. */
import { faults, RpcFault } from '../../core/faults.ts';
import { parseNamespec } from '../../core/namespec.ts';
import { defineCommand, requireNames } from '../command.ts';
import { formatClearResult } from '../format.ts';
import { showHints } from '../name-hint.ts';
import { matchOrKeep } from '../names.ts';
import type { Session } from '../session.ts';
import { type ProcessResult, resultOf } from '../supervisor-client.ts';

export const clear = defineCommand({
  name: 'clear',
  help: [
    "clear <name>\t\tClear a process' log files.",
    "clear <name> <name>\tClear multiple process' log files",
    "clear all\t\tClear all process' log files",
  ],
  upcheck: 'before arguments',
  parse: (words) => requireNames('clear', words),
  async run(session, names) {
    if (names.includes('all')) {
      for (const result of await session.client.clearAllProcessLogs()) show(session, result);
      return;
    }
    for (const name of names)
      for (const namespec of await matchOrKeep(name, session.client.getAllProcessInfo))
        await clearLogs(session, namespec);
  },
});

function show(session: Session, result: ProcessResult): void {
  session.output(formatClearResult(result));
  session.noteFault(result.status);
}

async function clearLogs(session: Session, name: string): Promise<void> {
  // compat: Supervisor's client calls the process of `group:` None.
  const { group, process: proc } = parseNamespec(name);
  const subject = { group, name: proc ?? 'None' };
  try {
    await session.client.clearProcessLogs(name);
    show(session, resultOf(subject, null));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    show(session, resultOf(subject, error));
    if (error.code === faults.BAD_NAME) await showHints(session, [name]);
  }
}
