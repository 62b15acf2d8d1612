/**
 * Variables by which Node itself would change what we do, meant for the programs of the container: they are set aside before we begin, and given to the programs again.
 * Pure; who calls it executes us anew.
 */

/** Those that Node reads before any code of ours runs, or later by itself, and that no flag switches off. (NODE_OPTIONS is: see the build.) */
const READ_BY_NODE: ReadonlySet<string> = new Set([
  'NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE', 'NODE_USE_ENV_PROXY', 'NODE_UNIQUE_ID', 'NODE_TEST_CONTEXT',
]);

/** Where they are while we run. */
const SET_ASIDE = 'ONEVISOR_SET_ASIDE';

type Environment = Readonly<Record<string, string | undefined>>;

/** The environment that we should have been started with; null where it is the one that we have. */
export function cleanEnvironment(env: Environment): Record<string, string> | null {
  const aside = Object.entries(env).filter(([name]) => READ_BY_NODE.has(name));
  if (aside.length === 0) return null;
  const rest = Object.entries(env).filter(([name, value]) => !READ_BY_NODE.has(name) && value !== undefined);
  return { ...(Object.fromEntries(rest) as Record<string, string>), [SET_ASIDE]: JSON.stringify(Object.fromEntries(aside)) };
}

/** The environment as it was given to the container: what was set aside is back in its place. */
export function originalEnvironment(env: Environment): Record<string, string | undefined> {
  const { [SET_ASIDE]: aside, ...rest } = env;
  return aside === undefined ? rest : { ...rest, ...(JSON.parse(aside) as Record<string, string>) };
}
