/** Time from the exec of the supervisor to the exec of its programs: the first one, and all of five hundred. */
import type { Contender, Contenders } from './contenders.ts';
import { MISSING } from './contenders.ts';
import type { Row } from './figures.ts';
import { sampleOf } from './figures.ts';
import type { Rig } from './rig.ts';
import { alternate } from './rounds.ts';

/** A supervisor as in a container: in the foreground, with its log on the console. */
export const FOREGROUND =
  '[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile=%FOLDER%/pid\nminfds=8192\n';

/** Creates sections of programs that write to the output of the container. */
export function programSections(count: number, options = ''): string {
  const section = (index: number): string =>
    `[program:p${index}]\ncommand=%STAMP%\nstdout_logfile=/dev/stdout\nstdout_logfile_maxbytes=0\n` +
    `redirect_stderr=true\n${options}`;
  return Array.from({ length: count }, (_, index) => section(index)).join('');
}

/** Starts a supervisor with `programs` programs. Returns the milliseconds until the last exec. */
async function measureStart(rig: Rig, contender: Contender, programs: number): Promise<number> {
  const running = await rig.start(contender, FOREGROUND + programSections(programs));
  let lastMs = 0;
  for (let seen = 0; seen < programs; seen += 1) lastMs = Math.max(lastMs, (await running.next()).atMs);
  await running.stop();
  return lastMs - running.executed.atMs;
}

/** A measured start: the number of programs and rounds, and the minimum ratio to the peer. */
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
