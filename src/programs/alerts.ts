/** `onevisor alerts`: prints alert rules of Prometheus for a configuration. */
import { formatAlertRules } from './alert-rules.ts';
import { configurationFor, type ReadingIo } from './read-configuration.ts';

/** Runs `alerts` with the arguments after its name. Returns the exit code. */
export async function runAlerts(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  io: ReadingIo,
): Promise<number> {
  const config = await configurationFor('alerts', args, env, io);
  if (typeof config === 'number') return config;
  io.out(formatAlertRules(config));
  return 0;
}
