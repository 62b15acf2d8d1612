/**
 * Reasons to exit before the configuration is read: another supervisor runs in this container, or there is no
 * configuration.
 */
import { readSwitch } from '../config/environment.ts';
import { formatFlags, type Flags } from '../config/flags.ts';
import { isUnconfigured, searchNames, searchPaths } from '../config/find-files.ts';
import type { Source } from '../config/source.ts';

/** Facts that the decisions depend on. */
export interface StartRequest {
  readonly flags: Flags;
  readonly source: Source;
  readonly self: { readonly pid: number; readonly parent: number };
  /** Path by which we were called. The configuration is searched relative to its directory. */
  readonly calledPath: string;
  /** Name of this command in messages. */
  readonly calledAs: string;
  /** Finds another supervisor in this container; see find-supervisor.ts. */
  readonly runningPid: () => number | null;
  /** True if standard input and standard output are a terminal. */
  readonly isOnTerminal: boolean;
}

/** Returns the error message if no supervisor may start; null otherwise. */
export function findRefusal(look: StartRequest): string | null {
  return refuseSecond(look) ?? refuseUnconfigured(look);
}

/**
 * Refuses a second supervisor, which a script or `docker exec` could start by mistake. An explicit file or mode is
 * allowed, and so is a supervisor that is itself a program of the first one.
 */
function refuseSecond({ flags, source: { env }, self, runningPid }: StartRequest): string | null {
  if (self.pid === 1 || flags.file !== null || flags.isContainer || readSwitch(env, 'ONEVISOR_CONTAINER') !== null)
    return null;
  const pid = runningPid();
  if (pid === null || pid === self.parent) return null;
  return (
    `Error: cannot start a supervisor: one runs in this container already, with pid ${pid}; use \`onevisor ctl\` to ` +
    `control it, ` +
    'or name a configuration file with -c to start another one\n'
  );
}

function refuseUnconfigured({ flags, source, calledPath, calledAs, isOnTerminal }: StartRequest): string | null {
  if (!isUnconfigured(source, { flags, executable: calledPath })) return null;
  const wasSearched = source.env['ONEVISOR_CONF'] !== '';
  if (calledAs === 'supervisord' && wasSearched) {
    // compat: supervisor.options.Options.default_configfile
    return (
      `Error: No config file found at default paths (${searchNames(calledPath).join(', ')}); use the -c option to ` +
      `specify a config file at a different path\n` +
      `For help, use ${calledAs} -h\n`
    );
  }
  if (!isOnTerminal) return null;
  const searched = wasSearched
    ? `No configuration file was found at ${searchPaths(calledPath, source.cwd).join(', ')}.`
    : 'There is no configuration file, as ONEVISOR_CONF is empty.';
  return (
    `${formatFlags(calledAs)}\n${searched}\nName one with -c, or set ONEVISOR_PROGRAM_<NAME>=<command>, or give ` +
    `a command after --\n`
  );
}
