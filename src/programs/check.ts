/**
 * `onevisor check`: reads a configuration as the supervisor would, reports all its problems, and prints the effective
 * values. Starts nothing, changes nothing.
 */
import { helpOf } from '../cli/help-text.ts';
import type { Users } from '../config/datatype.ts';
import { describeReading, formatConfig, formatProblems } from '../config/effective.ts';
import { parseFlags } from '../config/flags.ts';
import type { Reading } from '../config/model.ts';
import { readConfig } from '../config/read.ts';
import { openSource, readGivenFile } from '../config/source.ts';
import { isSupervisorName } from '../core/container-mode.ts';
import { readAncestor } from '../startup/container-facts.ts';
import { findMode } from '../startup/mode.ts';
import type { ProgramIo } from './program-io.ts';

/** Further input of `check`. */
export interface CheckIo extends ProgramIo {
  /** Looks up users. Null: user names are not checked. */
  readonly users: Users | null;
  /** Path of our executable. A configuration file is searched relative to its directory. */
  readonly executable: string;
  readonly self: { readonly pid: number; readonly parent: number };
}

/** Checks in place of PID 1, if that is a supervisor: `docker exec` runs `check` next to it. */
function asSupervisor(self: CheckIo['self']): CheckIo['self'] {
  const first = self.pid === 1 ? null : readAncestor(1);
  return first !== null && isSupervisorName(first) ? { ...self, pid: 1 } : self;
}

/**
 * Runs `check` with the arguments after its name: `--json`, `--static`, and the flags of the supervisor.
 *
 * @returns the exit code: 0, or 2 if there is an error
 */
export async function runCheck(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  io: CheckIo,
): Promise<number> {
  const end = args.indexOf('--');
  const own = ['--json', '--static'];
  const isOwn = (arg: string, index: number): boolean => own.includes(arg) && (end === -1 || index < end);
  const outcome = parseFlags(args.filter((arg, index) => !isOwn(arg, index)));
  switch (outcome.kind) {
    case 'help':
    case 'version':
      io.out(helpOf('check'));
      return 0;
    case 'usage':
      io.err(`Error: ${outcome.message}\nFor help, use onevisor check -h\n`);
      return 2;
    case 'run':
      break;
  }
  const isGiven = (flag: string): boolean => args.some((arg, index) => arg === flag && isOwn(arg, index));
  const { flags } = outcome;
  const given = await readGivenFile(flags.file ?? env['ONEVISOR_CONF']);
  const readAs = (mode: boolean): Reading =>
    readConfig(openSource(env, io.users, given), {
      isContainer: mode,
      isStatic: isGiven('--static'),
      flags,
      executable: io.executable,
    });
  const { isContainer, reading } = findMode({ env, self: asSupervisor(io.self), flags }, readAs);
  if (isGiven('--json')) {
    io.out(`${JSON.stringify(describeReading(reading), null, 1)}\n`);
  } else {
    io.err(formatProblems(reading));
    if (reading.config !== null) io.out(formatConfig(reading.config, isContainer));
  }
  return reading.errors.length > 0 ? 2 : 0;
}
