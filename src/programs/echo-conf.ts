/** `onevisor echo-conf`: prints a sample configuration with every option. */
import { helpOf } from '../cli/help-text.ts';
import { formatSample } from '../config/reference.ts';
import type { ProgramIo } from './program-io.ts';

/**
 * Runs `echo-conf` with the arguments after its name. The only one is `-h`.
 *
 * @returns the exit code
 */
export function runEchoConf(
  args: readonly string[],
  _env: Readonly<Record<string, string | undefined>>,
  io: ProgramIo,
): number {
  const [first] = args;
  if (first === undefined) {
    io.out(formatSample());
    return 0;
  }
  if (first === '-h' || first === '--help') {
    io.out(helpOf('echo-conf'));
    return 0;
  }
  io.err(`Error: echo-conf takes no arguments, not "${first}"\nFor help, use onevisor echo-conf -h\n`);
  return 2;
}
