/** The commands `reopen` and `rotate`: act on the log files of processes, one process after the other. */
import { faults, RpcFault } from '../../core/faults.ts';
import { formatNamespec } from '../../core/namespec.ts';
import { type Command, defineCommand, requireNames } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { showHints } from '../name-hint.ts';
import { matchOrKeep } from '../names.ts';
import type { Session } from '../session.ts';

/** Makes a command that calls `act` for each process. `done`: the result in one word. */
function logFileCommand(
  name: 'reopen' | 'rotate',
  done: string,
  act: (session: Session, proc: string) => Promise<void>,
): Command {
  return defineCommand({
    name,
    help: [`${name} <name> [...]\tPlease see: onevisor help ${name}`],
    upcheck: 'before arguments',
    parse: (words) => requireNames(name, words),
    async run(session, names) {
      const listAll = session.client.getAllProcessInfo;
      const found = names.includes('all')
        ? (await listAll()).map((proc) => formatNamespec(proc.group, proc.name))
        : (await Promise.all(names.map((word) => matchOrKeep(word, listAll)))).flat();
      for (const proc of new Set(found)) {
        try {
          await act(session, proc);
          session.output(`${proc}: ${done}`);
        } catch (error) {
          await showFault(session, proc, error);
        }
      }
    },
  });
}

async function showFault(session: Session, proc: string, error: unknown): Promise<void> {
  if (!(error instanceof RpcFault)) throw error;
  if (error.code === faults.UNKNOWN_METHOD) {
    session.fail('the supervisor is older than this command; send it SIGUSR2 to reopen the logs of all programs');
    return;
  }
  const reason = error.code === faults.BAD_NAME ? 'no such process' : error.faultString.replace(/^FAILED: /, '');
  session.fail(`${proc}: ERROR (${reason})`, ExitCode.GENERIC);
  if (error.code === faults.BAD_NAME) await showHints(session, [proc]);
}

export const reopen = logFileCommand('reopen', 'logs reopened', (session, proc) =>
  session.client.reopenProcessLogs(proc),
);
export const rotate = logFileCommand('rotate', 'logs rotated', (session, proc) =>
  session.client.rotateProcessLogs(proc),
);
