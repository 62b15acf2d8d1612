/**
 * The command `health` (an addition): reports each process that should run and does not, or is not healthy. The exit
 * code is 0 or 1 only, because Docker's HEALTHCHECK reserves 2.
 */
import { defineCommand } from '../command.ts';
import { ExitCode } from '../exit-codes.ts';
import { findProblems } from '../health.ts';

export const health = defineCommand({
  name: 'health',
  help: ['health [<name> ...]\tList processes that should run and do not, or are not healthy'],
  upcheck: 'never',
  parse: (words) => words,
  async run(session, names) {
    const { client } = session;
    if (!(await session.upcheck())) {
      session.exitCode = ExitCode.GENERIC;
      return;
    }
    const problems = findProblems(await client.getAllProcessInfo(), await client.getAllConfigInfo(), names);
    session.outputAll(problems);
    if (problems.length > 0) session.exitCode = ExitCode.GENERIC;
  },
});
