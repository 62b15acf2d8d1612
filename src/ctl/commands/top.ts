/** The command `top` (an addition): all processes on a full screen, live. Without a terminal it is `status`. */
import { showText } from '../../core/shown-text.ts';
import { ArgumentError, type Command, defineCommand } from '../command.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import type { CtlIo } from '../io.ts';
import { runTop } from '../top/run-top.ts';
import { PLAIN_VIEW, showStatus } from './status.ts';

const READ_ONLY = '--read-only';

const fullScreen = defineCommand({
  name: 'top',
  help: ['top [--read-only]\tAll processes on a full screen, live'],
  upcheck: 'after arguments',
  exitCodeAlone: StatusExitCode.UNKNOWN,
  parse(words) {
    const unknown = words.find((word) => word !== READ_ONLY);
    if (unknown !== undefined)
      throw new ArgumentError(`Error: top has no option ${showText(unknown)}`, {
        isHelpShown: true,
        exitCode: ExitCode.INVALID_ARGS,
      });
    return { isReadOnly: words.includes(READ_ONLY) };
  },
  async run(session, { isReadOnly }) {
    const objection = objectionTo(session.io);
    if (objection === null && session.io.terminal !== undefined) {
      await runTop(session, session.io.terminal, isReadOnly);
      return;
    }
    session.io.stderr.write(`top needs a terminal, and ${objection}; this is the status, once\n`);
    await showStatus(session, { names: [], ...PLAIN_VIEW });
  },
});

export const top: Command = fullScreen;

/** Returns the reason why there is no full screen; null if there can be one. */
function objectionTo({ stdin, stdout, env, terminal }: CtlIo): string | null {
  if (stdout.isTTY !== true) return 'standard output is none';
  if (stdin.isTTY !== true) return 'standard input is none';
  if (env['TERM'] === 'dumb') return 'TERM is dumb';
  return terminal === undefined ? 'this client has none' : null;
}
