/**
 * Sets aside variables that would change the behaviour of Node itself. They are meant for the programs of the
 * container, which get them back. The same is done for strings that execve(2) of Node would not pass on unchanged.
 * Pure: the caller executes this program again.
 */

/**
 * Variables that Node reads before our code runs, or later by itself, and that no flag disables. (A flag of the build
 * disables NODE_OPTIONS.)
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

/** Variable that holds them while we run. */
const SET_ASIDE = 'ONEVISOR_SET_ASIDE';

/** Arguments and environment of a start. */
export interface Start {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly args: readonly string[];
}

/**
 * The strings that are set aside. JSON escapes the lone surrogates of files/bytes.ts, so the environment stays valid
 * UTF-8.
 */
interface SetAside {
  readonly variables: Readonly<Record<string, string>>;
  /** Null if the arguments are passed on unchanged. */
  readonly args: readonly string[] | null;
}

/** Returns the arguments and environment to start again with; null if there is nothing to set aside. */
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

/** Returns the start as the container was given it, with the strings that were set aside. */
export function originalStart({ env, args }: Start): Start {
  const { [SET_ASIDE]: text, ...rest } = env;
  if (text === undefined) return { env: rest, args };
  const aside = JSON.parse(text) as SetAside;
  return { env: { ...rest, ...aside.variables }, args: aside.args ?? args };
}
