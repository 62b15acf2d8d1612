/**
 * The command `status`: shows the state of processes as a table. On a terminal the table is our own (status-table.ts),
 * unless we are called as `supervisorctl`. Additions: `--json` prints the structs of the server, `--watch` or
 * `--watch=SECONDS` repeats the output until Ctrl-C, `--problems` shows failures first, `--stats` measures the
 * programs, and `-v` describes them.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RpcFault } from '../../core/faults.ts';
import { ProcessState, STOPPED_STATES } from '../../core/states.ts';
import { chooseProcesses } from '../choose-processes.ts';
import { defineCommand } from '../command.ts';
import { ConnectionError } from '../errors.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import { formatStatuses } from '../format.ts';
import { showHints } from '../name-hint.ts';
import { forOwnView, readStatus } from '../process-status.ts';
import { readScreen } from '../screen.ts';
import type { Session } from '../session.ts';
import { formatStatusTable, sortStatuses } from '../status-table.ts';
import type { ProcessInfo } from '../supervisor-client.ts';

const DEFAULT_WATCH_MS = 2000;
const STOPPED_NUMBERS: ReadonlySet<number> = new Set([...STOPPED_STATES].map((name) => ProcessState[name]));
/** Moves the cursor to the top left and clears the screen. */
const CLEAR_SCREEN = '\x1b[H\x1b[J';

const OPTIONS: ReadonlySet<string> = new Set(['--json', '--problems', '--stats', '-v']);

/** The processes to show, and the form of the output. */
interface StatusView {
  /** Empty for all processes. */
  readonly names: readonly string[];
  readonly isJson: boolean;
  /** True if failures come first. */
  readonly areProblemsFirst: boolean;
  /** True if the processor time and the memory of the programs are measured. */
  readonly hasStats: boolean;
  /** True if the processes are described. */
  readonly isVerbose: boolean;
}

/** All processes, with nothing more. */
export const PLAIN_VIEW: Omit<StatusView, 'names'> = {
  isJson: false,
  areProblemsFirst: false,
  hasStats: false,
  isVerbose: false,
};

export const status = defineCommand({
  name: 'status',
  help: [
    'status <name>\t\tGet status for a single process',
    'status <gname>:*\tGet status for all processes in a group',
    'status <name> <name>\tGet status for multiple named processes',
    'status\t\t\tGet all process status info',
  ],
  upcheck: 'never',
  parse(words, namesFrom) {
    const options = words.slice(0, namesFrom);
    const isName = (word: string, at: number): boolean =>
      at >= namesFrom || (!OPTIONS.has(word) && parseWatch(word) === null);
    return {
      names: words.filter(isName),
      isJson: options.includes('--json'),
      areProblemsFirst: options.includes('--problems'),
      hasStats: options.includes('--stats'),
      isVerbose: options.includes('-v'),
      watchMs: options.map(parseWatch).find((period) => period !== null) ?? null,
    };
  },
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
export async function showStatus(session: Session, view: StatusView, before = ''): Promise<void> {
  const { isJson, isVerbose } = view;
  // compat: scripts get the table of Supervisor's client, which needs no more than Supervisor's facts.
  const isOwnTable = !isJson && (session.hasOwnViews || view.hasStats || view.areProblemsFirst);
  const { client } = session;
  const askOwn = async (): Promise<ProcessInfo[] | null> =>
    isJson || isOwnTable ? client.getStatus(view.hasStats) : null;
  const own = await session.askOwn(askOwn);
  const reading =
    own === null ? await session.askIfUp(async () => (await askOwn()) ?? client.getAllProcessInfo()) : { answer: own };
  if (reading === null) {
    session.exitCode = StatusExitCode.UNKNOWN;
    return;
  }
  const { found, problems, unknown } = chooseProcesses(view.names, reading.answer);
  session.io.stdout.write(before);
  if (isJson) {
    for (const problem of problems) session.io.stderr.write(`${problem}\n`);
    const structs = orderInfos(found, view.areProblemsFirst).map((info) => info.struct);
    session.output(JSON.stringify(structs, null, 2));
  } else {
    session.outputAll(problems);
    if (isVerbose) {
      const { showDescriptions } = await import('./describe.ts');
      await showDescriptions(session, found);
    } else if (isOwnTable) await showTable(session, found, view.areProblemsFirst);
    else session.outputAll(formatStatuses(session.io.isOwnName === true ? found.map(forOwnView) : found));
    await showHints(session, unknown);
  }
  if (problems.length > 0) session.exitCode = StatusExitCode.UNKNOWN;
  // compat: the exit code for a stopped process has priority over the exit code for an unknown name.
  if (found.some((info) => STOPPED_NUMBERS.has(info.state))) session.exitCode = StatusExitCode.NOT_RUNNING;
}

/** Shows our own table. Only names that no process has leave it empty. */
async function showTable(session: Session, infos: readonly ProcessInfo[], areProblemsFirst: boolean): Promise<void> {
  const statuses = sortStatuses(infos.map(readStatus), areProblemsFirst);
  const state = await session.client.getStateName();
  session.outputAll(formatStatusTable(statuses, readScreen(session.io)));
  if (state === 'SHUTDOWN') session.output('the supervisor shuts down; the programs run on for shutdown_delay');
}

/** Puts failures first. Without that, the order is that of the server. */
function orderInfos(infos: readonly ProcessInfo[], areProblemsFirst: boolean): readonly ProcessInfo[] {
  return areProblemsFirst ? sortStatuses(infos.map(readStatus), true).map(({ info }) => info) : infos;
}
