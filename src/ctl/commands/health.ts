/**
 * The command `health` (an addition): whether all that should run does and is healthy; a line for each problem. It ends
 * with 0 or 1 only, because Docker's HEALTHCHECK reserves 2.
 */
import type { Command } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { findProblems } from '../health.ts';
import { splitNames } from '../names.ts';

export const health: Command = {
  name: 'health',
  help: ['health [<name> ...]\tTell what should run and does not, or is not healthy'],
  async run(session, argument) {
    if (!(await session.upcheck())) {
      session.exitCode = ExitCode.GENERIC;
      return false;
    }
    const { client } = session;
    const problems = findProblems(
      await client.getAllProcessInfo(),
      await client.getAllConfigInfo(),
      splitNames(argument),
    );
    session.outputAll(problems);
    if (problems.length > 0) session.exitCode = ExitCode.GENERIC;
    return false;
  },
};
