/**
 * Builds the environment of a new process: inherited variables, those of Supervisor, and those of the configuration.
 * Reads no environment and no file itself.
 */
import { isServiceLink } from '../core/service-links.ts';
import { createNameMatcher } from '../core/wildcard.ts';
import type { User } from '../native/addon.ts';

/** Prefix of our own variables, which programs do not get. NODE_OPTIONS belongs to the application and is passed on. */
const OWN_PREFIX = 'ONEVISOR_';

/** Environment of the supervisor. */
type Inherited = Readonly<Record<string, string | undefined>>;

/** Sources of the variables of a process. Later ones override earlier ones. */
export interface EnvironmentSources {
  /** Environment of the supervisor, or the part of it that `environment_pass` names. */
  readonly inherited: Inherited;
  /** `environment` of [supervisord]. */
  readonly common: ReadonlyMap<string, string>;
  readonly processName: string;
  readonly groupName: string;
  /** URL of the supervisor; null if it is unknown. */
  readonly serverUrl: string | null;
  /** Variables of `environment_file` and `environment_dir`. */
  readonly files: ReadonlyMap<string, string>;
  /** Option `environment` of the program, and the variables that a start adds. */
  readonly own: ReadonlyMap<string, string>;
}

/** Returns the variables of the supervisor that programs inherit: all except its own. */
export function inheritVariables(env: Inherited): Map<string, string> {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(env))
    if (value !== undefined && (!name.startsWith(OWN_PREFIX) || isServiceLink(name, value))) variables.set(name, value);
  return variables;
}

/** Returns the variables with these names, which are patterns (`environment_pass`). */
export function passVariables(env: Inherited, names: readonly string[]): Inherited {
  const isPassed = createNameMatcher(names);
  return Object.fromEntries(Object.entries(env).filter(([name]) => isPassed(name)));
}

/**
 * Builds the variables of a process. `login`: the user for HOME, USER and LOGNAME (`user_env`), which the configuration
 * can override; null sets none. compat: the program's `environment` can override the SUPERVISOR_* variables.
 */
export function buildEnvironment(sources: EnvironmentSources, login: User | null): Map<string, string> {
  const variables = inheritVariables(sources.inherited);
  if (login !== null) {
    variables.set('HOME', login.home).set('USER', login.name).set('LOGNAME', login.name);
  }
  setAll(variables, sources.common);
  variables.set('SUPERVISOR_ENABLED', '1');
  if (sources.serverUrl !== null) variables.set('SUPERVISOR_SERVER_URL', sources.serverUrl);
  variables.set('SUPERVISOR_PROCESS_NAME', sources.processName).set('SUPERVISOR_GROUP_NAME', sources.groupName);
  setAll(variables, sources.files);
  setAll(variables, sources.own);
  return variables;
}

/** Formats the variables for execve(2). */
export function formatEnvironment(variables: ReadonlyMap<string, string>): string[] {
  return Array.from(variables, ([name, value]) => `${name}=${value}`);
}

function setAll(target: Map<string, string>, more: ReadonlyMap<string, string>): void {
  for (const [name, value] of more) target.set(name, value);
}
