/** `onevisor grafana`: prints a dashboard of Grafana for a configuration. */
import { makeDashboard } from './grafana-dashboard.ts';
import { configurationFor, type ReadingIo } from './read-configuration.ts';

/** Runs `grafana` with the arguments after its name. Returns the exit code. */
export async function runGrafana(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  io: ReadingIo,
): Promise<number> {
  const config = await configurationFor('grafana', args, env, io);
  if (typeof config === 'number') return config;
  io.out(`${JSON.stringify(makeDashboard(config), null, 1)}\n`);
  return 0;
}
