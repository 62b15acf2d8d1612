/**
 * Replaces a shell that runs one command by that command (`exec`), so that the program gets the signals itself and
 * gives the exit code. bash does that without `exec`, dash does not. Pure.
 */

/** Values of assignments before a command that the shell expands to one word. */
const VALUE = String.raw`(?:[^\s'"\\\`$;&|<>(){}#]|"[^"\\\`$]*"|'[^']*'|\$\w+|\$\{\w+\})*`;
/** Assignments, and the name of a command that needs no expansion. */
const START = new RegExp(String.raw`^((?:[A-Za-z_]\w*=${VALUE}\s+)*)([\w./+-]+)(?=\s|$)`);
const QUOTED = /\\.|'[^']*'|"(?:[^"\\]|\\.)*"/gs;
/** Characters outside quotes that may make more than one command of a line, or that begin a quotation without end. */
const COMPOUND = /[;&|(){}`\n'"\\]/;
/** Redirections of descriptors (`2>&1`) and variables (`${PORT:-5000}`), which `exec` takes as they are. */
const HARMLESS = /[<>]&[\d-]+|\$\{[^{}'"`$\\]*\}/g;

/** Words that the shell executes itself. Most of them are no files. */
const BUILT_IN = new Set(
  (
    '. : [ alias bg break case cd command continue echo eval exec exit export false fc fg for function getopts hash ' +
    'help if jobs kill let local printf pwd read readonly return select set shift source test time times trap true ' +
    'type typeset ulimit umask unalias unset until wait while'
  ).split(' '),
);

/** Puts `exec` before a simple command; returns anything else as it is. */
export function withExec(command: string): string {
  const [start = '', assignments = '', name = ''] = START.exec(command) ?? [];
  const rest = command.slice(start.length).replace(QUOTED, '').replace(HARMLESS, '');
  if (name === '' || BUILT_IN.has(name) || COMPOUND.test(rest)) return command;
  return `${assignments}exec ${command.slice(assignments.length)}`;
}
