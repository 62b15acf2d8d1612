/** The command `clear`: empties the logs of processes. */
import { RpcFault } from '../../core/faults.ts';
import { formatNamespec, parseNamespec } from '../../core/namespec.ts';
import type { Command } from '../command.ts';
import { formatClearResult } from '../format.ts';
import { findMatches, splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import { type ProcessResult, resultOf } from '../supervisor-client.ts';

export const clear: Command = {
  name: 'clear',
  help: [
    "clear <name>\t\tClear a process' log files.",
    "clear <name> <name>\tClear multiple process' log files",
    "clear all\t\tClear all process' log files",
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const names = splitNames(argument);
    if (names.length === 0) {
      session.fail('Error: clear requires a process name');
      session.outputAll(clear.help);
    } else if (names.includes('all')) {
      for (const result of await session.client.clearAllProcessLogs()) show(session, result);
    } else {
      for (const name of names) await clearLogs(session, name);
    }
    return false;
  },
};

function show(session: Session, result: ProcessResult): void {
  session.output(formatClearResult(result));
  session.noteFault(result.status);
}

async function clearLogs(session: Session, name: string): Promise<void> {
  if (/[*?]/.test(name)) {
    const found = findMatches(name, await session.client.getAllProcessInfo());
    for (const info of found) await clearLogs(session, formatNamespec(info.group, info.name));
    if (found.length > 0) return;
  }
  // compat: the process of `group:` is called None in the answer.
  const { group, process: proc } = parseNamespec(name);
  const subject = { group, name: proc ?? 'None' };
  try {
    await session.client.clearProcessLogs(name);
    show(session, resultOf(subject, null));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    show(session, resultOf(subject, error));
  }
}
