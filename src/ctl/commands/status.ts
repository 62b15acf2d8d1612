/**
 * The command `status`: shows the state of processes as a table. Additions: `--json` prints the structs of the server,
 * and `--watch` or `--watch=SECONDS` repeats the output until Ctrl-C.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RpcFault } from '../../core/faults.ts';
import { parseNamespec } from '../../core/namespec.ts';
import { ProcessState, STOPPED_STATES } from '../../core/states.ts';
import { defineCommand } from '../command.ts';
import { ConnectionError } from '../errors.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import { formatStatuses } from '../format.ts';
import { showHints } from '../name-hint.ts';
import { findMatches, isPattern } from '../names.ts';
import type { Session } from '../session.ts';
import type { ProcessInfo } from '../supervisor-client.ts';

const DEFAULT_WATCH_MS = 2000;
const STOPPED_NUMBERS: ReadonlySet<number> = new Set([...STOPPED_STATES].map((name) => ProcessState[name]));
/** Moves the cursor to the top left and clears the screen. */
const CLEAR_SCREEN = '\x1b[H\x1b[J';

/** The processes to show, and the form of the output. */
interface StatusView {
  /** Empty for all processes. */
  readonly names: readonly string[];
  readonly isJson: boolean;
}

export const status = defineCommand({
  name: 'status',
  help: [
    'status <name>\t\tGet status for a single process',
    'status <gname>:*\tGet status for all processes in a group',
    'status <name> <name>\tGet status for multiple named processes',
    'status\t\t\tGet all process status info',
  ],
  upcheck: 'never',
  parse: (words) => ({
    names: words.filter((word) => word !== '--json' && parseWatch(word) === null),
    isJson: words.includes('--json'),
    watchMs: words.map(parseWatch).find((period) => period !== null) ?? null,
  }),
  async run(session, { watchMs, ...view }) {
    if (watchMs === null) await showStatus(session, view);
    else await watchStatus(session, view, watchMs);
  },
});

/** Reads the period of `--watch` or `--watch=SECONDS`, in milliseconds; null for any other word. */
function parseWatch(word: string): number | null {
  const seconds = /^--watch(?:=(\d{1,6}(?:\.\d{1,3})?))?$/.exec(word);
  if (seconds === null) return null;
  return seconds[1] === undefined ? DEFAULT_WATCH_MS : Math.max(100, Number(seconds[1]) * 1000);
}

async function watchStatus(session: Session, view: StatusView, periodMs: number): Promise<void> {
  const before = session.io.stdout.isTTY === true && !view.isJson ? CLEAR_SCREEN : '';
  const { signal } = session.interrupt;
  while (!session.gone.aborted) {
    session.exitCode = ExitCode.SUCCESS;
    await showStatus(session, view, before).catch((error: unknown) => showFailure(session, error));
    try {
      await delay(periodMs, undefined, { signal });
    } catch {
      // Only Ctrl-C ends the pause early; it ends the command.
      session.output('');
      return;
    }
  }
}

/** Shows a fault or a lost connection: a supervisor that restarts comes back. Any other error ends the command. */
function showFailure(session: Session, error: unknown): void {
  if (!(error instanceof RpcFault) && !(error instanceof ConnectionError)) throw error;
  session.failWith(error);
}

/** Shows the status of processes. Prints `before` first, as soon as the answer has arrived. */
export async function showStatus(session: Session, { names, isJson }: StatusView, before = ''): Promise<void> {
  if (!(await session.upcheck())) {
    session.exitCode = StatusExitCode.UNKNOWN;
    return;
  }
  const infos = await session.client.getAllProcessInfo();
  const { found, problems, unknown } = chooseProcesses(names, infos);
  session.io.stdout.write(before);
  if (isJson) {
    for (const problem of problems) session.io.stderr.write(`${problem}\n`);
    const structs = found.map((info) => info.struct);
    session.output(JSON.stringify(structs, null, 2));
  } else {
    session.outputAll([...problems, ...formatStatuses(found)]);
    await showHints(session, unknown);
  }
  if (problems.length > 0) session.exitCode = StatusExitCode.UNKNOWN;
  // compat: the exit code for a stopped process has priority over the exit code for an unknown name.
  if (found.some((info) => STOPPED_NUMBERS.has(info.state))) session.exitCode = StatusExitCode.NOT_RUNNING;
}

function chooseProcesses(
  names: readonly string[],
  infos: readonly ProcessInfo[],
): { found: readonly ProcessInfo[]; problems: readonly string[]; unknown: readonly string[] } {
  if (names.length === 0 || names.includes('all')) return { found: infos, problems: [], unknown: [] };
  const problems: string[] = [];
  const unknown: string[] = [];
  const found = names.flatMap((name) => {
    const { group, process: proc } = parseNamespec(name);
    const matches = isPattern(name)
      ? findMatches(name, infos)
      : infos.filter((info) => info.group === group && (proc === null || info.name === proc));
    if (matches.length === 0) {
      unknown.push(name);
      problems.push(proc === null ? `${group}: ERROR (no such group)` : `${name}: ERROR (no such process)`);
    }
    return matches;
  });
  return { found, problems, unknown };
}
