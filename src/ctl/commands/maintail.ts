/** The command `maintail`: shows the end of the supervisor's own log, or follows it with -f. */
import { RpcFault } from '../../core/faults.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { followUntilInterrupt } from '../follow.ts';
import { formatTailFault } from '../format.ts';
import type { Session } from '../session.ts';
import { DEFAULT_BYTES, parseInteger } from './tail.ts';

export const maintail = defineCommand({
  name: 'maintail',
  help: [
    'maintail -f \tContinuous tail of supervisor main log file (Ctrl-C to exit)',
    'maintail -100\tlast 100 *bytes* of supervisord main log file',
    'maintail\tlast 1600 *bytes* of supervisor main log file',
    '',
  ],
  upcheck: 'before arguments',
  parse([word, ...rest]): number | 'follow' {
    if (rest.length > 0) throw new ArgumentError('Error: too many arguments', { isHelpShown: true });
    if (word === undefined) return DEFAULT_BYTES;
    if (word === '-f') return 'follow';
    const bytes = word.startsWith('-') ? parseInteger(word.slice(1)) : null;
    if (bytes === null) throw new ArgumentError(`Error: bad argument ${word}`, { isHelpShown: false });
    return bytes;
  },
  async run(session, bytes) {
    if (bytes === 'follow') await followUntilInterrupt(session, '/mainlogtail');
    else await showMainLog(session, bytes);
  },
});

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
