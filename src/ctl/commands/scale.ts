/** The command `scale`: gives programs another number of processes while they run. */
import { faults, RpcFault } from '../../core/faults.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import { showGroupHints } from '../name-hint.ts';
import type { Session } from '../session.ts';

/** A program and its number of processes. */
interface Wanted {
  readonly program: string;
  readonly count: number;
}

function parseWanted(word: string): Wanted {
  const match = /^(.+)=(\d{1,5})$/.exec(word);
  const count = Number(match?.[2]);
  if (match?.[1] === undefined || count < 1)
    throw new ArgumentError(`Error: scale takes PROGRAM=COUNT with a COUNT of 1 or more, not "${word}"`, {
      isHelpShown: true,
    });
  return { program: match[1], count };
}

export const scale = defineCommand({
  name: 'scale',
  help: ['scale <program>=<count> [...]\tPlease see: onevisor help scale'],
  upcheck: 'before arguments',
  exitCodeAlone: StatusExitCode.UNKNOWN,
  parse(words) {
    if (words.length === 0) throw new ArgumentError('Error: scale requires PROGRAM=COUNT', { isHelpShown: true });
    return words.map(parseWanted);
  },
  async run(session, all) {
    for (const wanted of all) await scaleOne(session, wanted);
  },
});

async function scaleOne(session: Session, { program, count }: Wanted): Promise<void> {
  try {
    const { from, started, stopped } = await session.client.scaleProgram(program, count);
    for (const name of stopped) session.output(`${name}: stopped`);
    for (const name of started) session.output(`${name}: added`);
    session.output(
      `${program}: ${from === count ? `has ${count} processes already` : `scaled from ${from} to ${count}`}`,
    );
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    session.fail(`${program}: ERROR (${describe(error)})`, ExitCode.GENERIC);
    // Without [group:x], a program is a group of its name.
    if (error.code === faults.BAD_NAME) await showGroupHints(session, [program]);
  }
}

function describe({ code, faultString }: RpcFault): string {
  if (code === faults.BAD_NAME) return 'no such program; use the x of [program:x]';
  if (code === faults.UNKNOWN_METHOD) return 'the supervisor is older than this command';
  return faultString.replace(/^FAILED: /, '');
}
