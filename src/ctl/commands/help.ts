/** The command `help`: lists the commands, or explains one of them. */
import { findCommand } from '../../cli/commands.ts';
import { formatAdditions, formatOwnOptions, PIPE_WIDTH, wrapText } from '../../cli/help-text.ts';
import type { Command } from '../command.ts';

/** The list as Python's cmd module lays it out in 80 columns. compat: the additions are not in this list. */
const LIST = `
default commands (type help <topic>):
=====================================
add    exit      open  reload  restart   start   tail   
avail  fg        pid   remove  shutdown  status  update 
clear  maintail  quit  reread  signal    stop    version
`;

/** Returns the commands and options that Supervisor does not have, for a terminal of this width. */
function listAdditions(width: number): string[] {
  const known = new Set(LIST.split(/\s+/));
  return [
    ...formatAdditions(known, width),
    ...wrapText('Names can be patterns: * matches any characters, ? matches one.', width),
  ];
}

/** Returns what a terminal shows after the text of Supervisor: the additions, or the options of a command. */
function addedHelp(argument: string, width: number): readonly string[] {
  if (argument === '') return ['additions (type help additions for this list):', ...listAdditions(width), ''];
  const spec = findCommand(argument);
  return spec === null ? [] : formatOwnOptions(spec, width);
}

/** Makes the command `help` for the other commands. */
export function createHelp(commands: readonly Command[]): Command {
  const own: Command = {
    name: 'help',
    help: ['help\t\tPrint a list of available actions', 'help <action>\tPrint help for <action>'],
    run(session, argument) {
      const { stdout } = session.io;
      const width = stdout.isTTY === true ? (stdout.columns ?? PIPE_WIDTH) : PIPE_WIDTH;
      const lines =
        argument === 'additions'
          ? listAdditions(width)
          : [...commands, own].find((command) => command.name === argument)?.help;
      if (argument === '') session.output(LIST);
      else if (lines !== undefined && lines.length > 0) session.outputAll(lines);
      else session.output(`*** No help on ${argument}`);
      if (session.isForPeople) session.outputAll(addedHelp(argument, width));
      return Promise.resolve(false);
    },
  };
  return own;
}
