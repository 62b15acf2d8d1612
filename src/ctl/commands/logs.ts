/** The command `logs`: shows the lines of any number of programs in the order they were written, and follows them. */
import { faults, RpcFault } from '../../core/faults.ts';
import { defineCommand } from '../command.ts';
import { StatusExitCode } from '../exit-codes.ts';
import { followUntilInterrupt } from '../follow.ts';
import { formatTailFault } from '../format.ts';
import { type LogsOptions, parseLogs } from '../logs/options.ts';
import { showLogs } from '../logs/show.ts';
import { splitQuoted } from '../logs/words.ts';
import type { Session } from '../session.ts';
import { DEFAULT_BYTES } from './tail.ts';

export const logs = defineCommand({
  name: 'logs',
  help: [
    'logs\t\t\tThe last 100 lines of all processes',
    'logs -f <name> <name>\tFollow processes until Ctrl-C',
    'logs --since 10m <name>\tThe last ten minutes, also from log files',
    "logs --grep 'time ?out'\tLines that match a regular expression",
    'For all options: onevisor logs --help',
  ],
  upcheck: 'after arguments',
  exitCodeAlone: StatusExitCode.UNKNOWN,
  split: splitQuoted,
  parse: (words) => parseLogs(words, Date.now()),
  async run(session, options) {
    try {
      await showLogs(session, options);
    } catch (error) {
      if (!(error instanceof RpcFault) || error.code !== faults.UNKNOWN_METHOD) throw error;
      await showSeparately(session, options);
    }
  },
});

const NOT_MERGED =
  'this supervisor keeps no times of lines, so the end of stdout is shown first, and then the end of stderr';

/** Shows the logs of one process of a Python supervisord, which cannot merge them. */
async function showSeparately(session: Session, { names, isFollowing, stream }: LogsOptions): Promise<void> {
  const [name] = names;
  if (name === undefined || names.length > 1 || /[*?]/.test(name)) {
    session.fail('Error: this supervisor cannot merge the logs of several processes: name one, as in logs web');
    return;
  }
  if (isFollowing) {
    session.io.stderr.write(`this supervisor follows one stream only: ${stream ?? 'stdout'}\n`);
    await followUntilInterrupt(session, `/logtail/${name}/${stream ?? 'stdout'}`);
    return;
  }
  session.io.stderr.write(`${NOT_MERGED}\n`);
  for (const channel of stream === null ? (['stdout', 'stderr'] as const) : [stream]) {
    try {
      session.io.stdout.write(await session.client.readProcessLog(name, channel, -DEFAULT_BYTES, 0));
    } catch (error) {
      if (!(error instanceof RpcFault)) throw error;
      // Without a log of stderr there is nothing to show, and stdout was shown.
      if (error.code === faults.NO_FILE && stream === null) continue;
      session.fail(formatTailFault(name, error.code) ?? `${name}: ERROR (no such process)`);
      return;
    }
  }
}
