/** Reads the configuration as the supervisor of this container would, for commands that only look at it. */
import { parseFlags, type Flags } from '../config/flags.ts';
import type { Config } from '../config/model.ts';
import { formatProblems } from '../config/effective.ts';
import { readTraced, type TracedReading } from '../config/read.ts';
import { openSource, readGivenFile } from '../config/source.ts';
import { isSupervisorName } from '../core/container-mode.ts';
import type { UserLookup } from '../process/credentials.ts';
import { readAncestor } from '../startup/container-facts.ts';
import { findMode, type ModeOutcome } from '../startup/mode.ts';
import type { ProgramIo } from './program-io.ts';

/** Input of the commands. */
export interface ReadingIo extends ProgramIo {
  /** Looks up users. Null: user names are not checked. */
  readonly users: UserLookup | null;
  /** Path of our executable. A configuration file is searched relative to its directory. */
  readonly executable: string;
  readonly self: { readonly pid: number; readonly parent: number };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads in place of PID 1, if that is a supervisor: `docker exec` runs these commands next to it. */
function asSupervisor(self: ReadingIo['self']): ReadingIo['self'] {
  const first = self.pid === 1 ? null : readAncestor(1);
  return first !== null && isSupervisorName(first) ? { ...self, pid: 1 } : self;
}

/** Reads the configuration. `isStatic`: looks up nothing on this machine. */
export async function readConfiguration(
  { flags, isStatic }: { readonly flags: Flags; readonly isStatic: boolean },
  env: Environment,
  io: ReadingIo,
): Promise<ModeOutcome<TracedReading>> {
  const given = await readGivenFile(flags.file ?? env['ONEVISOR_CONF']);
  const readAs = (mode: boolean): TracedReading =>
    readTraced(openSource(env, io.users, given), { isContainer: mode, isStatic, flags, executable: io.executable });
  return findMode({ env, self: asSupervisor(io.self), flags }, readAs);
}

/**
 * Reads the configuration for a command that prints something made from it, with the flags of the supervisor and
 * `--static`. Reports problems.
 *
 * @returns the configuration, or the exit code
 */
export async function configurationFor(
  command: string,
  args: readonly string[],
  env: Environment,
  io: ReadingIo,
): Promise<Config | number> {
  const isStatic = args.includes('--static');
  const outcome = parseFlags(args.filter((arg) => arg !== '--static'));
  if (outcome.kind !== 'run' || outcome.flags.command !== null) {
    const message = outcome.kind === 'usage' ? outcome.message : 'there is nothing to run';
    io.err(`Error: ${message}\nFor help, use onevisor ${command} --help\n`);
    return 2;
  }
  const { reading } = await readConfiguration({ flags: outcome.flags, isStatic }, env, io);
  if (reading.config === null) {
    io.err(formatProblems(reading));
    return 2;
  }
  if (reading.config.inetServers.length === 0)
    io.err('Note: there is no [inet_http_server], so Prometheus cannot read /metrics of this configuration\n');
  return reading.config;
}
