/**
 * Variables by which Node itself would change what we do, meant for the programs of the container: they are set aside before we begin, and given to the programs again.
 * So is what an execve(2) of Node would not pass on unchanged. Pure; who calls it executes us anew.
 */

/** Those that Node reads before any code of ours runs, or later by itself, and that no flag switches off. (NODE_OPTIONS is: see the build.) */
const READ_BY_NODE: ReadonlySet<string> = new Set([
  'NODE_DEBUG', 'NODE_DEBUG_NATIVE', 'NODE_V8_COVERAGE', 'NODE_COMPILE_CACHE', 'NODE_USE_ENV_PROXY', 'NODE_UNIQUE_ID', 'NODE_TEST_CONTEXT',
]);

/** Where they are while we run. */
const SET_ASIDE = 'ONEVISOR_SET_ASIDE';

/** What we are started with. */
export interface Start {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
}

/** What is set aside. JSON has escapes for the code units of files/bytes.ts, so it is all ASCII where that matters. */
interface SetAside {
  readonly variables: Readonly<Record<string, string>>;
  /** Null: they are passed on as they are. */
  readonly args: readonly string[] | null;
}

/** What we should have been started with; null where it is what we have. */
export function cleanStart({ env, args }: Start): { readonly env: Record<string, string>; readonly args: readonly string[] } | null {
  if (!Object.keys(env).some((name) => READ_BY_NODE.has(name))) return null;
  const mustLeave = (name: string, value: string): boolean => READ_BY_NODE.has(name) || !name.isWellFormed() || !value.isWellFormed();
  const all = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const variables = Object.fromEntries(all.filter(([name, value]) => mustLeave(name, value)));
  const aside: SetAside = { variables, args: args.every((arg) => arg.isWellFormed()) ? null : args };
  const rest = Object.fromEntries(all.filter(([name, value]) => !mustLeave(name, value)));
  return { env: { ...rest, [SET_ASIDE]: JSON.stringify(aside) }, args };
}

/** What was given to the container: what was set aside is back in its place. */
export function originalStart({ env, args }: Start): Start {
  const { [SET_ASIDE]: text, ...rest } = env;
  if (text === undefined) return { env: rest, args };
  const aside = JSON.parse(text) as SetAside;
  return { env: { ...rest, ...aside.variables }, args: aside.args ?? args };
}
