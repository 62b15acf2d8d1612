/** The command `help`: the list of commands, or what one of them does. */
import type { Command } from '../command.ts';

/** Columns as Python's cmd module lays them out on a terminal of 80. compat: the additions are not in it. */
const LIST = `
default commands (type help <topic>):
=====================================
add    exit      open  reload  restart   start   tail   
avail  fg        pid   remove  shutdown  status  update 
clear  maintail  quit  reread  signal    stop    version
`;

const ADDITIONS = [
  'health [<name> ...]\tTell what should run and does not, or is not healthy (exit code 0 or 1)',
  'status --json\t\tWhat the server says of each process, as JSON',
  'status --watch[=<s>]\tStatus again and again, every 2 seconds if not told otherwise',
  'restart --rolling ...\tRestart one process after the other, up to the first that does not come up',
  'update --dry-run\tWhat update would do',
  'start --timeout <s> ...\tWait no longer than that (exit code 124); restart has it too. The start goes on',
  'Names can be patterns: * stands for any characters, ? for one.',
];

/** The command, which knows the others. */
export function createHelp(commands: readonly Command[]): Command {
  const own: Command = {
    name: 'help',
    help: ['help\t\tPrint a list of available actions', 'help <action>\tPrint help for <action>'],
    run(session, argument) {
      const lines =
        argument === 'additions' ? ADDITIONS : [...commands, own].find((command) => command.name === argument)?.help;
      if (argument === '') session.output(LIST);
      else if (lines !== undefined && lines.length > 0) session.outputAll(lines);
      else session.output(`*** No help on ${argument}`);
      return Promise.resolve(false);
    },
  };
  return own;
}
