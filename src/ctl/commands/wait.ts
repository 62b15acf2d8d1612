/** The command `wait` (an addition): waits until processes are started, ready, healthy, completed or have exited. */
import type { WaitCondition } from '../../cli/wait-conditions.ts';
import { chooseProcesses } from '../choose-processes.ts';
import { defineCommand, requireNames } from '../command.ts';
import { ConnectionError } from '../errors.ts';
import { ExitCode, StatusExitCode, WaitExitCode } from '../exit-codes.ts';
import { textOf } from '../members.ts';
import { showHints } from '../name-hint.ts';
import { type ProcessStatus, readStatus } from '../process-status.ts';
import type { Session } from '../session.ts';
import { takeTimeout } from '../start-wait.ts';
import type { ProcessInfo } from '../supervisor-client.ts';
import { endsInTime } from '../time-limit.ts';
import { DEFAULT_WAIT_MS, EventStream, WaitLine } from '../wait.ts';
import {
  defaultCondition,
  type Happened,
  judge,
  noteEvent,
  nothingHappened,
  explainUnknownCondition,
  isUnknownCondition,
  parseWaitWord,
  type Verdict,
} from '../wait-conditions.ts';

/** A process, and the condition to wait for. */
interface Wish {
  /** `group:name`. */
  readonly id: string;
  readonly name: string;
  readonly condition: WaitCondition;
  readonly happened: Happened;
  verdict: Verdict;
}

export const wait = defineCommand({
  name: 'wait',
  help: ['wait <name>[:<condition>]\tWait until a process is started, ready, healthy, completed or exited'],
  upcheck: 'never',
  parse(words, namesFrom) {
    const { rest, timeoutMs } = takeTimeout(words.slice(0, namesFrom));
    const names = [...rest, ...words.slice(namesFrom)];
    return { words: requireNames('wait', names, ExitCode.INVALID_ARGS), timeoutMs: timeoutMs ?? DEFAULT_WAIT_MS };
  },
  limitMs: ({ timeoutMs }) => timeoutMs,
  async run(session, { words, timeoutMs }) {
    if (!(await session.upcheck())) {
      session.exitCode = StatusExitCode.UNKNOWN;
      return;
    }
    try {
      await waitForWords(session, words, timeoutMs);
    } catch (error) {
      if (!(error instanceof ConnectionError)) throw error;
      session.failWith(error, StatusExitCode.UNKNOWN);
    }
  },
});

async function waitForWords(session: Session, words: readonly string[], timeoutMs: number): Promise<void> {
  const line = new WaitLine(session);
  let wishes: readonly Wish[] = [];
  try {
    const isInTime = await endsInTime(session, async () => {
      const events = new EventStream(session);
      await events.open();
      const found = await findWishes(session, words);
      if (found === null) return;
      wishes = found;
      await waitForWishes(session, events, { wishes, line });
    });
    if (isInTime) return;
    for (const { name, condition, verdict } of wishes.filter((wish) => wish.verdict.kind !== 'met'))
      session.fail(
        `${name}: ERROR (not ${condition} after ${timeoutMs / 1000} s: ${verdict.kind === 'met' ? '' : verdict.text})`,
        ExitCode.TIMEOUT,
      );
    if (wishes.length === 0) session.fail(`ERROR (no answer after ${timeoutMs / 1000} s)`, ExitCode.TIMEOUT);
  } finally {
    line.close();
  }
}

/** Finds the processes and their conditions. Returns null after showing names that no process has. */
async function findWishes(session: Session, words: readonly string[]): Promise<readonly Wish[] | null> {
  const infos = await readInfos(session);
  const wishes: Wish[] = [];
  const unknown: string[] = [];
  for (const word of words) {
    const isName = (name: string): boolean => chooseProcesses([name], infos).unknown.length === 0;
    const { name, condition } = parseWaitWord(word, isName);
    if (condition === null && isUnknownCondition(word, isName)) {
      session.fail(`${word}: ERROR (${explainUnknownCondition(word)})`, StatusExitCode.UNKNOWN);
      unknown.push(word);
      continue;
    }
    const chosen = chooseProcesses([name], infos);
    unknown.push(...chosen.unknown);
    for (const problem of chosen.problems) session.fail(problem, StatusExitCode.UNKNOWN);
    for (const info of chosen.found) {
      const status = readStatus(info);
      wishes.push({
        id: idOf(info),
        name: status.name,
        condition: condition ?? defaultCondition(status),
        happened: nothingHappened(),
        verdict: { kind: 'pending', text: 'no answer' },
      });
    }
  }
  await showHints(session, unknown);
  return unknown.length > 0 ? null : wishes;
}

async function readInfos({ client }: Session): Promise<readonly ProcessInfo[]> {
  return (await client.getStatus(false)) ?? (await client.getAllProcessInfo());
}

function idOf({ group, name }: ProcessInfo): string {
  return `${group}:${name}`;
}

/** Waits until all wishes are met, or one of them can never be. */
async function waitForWishes(
  session: Session,
  events: EventStream,
  { wishes, line }: { readonly wishes: readonly Wish[]; readonly line: WaitLine },
): Promise<void> {
  for (;;) {
    const statuses = new Map((await readInfos(session)).map((info) => [idOf(info), readStatus(info)]));
    for (const wish of wishes) {
      if (wish.verdict.kind === 'met') continue;
      wish.verdict = judgeWish(wish, statuses.get(wish.id));
      if (wish.verdict.kind === 'pending') continue;
      if (wish.verdict.kind === 'met') session.output(`${wish.name}: ${wish.condition}`);
      else
        session.fail(
          `${wish.name}: ERROR (cannot be ${wish.condition}: ${reasonOf(wish.verdict.text)})`,
          WaitExitCode.NEVER,
        );
    }
    const pending = wishes.filter(({ verdict }) => verdict.kind === 'pending');
    if (pending.length === 0 || wishes.some(({ verdict }) => verdict.kind === 'never')) return;
    line.text = describePending(pending);
    for (const event of await events.wait())
      for (const wish of wishes) if (textOf(event, 'name') === wish.id) noteEvent(wish.happened, event);
  }
}

function judgeWish({ condition, happened }: Wish, status: ProcessStatus | undefined): Verdict {
  return status === undefined
    ? { kind: 'never', text: 'it is not configured any more' }
    : judge(condition, status, happened);
}

/** Describes what the wait is for: `waits for db to be healthy: RUNNING, starting`. */
function describePending(pending: readonly Wish[]): string {
  const [first] = pending;
  if (first === undefined) return '';
  const others = pending.length === 1 ? '' : ` and ${pending.length - 1} more`;
  const text = first.verdict.kind === 'pending' ? first.verdict.text : '';
  return `waits for ${first.name} to be ${first.condition}${others}: ${text}`;
}

/** Returns the reason of a start that cannot happen, without the words that the message has already. */
function reasonOf(text: string): string {
  return text.replace(/^cannot start: /, '');
}
