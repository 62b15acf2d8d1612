/**
 * The environment of a new process: what it inherits, what Supervisor adds, what the configuration sets.
 * It reads no environment and no file itself.
 */
import { isServiceLink } from '../core/service-links.ts';
import type { User } from '../native/addon.ts';

/** Our own variables; no program gets them. NODE_OPTIONS is the application's, and stays. */
const OWN_PREFIX = 'ONEVISOR_';

/** Where the variables of a process come from, the later ones over the earlier. */
export interface EnvironmentSources {
  /** Environment of the supervisor. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** `environment` of [supervisord]. */
  readonly common: ReadonlyMap<string, string>;
  readonly processName: string;
  readonly groupName: string;
  /** Where the supervisor is reached; null where it is not known. */
  readonly serverUrl: string | null;
  /** Variables of `environment_file` and `environment_dir`, as they are now. */
  readonly files: ReadonlyMap<string, string>;
  /** `environment` of the program, and what a start adds to it. */
  readonly own: ReadonlyMap<string, string>;
}

/**
 * Variables of a process. `login` is the user whose HOME, USER and LOGNAME are set unless the configuration gives them
 * (`user_env`); null sets none. compat: the SUPERVISOR_* variables can be overridden by the program's `environment`.
 */
export function buildEnvironment(sources: EnvironmentSources, login: User | null): Map<string, string> {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(sources.inherited)) {
    if (value !== undefined && (!name.startsWith(OWN_PREFIX) || isServiceLink(name, value))) variables.set(name, value);
  }
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

/** As execve(2) takes it. */
export function formatEnvironment(variables: ReadonlyMap<string, string>): string[] {
  return Array.from(variables, ([name, value]) => `${name}=${value}`);
}

function setAll(target: Map<string, string>, more: ReadonlyMap<string, string>): void {
  for (const [name, value] of more) target.set(name, value);
}
