/**
 * The command `tail`: shows the end of the log of a process, or follows it with -f. An addition: `-f` takes several
 * names and patterns, and then follows as `logs -f` does.
 */
import { formatPythonString } from '../../config/python-text.ts';
import { faults, RpcFault } from '../../core/faults.ts';
import type { StreamName } from '../../core/stream-name.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { announceFollowing, followUntilInterrupt } from '../follow.ts';
import { formatTailFault } from '../format.ts';
import { parseLogs } from '../logs/options.ts';
import { showLogs } from '../logs/show.ts';
import { showHints } from '../name-hint.ts';
import { selectNamed } from '../names.ts';
import type { Session } from '../session.ts';

/** Number of bytes that `tail` and `maintail` show by default. */
export const DEFAULT_BYTES = 1600;

/** Parses a number as Python's int() does; null for any other text. */
export function parseInteger(text: string): number | null {
  return /^[+-]?\d+(_\d+)*$/.test(text) ? Number(text.replaceAll('_', '')) : null;
}

/** The log to show, and how much of it. */
interface TailArguments {
  readonly name: string;
  readonly stream: StreamName;
  readonly bytes: number | 'follow';
}

/** Several names or patterns to follow. `error`: what Supervisor's client says about these words. */
interface FollowArguments {
  readonly names: readonly string[];
  readonly stream: StreamName;
  readonly error: ArgumentError | null;
}

export const tail = defineCommand({
  name: 'tail',
  help: [
    'tail [-f] <name> [stdout|stderr] (default stdout)',
    'Ex:',
    'tail -f <name>\t\tContinuous tail of named process stdout',
    '\t\t\tCtrl-C to exit.',
    'tail -100 <name>\tlast 100 *bytes* of process stdout',
    'tail <name> stderr\tlast 1600 *bytes* of process stderr',
  ],
  upcheck: 'before arguments',
  parse: parseTail,
  async run(session, args) {
    if ('names' in args) {
      await followSeveral(session, args);
      return;
    }
    const { name, stream, bytes } = args;
    if (bytes !== 'follow') await showTail(session, { name, stream, bytes });
    else if (!(await refuseUnknown(session, [name]))) await followUntilInterrupt(session, `/logtail/${name}/${stream}`);
  },
});

function parseTail(given: readonly string[], namesFrom: number): TailArguments | FollowArguments {
  try {
    const args = parseOne(given, namesFrom > 0);
    if (args.bytes !== 'follow' || !/[*?]/.test(args.name)) return args;
    return { names: [args.name], stream: args.stream, error: null };
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const [modifier, ...words] = given;
    const last = words.at(-1)?.toLowerCase();
    const hasStream = last === 'stdout' || last === 'stderr';
    const names = hasStream ? words.slice(0, -1) : words;
    if (namesFrom === 0 || modifier !== '-f' || names.length < 2) throw error;
    return { names, stream: hasStream ? last : 'stdout', error };
  }
}

/** Follows several processes. compat: a word that is no process is an error in the words of Supervisor's client. */
async function followSeveral(session: Session, { names, stream, error }: FollowArguments): Promise<void> {
  if (await refuseUnknown(session, names)) return;
  const known = error === null ? [] : await session.client.getAllProcessInfo();
  if (error !== null && names.some((name) => selectNamed([name], known).length === 0)) {
    session.fail(error.message, error.exitCode);
    if (error.isHelpShown) session.outputAll(tail.help);
    return;
  }
  announceFollowing(session);
  await showLogs(session, parseLogs(['-f', '-n', '10', '--no-events', `--${stream}`, '--', ...names], Date.now()));
}

/**
 * Prints an error for each name of no process. Returns true if there is one. compat: only for our own views, since
 * Supervisor's client shows the address that cannot be read.
 */
async function refuseUnknown(session: Session, names: readonly string[]): Promise<boolean> {
  if (!session.hasOwnViews) return false;
  const processes = await session.client.getAllProcessInfo();
  const unknown = names.filter((name) => selectNamed([name], processes).length === 0);
  for (const name of unknown) session.fail(`${name}: ERROR (no such process name)`);
  await showHints(session, unknown);
  return unknown.length > 0;
}

/** Reads the words for one process. The first word can be the modifier only if it `canBeOption`. */
function parseOne(given: readonly string[], canBeOption: boolean): TailArguments {
  const words = [...given];
  if (words.length === 0) throw new ArgumentError('Error: too few arguments', { isHelpShown: true });
  if (words.length > 3) throw new ArgumentError('Error: too many arguments', { isHelpShown: true });
  const modifier = canBeOption && words[0]?.startsWith('-') === true ? words.shift() : undefined;
  const [name] = words;
  if (name === undefined) throw new ArgumentError('Error: tail requires process name', { isHelpShown: false });
  const stream = parseStream(words);
  if (modifier === '-f') return { name, stream, bytes: 'follow' };
  const bytes = modifier === undefined ? DEFAULT_BYTES : parseInteger(modifier.slice(1));
  if (bytes === null) throw new ArgumentError(`Error: bad argument ${modifier}`, { isHelpShown: false });
  return { name, stream, bytes };
}

/** Reads the stream from the words after the modifier; stdout if there is only the process name. */
function parseStream(words: readonly string[]): StreamName {
  if (words.length === 1) return 'stdout';
  const stream = words.at(-1)?.toLowerCase() ?? '';
  if (stream === 'stdout' || stream === 'stderr') return stream;
  throw new ArgumentError(`Error: bad channel ${formatPythonString(stream)}`, { isHelpShown: false });
}

async function showTail(
  session: Session,
  { name, stream, bytes }: { name: string; stream: StreamName; bytes: number },
): Promise<void> {
  try {
    // -0 would be sent as a double.
    session.output(await session.client.readProcessLog(name, stream, bytes === 0 ? 0 : -bytes, 0));
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    const line =
      error.code === faults.BAD_NAME ? `${name}: ERROR (no such process name)` : formatTailFault(name, error.code);
    if (line === null) throw error;
    session.fail(line);
    if (error.code === faults.BAD_NAME) await showHints(session, [name]);
  }
}
