/**
 * Runs the client from source as a program of its own, called by the name in SUPERVISORCTL_NAME.
 */
import { runCtl } from '../../src/ctl/run.ts';

process.exitCode = await runCtl(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  calledAs: process.env['SUPERVISORCTL_NAME'] ?? 'supervisorctl',
  onInterrupt(listener) {
    process.on('SIGINT', listener);
    return () => process.off('SIGINT', listener);
  },
});
process.stdin.destroy();
