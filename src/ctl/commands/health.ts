/**
 * The command `health` (an addition): reports each process that should run and does not, or is not healthy. The exit
 * code is 0 or 1 only, because Docker's HEALTHCHECK reserves 2.
 */
import { WrongValue } from '../../config/datatype.ts';
import { duration } from '../../config/datatypes.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { ConnectionError } from '../errors.ts';
import { ExitCode } from '../exit-codes.ts';
import { findFlapping, findProblems, listProblems } from '../health.ts';
import { readStatus } from '../process-status.ts';
import type { Session } from '../session.ts';
import { DEFAULT_WAIT_MS, EventStream, pause, runWithin } from '../wait.ts';

/** Processes to judge, and the rules. */
interface HealthQuestion {
  /** As in `status`; empty for all processes. */
  readonly names: readonly string[];
  /** True if a crash loop is a problem. Not by default: a probe must not end a container for one worker. */
  readonly countsFlapping: boolean;
}

export const health = defineCommand({
  name: 'health',
  help: ['health [<name> ...]\tList processes that should run and do not, or are not healthy'],
  upcheck: 'never',
  parse: (words) => ({
    names: words.filter((word) => !word.startsWith('--')),
    countsFlapping: words.includes('--flapping'),
    waitMs: words.map(parseWait).find((waitMs) => waitMs !== null) ?? null,
  }),
  async run(session, { waitMs, ...question }) {
    if (waitMs !== null) return waitForHealth(session, question, waitMs);
    const reading = await session.askIfUp(() => readProblems(session, question));
    if (reading === null) session.exitCode = ExitCode.GENERIC;
    else showProblems(session, reading.answer);
  },
});

/** Reads `--wait` or `--wait=TIME`, in milliseconds; null for any other word. Throws {@link ArgumentError}. */
function parseWait(word: string): number | null {
  const match = /^--wait(?:=(.*))?$/s.exec(word);
  if (match === null) {
    if (word.startsWith('--') && word !== '--flapping')
      throw new ArgumentError(`Error: health has no option ${word}`, { isHelpShown: true });
    return null;
  }
  if (match[1] === undefined) return DEFAULT_WAIT_MS;
  try {
    return duration.parse(match[1], { cwd: '/', home: null, host: null }) * 1000;
  } catch (error) {
    if (!(error instanceof WrongValue)) throw error;
    throw new ArgumentError(`Error: --wait: ${error.message}`, { isHelpShown: false });
  }
}

async function readProblems({ client }: Session, { names, countsFlapping }: HealthQuestion): Promise<string[]> {
  const isAll = names.length === 0 || names.includes('all');
  const own = isAll || countsFlapping ? await client.getStatus(false) : null;
  const flapping = own !== null && countsFlapping ? findFlapping(own.map(readStatus), names) : [];
  // The supervisor has judged its processes. A question about some of them has stricter rules.
  if (own !== null && isAll) return [...listProblems(own), ...flapping];
  const infos = own ?? (await client.getAllProcessInfo());
  return [...findProblems(infos, await client.getAllConfigInfo(), names), ...flapping];
}

function showProblems(session: Session, problems: readonly string[]): void {
  session.outputAll(problems);
  if (problems.length > 0) session.exitCode = ExitCode.GENERIC;
}

/** Waits until there is no problem. A supervisor that does not answer yet is asked again. */
async function waitForHealth(session: Session, question: HealthQuestion, timeoutMs: number): Promise<void> {
  let last: (() => void) | null = null;
  const events = new EventStream(session);
  const isInTime = await runWithin(session, timeoutMs, async () => {
    for (;;) {
      try {
        await events.open();
        const problems = await readProblems(session, question);
        if (problems.length === 0) return;
        last = (): void => showProblems(session, problems);
        await events.wait();
      } catch (error) {
        if (!(error instanceof ConnectionError)) throw error;
        last = (): void => session.failWith(error);
        await pause(session);
      }
    }
  });
  if (isInTime) return;
  const show = last as (() => void) | null;
  if (show === null) session.fail(`ERROR (no answer after ${timeoutMs / 1000} s)`);
  else show();
}
