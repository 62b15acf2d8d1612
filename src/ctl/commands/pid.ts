/** The command `pid`: the process ids of the supervisor, of processes, of all. */
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec } from '../../core/namespec.ts';
import type { Command } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { findMatches, splitNames } from '../names.ts';
import type { Session } from '../session.ts';

export const pid: Command = {
  name: 'pid',
  help: [
    'pid\t\t\tGet the PID of supervisord.',
    'pid <name>\t\tGet the PID of a single child process by name.',
    'pid all\t\t\tGet the PID of every child process, one per line.',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const names = splitNames(argument);
    const { client } = session;
    if (names.length === 0) session.output(String(await client.getPid()));
    else if (names.includes('all'))
      session.outputAll((await client.getAllProcessInfo()).map((info) => String(info.pid)));
    else for (const name of names) await showPid(session, name);
    return false;
  },
};

async function showPid(session: Session, name: string): Promise<void> {
  if (/[*?]/.test(name)) {
    const found = findMatches(name, await session.client.getAllProcessInfo());
    for (const info of found) await showPid(session, formatNamespec(info.group, info.name));
    if (found.length > 0) return;
  }
  try {
    const info = await session.client.getProcessInfo(name);
    session.output(String(info.pid));
    if (info.pid === 0) session.exitCode = ExitCode.NOT_RUNNING;
  } catch (error) {
    if (!(error instanceof RpcFault) || error.code !== faults.BAD_NAME) throw error;
    session.fail(`No such process ${name}`);
  }
}
