/** The command `signal`: sends a signal to processes, and nothing else happens to them. */
import type { Command } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { formatSignalResult } from '../format.ts';
import { splitNames } from '../names.ts';

export const signal: Command = {
  name: 'signal',
  help: [
    'signal <signal name> <name>\t\tSignal a process',
    'signal <signal name> <gname>:*\t\tSignal all processes in a group',
    'signal <signal name> <name> <name>\tSignal multiple processes or groups',
    'signal <signal name> all\t\tSignal all processes',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const [signalName, ...names] = splitNames(argument);
    if (signalName === undefined || names.length === 0) {
      session.fail('Error: signal requires a signal name and a process name');
      session.outputAll(signal.help);
      return false;
    }
    const { client } = session;
    await applyToNames(session, names, {
      all: () => client.signalAllProcesses(signalName),
      group: (name) => client.signalProcessGroup(name, signalName),
      one: (name) => client.signalProcess(name, signalName),
      format: (result) => formatSignalResult(result, 'signalled'),
    });
    return false;
  },
};
