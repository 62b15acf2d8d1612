/** The command `help`: lists the commands, or explains one of them. */
import type { Command } from '../command.ts';

/** The list as Python's cmd module lays it out in 80 columns. compat: the additions are not in this list. */
const LIST = `
default commands (type help <topic>):
=====================================
add    exit      open  reload  restart   start   tail   
avail  fg        pid   remove  shutdown  status  update 
clear  maintail  quit  reread  signal    stop    version
`;

const ADDITIONS = [
  'health [<name> ...]\tList processes that should run and do not, or are not healthy (exit code 0 or 1)',
  'status --json\t\tAll facts of each process, as JSON',
  'status --watch[=<s>]\tRepeat the status, every 2 seconds by default',
  'restart --rolling ...\tRestart one process after the other; stop at the first that does not come up',
  'update --dry-run\tShow the changes that update would make',
  'start --timeout <s> ...\tStop waiting after <s> seconds, with exit code 124. The start continues. Also for restart',
  'Names can be patterns: * matches any characters, ? matches one.',
];

/** Makes the command `help` for the other commands. */
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
