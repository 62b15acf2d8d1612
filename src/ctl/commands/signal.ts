/** The command `signal`: sends a signal to processes. It does not change their wanted state. */
import { ArgumentError, defineCommand } from '../command.ts';
import { applyToNames } from '../each-name.ts';
import { formatSignalResult } from '../format.ts';

export const signal = defineCommand({
  name: 'signal',
  help: [
    'signal <signal name> <name>\t\tSignal a process',
    'signal <signal name> <gname>:*\t\tSignal all processes in a group',
    'signal <signal name> <name> <name>\tSignal multiple processes or groups',
    'signal <signal name> all\t\tSignal all processes',
  ],
  upcheck: 'before arguments',
  parse([signalName, ...names]) {
    if (signalName === undefined || names.length === 0)
      throw new ArgumentError('Error: signal requires a signal name and a process name', { isHelpShown: true });
    return { signalName, names };
  },
  async run(session, { signalName, names }) {
    const { client } = session;
    await applyToNames(session, names, {
      all: () => client.signalAllProcesses(signalName),
      group: (name) => client.signalProcessGroup(name, signalName),
      one: (name) => client.signalProcess(name, signalName),
      format: (result) => formatSignalResult(result, 'signalled'),
    });
  },
});
