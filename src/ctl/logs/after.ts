/** The option `--logs` of `start` and `restart`: shows what the processes have written since the command began. */
import type { Session } from '../session.ts';
import { parseLogs } from './options.ts';
import { showLogs } from './show.ts';

const OPTION = '--logs';

/** The words of a command without the option. */
export interface LogsWords {
  readonly rest: readonly string[];
  readonly hasLogs: boolean;
}

/** Takes `--logs` out of the words of a command. */
export function takeLogs(words: readonly string[]): LogsWords {
  return { rest: words.filter((word) => word !== OPTION), hasLogs: words.includes(OPTION) };
}

/** Runs `action`, and then follows the lines since its beginning until Ctrl-C. */
export async function withLogs(
  session: Session,
  names: readonly string[],
  hasLogs: boolean,
  action: () => Promise<void>,
): Promise<void> {
  if (!hasLogs) {
    await action();
    return;
  }
  const { next, epoch } = await session.client.readLines({ limit: 1, streams: ['stdout', 'stderr'] });
  await action();
  await showLogs(session, parseLogs(['-f', '--', ...names], Date.now()), { next, epoch });
}
