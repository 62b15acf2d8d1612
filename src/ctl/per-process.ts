/** Commands that call a method of our own for each process that names mean, one process after the other. */
import { faults, RpcFault } from '../core/faults.ts';
import { formatNamespec } from '../core/namespec.ts';
import { type Command, defineCommand, requireNames } from './command.ts';
import { ExitCode, StatusExitCode } from './exit-codes.ts';
import { showHints } from './name-hint.ts';
import { matchOrKeep } from './names.ts';
import type { Session } from './session.ts';

/** The parts of such a command. */
export interface PerProcessParts {
  readonly name: string;
  /** Acts on one process. Resolves with the result in a few words. */
  readonly act: (session: Session, proc: string) => Promise<string>;
  /** Way out if the supervisor is older than the command. */
  readonly otherWay: string;
}

/** Makes the command. */
export function perProcessCommand({ name, act, otherWay }: PerProcessParts): Command {
  return defineCommand({
    name,
    help: [`${name} <name> [...]\tPlease see: onevisor help ${name}`],
    upcheck: 'before arguments',
    exitCodeAlone: StatusExitCode.UNKNOWN,
    parse: (words) => requireNames(name, words),
    async run(session, names) {
      const listAll = session.client.getAllProcessInfo;
      const found = names.includes('all')
        ? (await listAll()).map((proc) => formatNamespec(proc.group, proc.name))
        : (await Promise.all(names.map((word) => matchOrKeep(word, listAll)))).flat();
      for (const proc of new Set(found)) {
        try {
          session.output(`${proc}: ${await act(session, proc)}`);
        } catch (error) {
          await showFault(session, { proc, otherWay }, error);
        }
      }
    },
  });
}

async function showFault(
  session: Session,
  { proc, otherWay }: { readonly proc: string; readonly otherWay: string },
  error: unknown,
): Promise<void> {
  if (!(error instanceof RpcFault)) throw error;
  if (error.code === faults.UNKNOWN_METHOD) {
    session.fail(`the supervisor is older than this command; ${otherWay}`);
    return;
  }
  const reason = error.code === faults.BAD_NAME ? 'no such process' : error.faultString.replace(/^FAILED: /, '');
  session.fail(`${proc}: ERROR (${reason})`, ExitCode.GENERIC);
  if (error.code === faults.BAD_NAME) await showHints(session, [proc]);
}
