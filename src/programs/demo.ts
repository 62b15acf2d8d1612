/**
 * The built-in demo: a supervisor with three programs that need only a shell. Has the configuration and the greeting;
 * supervise.ts runs the supervisor.
 */

import { existsSync } from 'node:fs';

const SHELL = '/bin/sh';
const WORKER_ENDS = "echo 'the worker crashes' >&2; exit 3";
const ORPHAN_LEFT = 'left an orphan behind: it becomes a child of onevisor, which reaps it';

/** A clock, a worker that fails and is restarted, and a program that leaves orphans. */
const CONFIGURATION = `
[supervisord]
loglevel=info

[program:clock]
command=${SHELL} -c "while :; do date; sleep 2; done"

[program:worker]
command=${SHELL} -c "for job in 1 2 3; do echo working on job $job; sleep 1; done; ${WORKER_ENDS}"

[program:parent]
command=${SHELL} -c "while sleep 5; do (sleep 1 &); echo '${ORPHAN_LEFT}'; done"
`;

/** Returns the environment for the demo: container mode, with the configuration of the demo only. */
export function demoEnvironment(env: Readonly<NodeJS.ProcessEnv>): NodeJS.ProcessEnv {
  const outside = Object.entries(env).filter(([name]) => !name.startsWith('ONEVISOR_'));
  return {
    ...Object.fromEntries(outside),
    ONEVISOR_CONTAINER: '1',
    ONEVISOR_CONF: '',
    ONEVISOR_CONF_TEXT: CONFIGURATION,
  };
}

/** Returns an error if there is no shell for the programs, as in an image FROM scratch; null otherwise. */
export function shellProblem(): string | null {
  if (existsSync(SHELL)) return null;
  return (
    `Error: cannot run the demo: its programs need ${SHELL}, which does not exist here\n` +
    'Run it in an image with a shell: COPY --from=onevisor /usr/local/bin/ /usr/local/bin/\n'
  );
}

/** Formats the greeting before the start. */
export function formatGreeting(executable: string): string {
  return `This is onevisor with three programs: clock, worker (it crashes and is restarted), parent (it leaves orphans).
In another terminal, watch and control them:
  ${executable} ctl status
  ${executable} ctl stop clock
  kill -9 $(${executable} ctl pid clock)   # onevisor starts it again
Ctrl-C stops everything.

`;
}
