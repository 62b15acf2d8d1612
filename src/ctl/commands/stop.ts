/** The command `stop`: stops processes and waits until they have ended. */
import { faults } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { formatSignalResult } from '../format.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';

export const stop: Command = {
  name: 'stop',
  help: ['stop <name>\t\tStop a process', 'stop <gname>:*\t\tStop all processes in a group', 'stop <name> <name>\tStop multiple processes or groups', 'stop all\t\tStop all processes'],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const names = splitNames(argument);
    if (names.length > 0) await stopNames(session, names);
    else {
      session.fail('Error: stop requires a process name');
      session.outputAll(stop.help);
    }
    return false;
  },
};

/** Stops what the names stand for, and shows each result. */
export async function stopNames(session: Session, names: readonly string[]): Promise<void> {
  const { supervisor } = session;
  await applyToNames(session, names, {
    all: supervisor.stopAllProcesses,
    group: supervisor.stopProcessGroup,
    one: supervisor.stopProcess,
    format: (result) => formatSignalResult(result, 'stopped'),
    harmless: faults.NOT_RUNNING,
  });
}
