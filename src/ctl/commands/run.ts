/**
 * The command `run NAME -- CMD`: runs a command with the user, directory, environment and limits of a program. The
 * supervisor tells the settings; the command is a child of this client and has its terminal.
 */
import { faults, RpcFault } from '../../core/faults.ts';
import { CtlError } from '../errors.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import type { ProgramSettings } from '../../rpc/supervisor-api.ts';
import { showHints } from '../name-hint.ts';
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
  let settings: ProgramSettings;
  try {
    if (!(await session.upcheck())) {
      session.exitCode = StatusExitCode.UNKNOWN;
      return;
    }
    settings = await session.client.getLaunchSettings(parsed.name);
  } catch (error) {
    if (error instanceof CtlError) return session.failWith(error);
    if (!(error instanceof RpcFault)) throw error;
    session.fail(`${parsed.name}: ERROR (${describe(error)})`, ExitCode.GENERIC);
    if (error.code === faults.BAD_NAME) await showHints(session, [parsed.name]);
    return;
  }
  session.exitCode = await io.runProgram(settings, parsed.argv);
}

function describe({ code, faultString, reason }: RpcFault): string {
  if (code === faults.BAD_NAME) return 'no such process';
  if (code === faults.UNKNOWN_METHOD) return 'the supervisor is older than this command';
  return reason ?? faultString.replace(/^[A-Z_]+: /, '');
}
