/**
 * Variables by which Node itself would change what we do, meant for the programs of the container: they are set aside
 * before we begin, and given to the programs again. So is what an execve(2) of Node would not pass on unchanged. Pure;
 * who calls it executes us anew.
 */

/**
 * Those that Node reads before any code of ours runs, or later by itself, and that no flag switches off. (NODE_OPTIONS
 * is: see the build.)
 */
const READ_BY_NODE: ReadonlySet<string> = new Set([
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_V8_COVERAGE',
  'NODE_COMPILE_CACHE',
  'NODE_USE_ENV_PROXY',
  'NODE_UNIQUE_ID',
  'NODE_TEST_CONTEXT',
]);

/** Where they are while we run. */
const SET_ASIDE = 'ONEVISOR_SET_ASIDE';

/** Arguments and environment that we were started with. */
export interface Start {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
}

/**
 * The variables that are set aside. JSON has escapes for the code units of files/bytes.ts, so it is all ASCII where
 * that matters.
 */
interface SetAside {
  readonly variables: Readonly<Record<string, string>>;
  /** Null: they are passed on as they are. */
  readonly args: readonly string[] | null;
}

/** Returns the arguments and environment to start again with; null if they are ours already. */
export function cleanStart({
  env,
  args,
}: Start): { readonly env: Record<string, string>; readonly args: readonly string[] } | null {
  if (!Object.keys(env).some((name) => READ_BY_NODE.has(name))) return null;
  const mustLeave = (name: string, value: string): boolean =>
    READ_BY_NODE.has(name) || !name.isWellFormed() || !value.isWellFormed();
  const all = Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  const variables = Object.fromEntries(all.filter(([name, value]) => mustLeave(name, value)));
  const aside: SetAside = { variables, args: args.every((arg) => arg.isWellFormed()) ? null : args };
  const rest = Object.fromEntries(all.filter(([name, value]) => !mustLeave(name, value)));
  return { env: { ...rest, [SET_ASIDE]: JSON.stringify(aside) }, args };
}

/** Returns the environment as it was given to the container, with the variables that were set aside. */
export function originalStart({ env, args }: Start): Start {
  const { [SET_ASIDE]: text, ...rest } = env;
  if (text === undefined) return { env: rest, args };
  const aside = JSON.parse(text) as SetAside;
  return { env: { ...rest, ...aside.variables }, args: aside.args ?? args };
}
