/**
 * `onevisor check`: reads a configuration as the supervisor would, reports all its problems, and prints the effective
 * values. Starts nothing, changes nothing.
 */
import { CHECK_FORMATS } from '../cli/commands.ts';
import { helpOf } from '../cli/help-text.ts';
import { formatAnnotations } from '../config/annotations.ts';
import { describeReading, formatConfig, formatProblems } from '../config/effective.ts';
import { type Flags, parseFlags } from '../config/flags.ts';
import type { Reading } from '../config/model.ts';
import { isNote } from '../config/problems.ts';
import { currentDirectory } from '../files/current-directory.ts';
import type { ProgramIo } from './program-io.ts';
import { readConfiguration, type ReadingIo } from './read-configuration.ts';
import { addFindings } from './strict.ts';

/** The options of `check` itself, and the other arguments, which are flags of the supervisor. */
interface OwnOptions {
  readonly isStatic: boolean;
  readonly isStrict: boolean;
  readonly format: (typeof CHECK_FORMATS)[number];
  readonly rest: readonly string[];
}

/** Takes the options of `check` out of the arguments before `--`. Returns the message of a wrong command line. */
function takeOptions(args: readonly string[]): OwnOptions | string {
  const options = { isStatic: false, isStrict: false, format: 'text' as OwnOptions['format'] };
  const end = args.indexOf('--');
  const length = end === -1 ? args.length : end;
  const own = args.slice(0, length);
  const rest: string[] = [];
  for (let arg = own.shift(); arg !== undefined; arg = own.shift()) {
    if (arg === '--static') options.isStatic = true;
    else if (arg === '--strict') options.isStrict = true;
    else if (arg === '--json') options.format = 'json';
    else if (arg === '--format' || arg.startsWith('--format=')) {
      const value = arg === '--format' ? own.shift() : arg.slice('--format='.length);
      const format = CHECK_FORMATS.find((known) => known === value);
      if (format === undefined) return `--format is one of ${CHECK_FORMATS.join(', ')}`;
      options.format = format;
    } else rest.push(arg);
  }
  return { ...options, rest: [...rest, ...args.slice(length)] };
}

/**
 * Runs `check` with the arguments after its name: its own options, and the flags of the supervisor.
 *
 * @returns the exit code: 0, or 2 if there is an error, or a warning with `--strict`
 */
export async function runCheck(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  io: ReadingIo,
): Promise<number> {
  const own = takeOptions(args);
  if (typeof own === 'string') return refuse(own, io);
  const outcome = parseFlags(own.rest);
  switch (outcome.kind) {
    case 'help':
    case 'version':
      io.out(helpOf('check'));
      return 0;
    case 'usage':
      return refuse(outcome.message, io);
    case 'run':
      return check(own, outcome.flags, env, io);
  }
}

function refuse(message: string, io: ProgramIo): number {
  io.err(`Error: ${message}\nFor help, use onevisor check -h\n`);
  return 2;
}

async function check(
  { isStatic, isStrict, format }: OwnOptions,
  flags: Flags,
  env: Readonly<Record<string, string | undefined>>,
  io: ReadingIo,
): Promise<number> {
  const { isContainer, reading: plain } = await readConfiguration({ flags, isStatic }, env, io);
  const reading = isStrict ? addFindings(plain, { env, lookup: isStatic ? null : io.users }) : plain;
  switch (format) {
    case 'json':
      io.out(`${JSON.stringify(describeReading(reading), null, 1)}\n`);
      break;
    case 'github':
      io.out(formatAnnotations(reading, rootOf(env)));
      break;
    case 'text':
      io.err(formatProblems(reading));
      if (reading.config !== null) io.out(formatConfig(reading.config, isContainer));
  }
  return isAcceptable(reading, isStrict) ? 0 : 2;
}

/** True if a check succeeds. Notes are about something that the user may have meant, and never make it fail. */
function isAcceptable({ errors, warnings }: Reading, isStrict: boolean): boolean {
  return errors.length === 0 && !(isStrict && warnings.some(({ reason }) => !isNote(reason)));
}

/** Returns the directory of the checkout: that of the job on GitHub, or the working directory. */
function rootOf(env: Readonly<Record<string, string | undefined>>): string {
  const workspace = env['GITHUB_WORKSPACE'] ?? '';
  return workspace === '' ? currentDirectory() : workspace;
}
