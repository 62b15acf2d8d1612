/**
 * The commands `quit` and `exit`, and `EOF`, which means the end of the input. Each prints an empty line and ends the
 * shell.
 */
import type { Command } from '../command.ts';

const leave: Command['run'] = (session) => {
  session.output('');
  return Promise.resolve(true);
};

export const quit: Command = { name: 'quit', help: ['quit\tExit the supervisor shell.'], run: leave };

export const exit: Command = { name: 'exit', help: ['exit\tExit the supervisor shell.'], run: leave };

export const endOfInput: Command = { name: 'EOF', help: [], run: leave };
