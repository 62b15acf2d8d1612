/**
 * The command `status`: the state of processes, as a table. Additions: `--json` prints what the server says of them,
 * `--watch` and `--watch=SECONDS` print the table again and again until Ctrl-C.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RpcFault } from '../../core/faults.ts';
import { parseNamespec } from '../../core/namespec.ts';
import { ProcessState, STOPPED_STATES } from '../../core/states.ts';
import type { Command } from '../command.ts';
import { ConnectionError, formatError } from '../errors.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import { formatStatuses } from '../format.ts';
import { findMatches, isPattern, splitNames } from '../names.ts';
import type { Session } from '../session.ts';
import type { ProcessInfo } from '../supervisor-client.ts';

const DEFAULT_WATCH_MS = 2000;
const STOPPED_NUMBERS: ReadonlySet<number> = new Set([...STOPPED_STATES].map((name) => ProcessState[name]));
/** Puts the cursor to the top left, and clears what is below it. */
const CLEAR_SCREEN = '\x1b[H\x1b[J';

export const status: Command = {
  name: 'status',
  help: [
    'status <name>\t\tGet status for a single process',
    'status <gname>:*\tGet status for all processes in a group',
    'status <name> <name>\tGet status for multiple named processes',
    'status\t\t\tGet all process status info',
  ],
  async run(session, argument) {
    const words = splitNames(argument);
    const watch = words.map(parseWatch).find((period) => period !== null) ?? null;
    const isJson = words.includes('--json');
    const names = words.filter((word) => word !== '--json' && parseWatch(word) === null);
    if (watch !== null) await watchStatus(session, names, isJson, watch);
    else await showStatus(session, names, isJson, '');
    return false;
  },
};

/** The period of `--watch` or `--watch=SECONDS`, in milliseconds; null for any other word. */
function parseWatch(word: string): number | null {
  const seconds = /^--watch(?:=(\d{1,6}(?:\.\d{1,3})?))?$/.exec(word);
  if (seconds === null) return null;
  return seconds[1] === undefined ? DEFAULT_WATCH_MS : Math.max(100, Number(seconds[1]) * 1000);
}

async function watchStatus(
  session: Session,
  names: readonly string[],
  isJson: boolean,
  periodMs: number,
): Promise<void> {
  const before = session.io.stdout.isTTY === true && !isJson ? CLEAR_SCREEN : '';
  const { signal } = session.interrupt;
  while (!session.gone.aborted) {
    session.exitCode = ExitCode.SUCCESS;
    await showStatus(session, names, isJson, before).catch((error: unknown) => showFailure(session, error));
    try {
      await delay(periodMs, undefined, { signal });
    } catch {
      // Only Ctrl-C ends the pause early, and it is the way out.
      session.output('');
      return;
    }
  }
}

/** A supervisor that restarts is away for a while; watching goes on. Anything else ends it. */
function showFailure(session: Session, error: unknown): void {
  if (!(error instanceof RpcFault) && !(error instanceof ConnectionError)) throw error;
  session.fail(formatError(error));
}

/** Shows the processes that are named, all where none is. `before` is printed in front, once the answer is there. */
export async function showStatus(
  session: Session,
  names: readonly string[],
  isJson: boolean,
  before: string,
): Promise<void> {
  if (!(await session.upcheck())) {
    session.exitCode = StatusExitCode.UNKNOWN;
    return;
  }
  const infos = await session.client.getAllProcessInfo();
  const { found, problems } = chooseProcesses(names, infos);
  session.io.stdout.write(before);
  if (isJson) {
    for (const problem of problems) session.io.stderr.write(`${problem}\n`);
    session.output(
      JSON.stringify(
        found.map((info) => info.struct),
        null,
        2,
      ),
    );
  } else {
    session.outputAll([...problems, ...formatStatuses(found)]);
  }
  if (problems.length > 0) session.exitCode = StatusExitCode.UNKNOWN;
  // compat: a stopped process outweighs an unknown name.
  if (found.some((info) => STOPPED_NUMBERS.has(info.state))) session.exitCode = StatusExitCode.NOT_RUNNING;
}

function chooseProcesses(
  names: readonly string[],
  infos: readonly ProcessInfo[],
): { found: readonly ProcessInfo[]; problems: readonly string[] } {
  if (names.length === 0 || names.includes('all')) return { found: infos, problems: [] };
  const problems: string[] = [];
  const found = names.flatMap((name) => {
    const { group, process: proc } = parseNamespec(name);
    const matches = isPattern(name)
      ? findMatches(name, infos)
      : infos.filter((info) => info.group === group && (proc === null || info.name === proc));
    if (matches.length === 0)
      problems.push(proc === null ? `${group}: ERROR (no such group)` : `${name}: ERROR (no such process)`);
    return matches;
  });
  return { found, problems };
}
