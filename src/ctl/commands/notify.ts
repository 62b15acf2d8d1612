/** The command `notify`: sends a test message by sections `[notify:x]`. */
import { faults, RpcFault } from '../../core/faults.ts';
import { ArgumentError, defineCommand } from '../command.ts';
import { ExitCode, StatusExitCode } from '../exit-codes.ts';
import type { Session } from '../session.ts';

export const notify = defineCommand({
  name: 'notify',
  help: ['notify <name> [...]\tPlease see: onevisor help notify'],
  upcheck: 'before arguments',
  exitCodeAlone: StatusExitCode.UNKNOWN,
  parse(words) {
    if (words.length > 0) return words;
    throw new ArgumentError('Error: notify requires the x of a [notify:x]', { isHelpShown: true });
  },
  async run(session, names) {
    for (const name of names) await testOne(session, name);
  },
});

async function testOne(session: Session, name: string): Promise<void> {
  try {
    const failure = await session.client.testNotification(name);
    if (failure === '') session.output(`${name}: delivered`);
    else session.fail(`${name}: ERROR (${failure})`, ExitCode.GENERIC);
  } catch (error) {
    if (!(error instanceof RpcFault)) throw error;
    session.fail(`${name}: ERROR (${describe(error)})`, ExitCode.GENERIC);
  }
}

function describe({ code, faultString }: RpcFault): string {
  if (code === faults.BAD_NAME) return 'there is no such section; use the x of [notify:x]';
  if (code === faults.UNKNOWN_METHOD) return 'the supervisor is older than this command';
  return faultString.replace(/^FAILED: /, '');
}
