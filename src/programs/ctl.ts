/**
 * `supervisorctl`, `onevisor ctl` and `onevisor health`: gives the client its terminal, its environment and the
 * discovery of supervisors, and returns its exit code.
 */
import { placeAction } from '../ctl/options.ts';
import { runCtl } from '../ctl/run.ts';
import { currentDirectory } from '../files/current-directory.ts';
import { openDiscovery } from '../startup/find-supervisor.ts';

/**
 * Runs the client. `calledAs` is the path of this executable; the configuration is searched relative to its directory.
 */
export function runControl(
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
  calledAs: string,
): Promise<number> {
  const cwd = currentDirectory();
  return runCtl(args, {
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    env,
    cwd,
    discovery: openDiscovery(env, cwd, calledAs),
    calledAs,
    onInterrupt(listener: () => void): () => void {
      process.on('SIGINT', listener);
      return () => process.removeListener('SIGINT', listener);
    },
  });
}

/** Checks the health of the supervisor. Returns 0 or 1: Docker's HEALTHCHECK reserves all other codes. */
export async function runHealth(
  args: readonly string[],
  env: Readonly<NodeJS.ProcessEnv>,
  calledAs: string,
): Promise<number> {
  return (await runControl(placeAction('health', args), env, calledAs)) === 0 ? 0 : 1;
}
