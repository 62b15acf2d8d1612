/**
 * The command `health` (an addition): reports each process that should run and does not, or is not healthy. The exit
 * code is 0 or 1 only, because Docker's HEALTHCHECK reserves 2.
 */
import { WrongValue } from '../../config/datatype.ts';
import { duration } from '../../config/datatypes.ts';
import type { Question } from '../../core/process-problem.ts';
import type { SupervisorStateName } from '../../core/states.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { ConnectionError } from '../errors.ts';
import { ExitCode } from '../exit-codes.ts';
import { findFlapping, findProblems, formatUnknown, listProblems } from '../health.ts';
import { showHints } from '../name-hint.ts';
import { readStatus } from '../process-status.ts';
import type { Session } from '../session.ts';
import type { ProcessInfo } from '../supervisor-client.ts';
import { endsInTime } from '../time-limit.ts';
import { DEFAULT_WAIT_MS, EventStream, pause } from '../wait.ts';

const RUNNING: SupervisorStateName = 'RUNNING';

/** Processes to judge, and the rules. */
interface HealthQuestion {
  /** As in `status`; empty for all processes. */
  readonly names: readonly string[];
  /** True if a crash loop is a problem. Not by default: a probe must not end a container for one worker. */
  readonly countsFlapping: boolean;
  /** `alive` with `--live`: a restart that is due is no problem. */
  readonly asked: Question;
}

const FLAGS: ReadonlySet<string> = new Set(['--flapping', '--live']);

export const health = defineCommand({
  name: 'health',
  help: ['health [<name> ...]\tList processes that should run and do not, or are not healthy'],
  upcheck: 'never',
  parse(words, namesFrom): HealthQuestion & { readonly waitMs: number | null } {
    const options = words.slice(0, namesFrom);
    return {
      names: words.filter((word, at) => at >= namesFrom || !word.startsWith('--')),
      countsFlapping: options.includes('--flapping'),
      asked: options.includes('--live') ? 'alive' : 'ready',
      waitMs: options.map(parseWait).find((waitMs) => waitMs !== null) ?? null,
    };
  },
  limitMs: ({ waitMs }) => waitMs,
  async run(session, { waitMs, ...question }) {
    if (waitMs !== null) return waitForHealth(session, question, waitMs);
    const own = await session.askOwn(() => readOwnProblems(session, question));
    const reading = own === null ? await session.askIfUp(() => readProblems(session, question)) : { answer: own };
    if (reading === null) session.exitCode = ExitCode.GENERIC;
    else {
      showProblems(session, reading.answer);
      await showHints(session, unknownNames(reading.answer, question.names));
    }
  },
});

/** Reads `--wait` or `--wait=TIME`, in milliseconds; null for any other word. Throws {@link ArgumentError}. */
function parseWait(word: string): number | null {
  const match = /^--wait(?:=(.*))?$/s.exec(word);
  if (match === null) {
    if (word.startsWith('--') && !FLAGS.has(word))
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

/** Reads the problems that the supervisor has found. Null for a question about some processes, with stricter rules. */
async function readOwnProblems({ client }: Session, question: HealthQuestion): Promise<string[] | null> {
  // As /readyz: during shutdown_delay the programs run, and should get no new work.
  const state = question.asked === 'ready' ? await client.getStateName() : null;
  if (state !== null && state !== RUNNING) return [`supervisor: ${state}`];
  const { names } = question;
  const own = names.length === 0 || names.includes('all') ? await client.getStatus(false) : null;
  return own === null ? null : [...listProblems(own, question.asked), ...listFlapping(own, question)];
}

function listFlapping(own: readonly ProcessInfo[], { names, countsFlapping }: HealthQuestion): string[] {
  return countsFlapping ? findFlapping(own.map(readStatus), names) : [];
}

async function readProblems(session: Session, question: HealthQuestion): Promise<string[]> {
  const found = await readOwnProblems(session, question);
  if (found !== null) return found;
  const { client } = session;
  const { names, countsFlapping } = question;
  const own = countsFlapping ? await client.getStatus(false) : null;
  const flapping = listFlapping(own ?? [], question);
  const infos = own ?? (await client.getAllProcessInfo());
  return [...findProblems(infos, await client.getAllConfigInfo(), { names, question: question.asked }), ...flapping];
}

/** Returns the names for which there is no process, by their lines. */
function unknownNames(problems: readonly string[], names: readonly string[]): readonly string[] {
  return names.filter((name) => problems.includes(formatUnknown(name)));
}

function showProblems(session: Session, problems: readonly string[]): void {
  session.outputAll(problems);
  if (problems.length > 0) session.exitCode = ExitCode.GENERIC;
}

/** Waits until there is no problem. A supervisor that does not answer yet is asked again. */
async function waitForHealth(session: Session, question: HealthQuestion, timeoutMs: number): Promise<void> {
  let last: (() => void) | null = null;
  const events = new EventStream(session);
  const isInTime = await endsInTime(session, async () => {
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
