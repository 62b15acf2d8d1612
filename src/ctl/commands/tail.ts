/** The command `tail`: the end of the log of a process, or, with -f, all that is added to it. */
import { formatPythonString } from '../../config/python-text.ts';
import { faults, RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { followUntilInterrupt } from '../follow.ts';
import { formatTailFault } from '../format.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import type { StreamName } from '../supervisor-client.ts';

/** Bytes that are shown where no number is given. */
export const DEFAULT_BYTES = 1600;

/** A number as Python's int() reads it; null where it does not. */
export function parseInteger(text: string): number | null {
  return /^[+-]?\d+(_\d+)*$/.test(text) ? Number(text.replaceAll('_', '')) : null;
}

export const tail: Command = {
  name: 'tail',
  help: [
    'tail [-f] <name> [stdout|stderr] (default stdout)',
    'Ex:',
    'tail -f <name>\t\tContinuous tail of named process stdout',
    '\t\t\tCtrl-C to exit.',
    'tail -100 <name>\tlast 100 *bytes* of process stdout',
    'tail <name> stderr\tlast 1600 *bytes* of process stderr',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const words = splitNames(argument);
    if (words.length === 0 || words.length > 3) {
      session.fail(words.length === 0 ? 'Error: too few arguments' : 'Error: too many arguments');
      session.outputAll(tail.help);
      return false;
    }
    const modifier = words[0]?.startsWith('-') === true ? words.shift() : undefined;
    const [name] = words;
    if (name === undefined) {
      session.fail('Error: tail requires process name');
      return false;
    }
    const channel = parseChannel(words);
    const bytes = modifier === undefined ? DEFAULT_BYTES : parseInteger(modifier.slice(1));
    if (channel === null) session.fail(`Error: bad channel ${formatPythonString(words.at(-1)?.toLowerCase() ?? '')}`);
    else if (modifier === '-f') await followUntilInterrupt(session, `/logtail/${name}/${channel}`);
    else if (bytes === null) session.fail(`Error: bad argument ${modifier}`);
    else await showTail(session, name, channel, bytes);
    return false;
  },
};

/** The channel that the words after the modifier name; stdout where there is only the process. */
function parseChannel(words: readonly string[]): StreamName | null {
  if (words.length === 1) return 'stdout';
  const channel = words.at(-1)?.toLowerCase();
  return channel === 'stdout' || channel === 'stderr' ? channel : null;
}

async function showTail(session: Session, name: string, channel: StreamName, bytes: number): Promise<void> {
  try {
    // An offset of -0 would travel as a double.
    session.output(await session.client.readProcessLog(name, channel, bytes === 0 ? 0 : -bytes, 0));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    const line =
      error.code === faults.BAD_NAME ? `${name}: ERROR (no such process name)` : formatTailFault(name, error.code);
    if (line === null) throw error;
    session.fail(line);
  }
}
