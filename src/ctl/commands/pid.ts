/** The command `pid`: prints the process id of the supervisor, of some processes, or of all. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { showHints } from '../name-hint.ts';
import { matchOrKeep } from '../names.ts';
import type { Session } from '../session.ts';

export const pid = defineCommand({
  name: 'pid',
  help: [
    'pid\t\t\tGet the PID of supervisord.',
    'pid <name>\t\tGet the PID of a single child process by name.',
    'pid all\t\t\tGet the PID of every child process, one per line.',
  ],
  upcheck: 'before arguments',
  parse: (words) => words,
  async run(session, names) {
    const { client } = session;
    if (names.length === 0) session.output(String(await client.getPid()));
    else if (names.includes('all')) {
      const processes = await client.getAllProcessInfo();
      session.outputAll(processes.map((info) => String(info.pid)));
    } else {
      for (const name of names)
        for (const namespec of await matchOrKeep(name, client.getAllProcessInfo)) await showPid(session, namespec);
    }
  },
});

async function showPid(session: Session, name: string): Promise<void> {
  try {
    const info = await session.client.getProcessInfo(name);
    session.output(String(info.pid));
    if (info.pid === 0) session.exitCode = ExitCode.NOT_RUNNING;
  } catch (error) {
    if (!(error instanceof RpcFault) || error.code !== faults.BAD_NAME) throw error;
    session.fail(`No such process ${name}`);
    await showHints(session, [name]);
  }
}
