/**
 * Finding of `check --strict`: one log file of several processes or streams. The supervisor keeps their lines whole
 * (one sink for each file), but mixes them, and only one set of the options for rotation applies. Pure.
 */
import type { StreamName } from '../core/stream-name.ts';
import { type Judged, nameSection, problemOf, processesOf } from './findings.ts';
import { fileIn } from './log-files.ts';
import type { LogTarget } from './log-target.ts';
import type { Problem, ProcessConfig } from './model.ts';
import { NOTE } from './problems.ts';
import { sectionNameOf } from './section-names.ts';

const STREAMS: readonly StreamName[] = ['stdout', 'stderr'];

/** The log of one stream of one process. */
interface Log {
  readonly proc: ProcessConfig;
  readonly stream: StreamName;
}

/** Finds log files with more than one owner. Each stream of a section is reported once. */
export function findSameLogs(judged: Judged): Problem[] {
  const { supervisord } = judged.config;
  const ofSupervisor = new Set(supervisord.logfile.flatMap(filesIn));
  const owners = new Map<string, Log>();
  const found: Problem[] = [];
  for (const proc of processesOf(judged.config)) {
    for (const stream of STREAMS) {
      const option = `${stream}_logfile` as const;
      for (const path of proc.options[option].flatMap(filesIn)) {
        const owner = owners.get(path);
        if (owner === undefined) owners.set(path, { proc, stream });
        const reason = ofSupervisor.has(path)
          ? 'is the log of the supervisor too ([supervisord] logfile), so the lines of both mix; name another file'
          : explainOwner({ proc, stream }, owner, judged);
        if (reason !== null) found.push(problemOf(judged, proc, option, reason));
      }
    }
  }
  return found;
}

/** Returns the paths of regular files. Devices may be shared: what they get is not kept. */
function filesIn(target: LogTarget): string[] {
  const path = fileIn(target);
  return path === null ? [] : [path];
}

function explainOwner({ proc, stream }: Log, owner: Log | undefined, judged: Judged): string | null {
  if (owner === undefined) return null;
  if (owner.proc === proc) return owner.stream === stream ? null : explainStreams(proc);
  const option = `${owner.stream}_logfile`;
  if (sectionNameOf(owner.proc) === sectionNameOf(proc))
    return 'is one file for all processes of numprocs, so their lines mix; write %(process_num)d into its name';
  return (
    `is also the ${option} of ${nameSection(judged, owner.proc, option)}: the lines of both mix, and one of them ` +
    'sets the rotation for both; name another file'
  );
}

/**
 * One file for both streams is a common wish, which has an option of its own. It works here, so this is only a note: in
 * Supervisor each stream rotates the file under the other one.
 */
function explainStreams({ options }: ProcessConfig): string | null {
  const rotates = STREAMS.every((stream) => options[`${stream}_logfile_maxbytes`] > 0);
  if (!rotates) return null;
  return (
    `${NOTE}is the same file as stdout_logfile; redirect_stderr=true in place of it does the same, also in ` +
    'Supervisor, where both streams rotate one file and lose lines'
  );
}
