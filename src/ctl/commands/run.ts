/**
 * The command `run NAME -- CMD`: runs a command with the user, directory, environment and limits of a program. The
 * supervisor tells the settings; the command is a child of this client and has its terminal.
 */
import { RpcFault } from '../../core/faults.ts';
import { ExitCode } from '../exit-codes.ts';
import type { ProgramSettings } from '../../rpc/supervisor-api.ts';
import type { Session } from '../session.ts';

const USAGE = 'Error: run takes the name of a process, and a command after --: onevisor run web -- sh';

/** Splits `NAME -- CMD ARG…`. Null for another form. */
function parseWords(words: readonly string[]): { readonly name: string; readonly argv: readonly string[] } | null {
  const [name, dashes, ...argv] = words;
  return name === undefined || dashes !== '--' || argv.length === 0 ? null : { name, argv };
}

/** Runs the command. Sets the exit code of the session to that of the command. */
export async function runCommand(session: Session, words: readonly string[]): Promise<void> {
  const parsed = parseWords(words);
  const { io } = session;
  if (parsed === null || io.runProgram === undefined) return session.fail(USAGE, ExitCode.INVALID_ARGS);
  if (!(await session.upcheck())) return;
  let settings: ProgramSettings;
  try {
    settings = await session.client.getLaunchSettings(parsed.name);
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    return session.fail(`${parsed.name}: ERROR (${error.faultString})`, ExitCode.GENERIC);
  }
  session.exitCode = await io.runProgram(settings, parsed.argv);
}
