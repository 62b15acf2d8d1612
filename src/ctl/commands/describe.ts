/** The commands `describe` and `why` (additions): everything about a process, as facts or as one paragraph. */
import { chooseProcesses } from '../choose-processes.ts';
import { ArgumentError, defineCommand, requireNames } from '../command.ts';
import { fitLines, type RunLines, formatDescription } from '../description.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import { numberOf, structsOf, textOf } from '../members.ts';
import { showHints } from '../name-hint.ts';
import { type ProcessStatus, readStatus } from '../process-status.ts';
import { readScreen, type Screen } from '../screen.ts';
import type { Session } from '../session.ts';
import type { ProcessInfo } from '../supervisor-client.ts';
import { explainProcess } from '../why.ts';
import { showText } from '../../core/shown-text.ts';
import { STREAM_NAMES, type StreamName } from '../../core/stream-name.ts';

/** Number of lines of each stream that are shown. */
const SHOWN_LINES = 10;
/** Longest line of a program that is shown in full. */
const LINE_LENGTH = 2000;

function readNames(command: string): (words: readonly string[], namesFrom: number) => readonly string[] {
  return (words, namesFrom) => {
    const option = words.slice(0, namesFrom).find((word) => word.startsWith('-'));
    if (option !== undefined)
      throw new ArgumentError(`Error: ${command} has no option ${showText(option)}`, {
        isHelpShown: true,
        exitCode: ExitCode.INVALID_ARGS,
      });
    return requireNames(command, words, ExitCode.INVALID_ARGS);
  };
}

export const describe = defineCommand({
  name: 'describe',
  help: ['describe <name>\t\tEverything about a process'],
  upcheck: 'after arguments',
  exitCodeAlone: StatusExitCode.UNKNOWN,
  parse: readNames('describe'),
  run: (session, names) => forEachNamed(session, names, (found) => showDescriptions(session, found)),
});

export const why = defineCommand({
  name: 'why',
  help: ['why <name>\t\tThe condition of a process in one paragraph'],
  upcheck: 'after arguments',
  exitCodeAlone: StatusExitCode.UNKNOWN,
  parse: readNames('why'),
  run: (session, names) =>
    forEachNamed(session, names, async (found, all) => {
      const statuses = all.map(readStatus);
      for (const info of found) session.output(await explain(session, info, statuses));
    }),
});

/** Finds the processes that the names mean, and shows the names that no process has. */
async function forEachNamed(
  session: Session,
  names: readonly string[],
  show: (found: readonly ProcessInfo[], all: readonly ProcessInfo[]) => Promise<void>,
): Promise<void> {
  const { client } = session;
  const infos = (await client.getStatus(false)) ?? (await client.getAllProcessInfo());
  const { found, problems, unknown } = chooseProcesses(names, infos);
  for (const problem of problems) session.fail(problem, StatusExitCode.UNKNOWN);
  await show([...new Set(found)], infos);
  await showHints(session, unknown);
}

/** Shows everything about processes. */
export async function showDescriptions(session: Session, infos: readonly ProcessInfo[]): Promise<void> {
  const screen = readScreen(session.io);
  for (const [index, info] of infos.entries()) {
    const described = (await session.client.describeProcess(fullNameOf(info))) ?? info;
    const output = await readOutput(session, described, screen);
    if (index > 0) session.output('');
    session.outputAll(formatDescription(readStatus(described), output, screen));
  }
}

async function explain(session: Session, info: ProcessInfo, all: readonly ProcessStatus[]): Promise<string> {
  const described = (await session.client.describeProcess(fullNameOf(info))) ?? info;
  const needed = [...structsOf(described.struct, 'blocked_by'), ...structsOf(described.struct, 'waits_for')];
  const names = new Set(needed.map((other) => textOf(other, 'name')));
  return explainProcess(
    readStatus(described),
    all.filter(({ name, info: other }) => names.has(name) || names.has(fullNameOf(other))),
  );
}

function fullNameOf({ group, name }: ProcessInfo): string {
  return `${group}:${name}`;
}

/** Reads the last lines of the latest run and of the run before, of both streams. */
async function readOutput(session: Session, info: ProcessInfo, screen: Screen): Promise<readonly RunLines[]> {
  const runs = structsOf(info.struct, 'runs').slice(-2).toReversed();
  const wanted = runs.flatMap((run, age) =>
    STREAM_NAMES.map((stream) => ({
      stream,
      pid: numberOf(run, 'pid'),
      isLatest: age === 0,
      before: age === 0 ? null : numberOf(runs[0] ?? null, 'start_seq'),
    })),
  );
  const read = wanted.map(async ({ stream, pid, isLatest, before }): Promise<RunLines[]> => {
    if (pid === null) return [];
    const query = { name: fullNameOf(info), stream, limit: SHOWN_LINES, before };
    const lines = ((await session.client.readLatestLines(query)) ?? []).filter((line) => line.pid === pid);
    if (lines.length === 0) return [];
    const texts = lines.map(({ text }) => showText(withoutColours(text), LINE_LENGTH));
    return [{ title: titleOf(stream, pid, isLatest), lines: fitLines(texts, screen) }];
  });
  return (await Promise.all(read)).flat();
}

function titleOf(stream: StreamName, pid: number, isLatest: boolean): string {
  return `Last lines of ${stream}${isLatest ? '' : ' of the run before'} (pid ${pid}):`;
}

/** Removes the sequences of colours, which {@link showText} would show as text. */
function withoutColours(text: string): string {
  return text.replaceAll(/\x1b\[[0-9;:]*m/g, '').trimEnd();
}
