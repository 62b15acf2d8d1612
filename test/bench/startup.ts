/**
 * From the exec of the supervisor to the exec of its programs: of the first one, and of all of five hundred.
 */
import type { Contender, Contenders } from './contenders.ts';
import { MISSING } from './contenders.ts';
import type { Row } from './figures.ts';
import { sampleOf } from './figures.ts';
import type { Rig } from './rig.ts';
import { alternate } from './rounds.ts';

/** A supervisor as in a container: in the foreground, its log on the console. */
export const FOREGROUND =
  '[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%FOLDER%/pid\nminfds=8192\n';

/** Sections of programs that write to the container's output. */
export function programSections(count: number, options = ''): string {
  const section = (index: number): string =>
    `[program:p${index}]\ncommand=%STAMP%\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n` +
    `redirect_stderr=true\n${options}`;
  return Array.from({ length: count }, (_, index) => section(index)).join('');
}

/** Starts a supervisor with `programs` programs; milliseconds until the last one's exec. */
async function measureStart(rig: Rig, contender: Contender, programs: number): Promise<number> {
  const running = await rig.start(contender, FOREGROUND + programSections(programs));
  let lastMs = 0;
  for (let seen = 0; seen < programs; seen += 1) lastMs = Math.max(lastMs, (await running.next()).atMs);
  await running.stop();
  return lastMs - running.executed.atMs;
}

/** A start that is measured: the number of programs, of rounds, and the least ratio to the peer. */
export interface StartupCase {
  readonly programs: number;
  readonly rounds: number;
  readonly atLeast: number;
}

/** Measures one row. */
export async function startupRow(
  rig: Rig,
  { ours, supervisor }: Contenders,
  { programs, rounds, atLeast }: StartupCase,
): Promise<Row> {
  const contenders = supervisor === null ? [ours] : [ours, supervisor];
  const figures = await alternate(
    contenders.map((contender) => ({ name: contender.name, measure: () => measureStart(rig, contender, programs) })),
    rounds,
    true,
  );
  return {
    what: programs === 1 ? 'exec -> exec of the first program' : `exec -> exec of all of ${programs} programs`,
    unit: 'ms',
    ours: sampleOf(figures.get(ours.name) ?? []),
    peer: supervisor === null ? null : sampleOf(figures.get(supervisor.name) ?? []),
    peerName: supervisor?.name ?? MISSING.supervisor,
    target: { kind: 'ratio', atLeast },
  };
}
