/**
 * The table of what `check --strict` finds. To add a finding: a function that returns problems, and a row here; the
 * manual has the texts of the rows (`npm run docs`). All findings are warnings, because the machine of the check may
 * differ from that of the run: a file may be mounted later, and a user may be made in the image.
 */
import { findIdleExits } from '../config/idle-exits.ts';
import type { Problem } from '../config/model.ts';
import { findOneOffJobs } from '../config/one-off-jobs.ts';
import { formatProblem, sortByPlace } from '../config/problems.ts';
import type { TracedReading } from '../config/read.ts';
import { findSameLogs } from '../config/same-logs.ts';
import { findSamePorts } from '../config/same-ports.ts';
import type { UserLookup } from '../process/credentials.ts';
import { findBadCommands } from './bad-commands.ts';
import { findClosedDirectories } from './closed-directories.ts';
import { createMachine, type Machine } from './strict-machine.ts';

/** One kind of finding. */
export interface FindingKind {
  readonly id: string;
  /** Sentence for the manual. */
  readonly text: string;
  /** True if the finding depends on this machine. `--static` leaves it out. */
  readonly isOfMachine: boolean;
  /** Null: every check reports it, and a row of its own is only in the manual. */
  readonly find: ((machine: Machine) => readonly Problem[]) | null;
}

/** All findings, in the order of the manual. */
export const FINDINGS: readonly FindingKind[] = [
  {
    id: 'command',
    text:
      'A command, hook or health check that does not exist, is a directory, or cannot be executed by its `user`; ' +
      'also one whose interpreter (`#!`) or loader is missing. Only the first word is looked for: words after `env`, ' +
      '`exec` or `sh -c` may mean anything.',
    isOfMachine: true,
    find: findBadCommands,
  },
  {
    id: 'directory',
    text: 'A `directory` that the `user` may not enter or read, by the modes of all folders on the way.',
    isOfMachine: true,
    find: findClosedDirectories,
  },
  {
    id: 'quotes',
    text: 'A command with a quote that is not closed, with its position. Every check reports it.',
    isOfMachine: false,
    find: null,
  },
  {
    id: 'idle-exit',
    text:
      'An `exit_on_failure` that can never act, because each exit is followed by a restart. Every check reports it ' +
      'for programs without `max_restarts`. With `--strict` also: a `max_restarts` that is too high for its window, ' +
      'and `exit_on_end` with `cron`.',
    isOfMachine: false,
    find: findIdleExits,
  },
  {
    id: 'one-off-job',
    text:
      'A job without `oneshot`: a known command such as `alembic upgrade`, or a program whose end another program ' +
      'waits for.',
    isOfMachine: false,
    find: findOneOffJobs,
  },
  {
    id: 'same-port',
    text:
      'A port that two programs listen at, or all processes of `numprocs`: by the options of well-known servers ' +
      '(`uvicorn --port`), `[inet_http_server]`, `listen` and `[fcgi-program:x]`; a health check with one port for ' +
      'all.',
    isOfMachine: false,
    find: findSamePorts,
  },
  {
    id: 'same-log',
    text: 'One log file for two programs, for all processes of `numprocs`, or for stdout and stderr of one program.',
    isOfMachine: false,
    find: findSameLogs,
  },
];

/** Facts about the machine. Null: the findings that need them are left out. */
export interface MachineFacts {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly lookup: UserLookup | null;
}

/** Returns a reading with the findings among its warnings. A configuration with errors is not judged. */
export function addFindings(reading: TracedReading, { env, lookup }: MachineFacts): TracedReading {
  const { config, findOption } = reading;
  if (config === null) return reading;
  const machine = createMachine({ config, findOption }, env, lookup);
  const found = FINDINGS.filter(({ isOfMachine }) => !isOfMachine || lookup !== null).flatMap(
    ({ find }) => find?.(machine) ?? [],
  );
  // With numprocs, the same option is judged many times.
  const unique = new Map([...reading.warnings, ...found].map((problem) => [formatProblem(problem), problem]));
  const warnings = [...unique.values()];
  sortByPlace(warnings);
  return { ...reading, warnings };
}

/** Formats the table for the manual. */
export function formatFindings(): string {
  const rows = FINDINGS.map(({ text, isOfMachine }) => `- ${text}${isOfMachine ? ' Not with `--static`.' : ''}`);
  return rows.map(wrap).join('\n');
}

const WIDTH = 120;

/** Breaks a row of a list into lines, and no code in it. */
function wrap(row: string): string {
  const lines = [''];
  for (const word of row.match(/(?:`[^`]*`|[^\s`])+/g) ?? []) {
    const line = lines.at(-1) ?? '';
    if (line.length + word.length + 1 > WIDTH) lines.push(`  ${word}`);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join('\n');
}
