/** The command `maintail`: the end of the supervisor's own log, or, with -f, all that is added to it. */
import { RpcFault } from '../../core/faults.ts';
import type { Command } from '../command.ts';
import { followUntilInterrupt } from '../follow.ts';
import { formatTailFault } from '../format.ts';
import { splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import { DEFAULT_BYTES, parseInteger } from './tail.ts';

export const maintail: Command = {
  name: 'maintail',
  help: [
    'maintail -f \tContinuous tail of supervisor main log file (Ctrl-C to exit)',
    'maintail -100\tlast 100 *bytes* of supervisord main log file',
    'maintail\tlast 1600 *bytes* of supervisor main log file',
    '',
  ],
  async run(session, argument) {
    if (!(await session.upcheck())) return false;
    const [word, ...rest] = splitNames(argument);
    if (rest.length > 0) {
      session.fail('Error: too many arguments');
      session.outputAll(maintail.help);
    } else if (word === undefined) {
      await showMainLog(session, DEFAULT_BYTES);
    } else if (word === '-f') {
      await followUntilInterrupt(session, '/mainlogtail');
    } else {
      const bytes = word.startsWith('-') ? parseInteger(word.slice(1)) : null;
      if (bytes === null) session.fail(`Error: bad argument ${word}`);
      else await showMainLog(session, bytes);
    }
    return false;
  },
};

async function showMainLog(session: Session, bytes: number): Promise<void> {
  try {
    session.output(await session.client.readLog(bytes === 0 ? 0 : -bytes, 0));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    const line = formatTailFault('supervisord', error.code);
    if (line === null) throw error;
    session.fail(line);
  }
}
