/**
 * Starts the process that a configuration describes: command, environment, user, limits and streams become one spawn.
 * Keeps no record of running processes, and does not decide when they start.
 */
import { type LogFields, processFields } from '../core/log-fields.ts';
import { existsSync } from 'node:fs';
import type { ProcessConfig } from '../config/model.ts';
import { type CapabilityRule, planCapabilities } from '../core/capabilities.ts';
import { LIMITED_RESOURCES, type Limit, type LimitedResource } from '../core/resource-limits.ts';
import { readHead } from '../files/file-head.ts';
import type { Addon, ResourceLimit, SpawnRequest, SpawnResult, StdioRequest } from '../native/addon.ts';
import { findCommand, pathIn } from './command.ts';
import { resolveCredentials } from './credentials.ts';
import type { Credentials, Identity, OwnerOption } from './credentials.ts';
import { buildEnvironment, formatEnvironment, passVariables } from './environment.ts';
import { expandFileVariables, type FileVariables } from './file-variables.ts';
import { explainExec, isPlainScript } from './exec-cause.ts';
import { readOwnCapabilities } from './own-capabilities.ts';
import { describeSpawnFailure, isNoDescriptor, isSpawnFailure, SpawnError } from './spawn-error.ts';

/** Interpreter of a script without `#!`. */
const SHELL = '/bin/sh';

/**
 * Value of TERM for a program on a terminal, unless its environment has one. Programs that decide by TERM use colours
 * then.
 */
const DEFAULT_TERM = 'xterm-256color';

/** Options of a program that its start needs, by their names in the file. */
export type LaunchOptions = {
  readonly directory: string | null;
  readonly umask: number | null;
  readonly user: OwnerOption | null;
  readonly environment: ReadonlyMap<string, string>;
  readonly serverurl: string | null;
  readonly redirect_stderr: boolean;
  readonly user_env: boolean;
  readonly environment_clear: boolean;
  readonly environment_pass: readonly string[];
  readonly expand_file_variables: FileVariables;
  readonly strict_user: boolean;
  readonly nice: number | null;
  readonly oom_score_adj: number | null;
  readonly pdeathsig: number | null;
  readonly no_new_privs: boolean;
  readonly capabilities: CapabilityRule | null;
} & { readonly [R in `rlimit_${LimitedResource}`]: Limit | null };

/** The part of a {@link ProcessConfig} that a start needs. Hooks and checks are started with it too. */
export type LaunchTarget = Pick<ProcessConfig, 'name' | 'group' | 'type' | 'argv'> & {
  readonly options: LaunchOptions;
};

/** Input of a start besides its configuration. */
export interface LaunchContext {
  /** Environment of the supervisor. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** `environment` of [supervisord]. */
  readonly common: ReadonlyMap<string, string>;
  /** Variables of `environment_file` and `environment_dir`. */
  readonly files: ReadonlyMap<string, string>;
  /** Variables that this start adds, such as NOTIFY_SOCKET. They override all others. */
  readonly added: ReadonlyMap<string, string>;
  /** URL of the supervisor; `serverurl` of the program overrides it. */
  readonly serverUrl: string | null;
  /** Limits for all programs, because those of the supervisor differ. Options of the program override them. */
  readonly limits: readonly ResourceLimit[];
  /** Standard streams and process group. */
  readonly stdio: StdioPlan;
  /** Descriptor of a file `cgroup.procs` for the process; null if it stays in our cgroup. */
  readonly cgroup: number | null;
  /** Further descriptors, such as that of `notification_fd`. */
  readonly descriptors: SpawnRequest['descriptors'];
  /** Name of the variable that gets the pid of the process (LISTEN_PID); null: none. */
  readonly pidVariable: SpawnRequest['pidVariable'];
}

/** Targets of the standard streams, and the process group. */
export interface StdioPlan {
  readonly stdin: StdioRequest;
  readonly stdout: StdioRequest;
  readonly stderr: StdioRequest;
  readonly leadership: SpawnRequest['leadership'];
}

/** Three pipes and a process group, as Supervisor gives to every program. stdin stays open for sendProcessStdin. */
export const PIPED: StdioPlan = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', leadership: 'group' };

/**
 * Returns the streams of the main program in init mode: ours. If stdin is a terminal, the program gets its foreground.
 */
export function inheritedStdio(addon: Pick<Addon, 'foregroundGroup'>): StdioPlan {
  return { stdin: 0, stdout: 1, stderr: 2, leadership: addon.foregroundGroup(0) >= 0 ? 'foreground' : 'group' };
}

/** The settings of a start that do not depend on its command and streams. */
export type LaunchSettings = Pick<
  SpawnRequest,
  | 'env'
  | 'directory'
  | 'umask'
  | 'uid'
  | 'gid'
  | 'groups'
  | 'limits'
  | 'nice'
  | 'oomScoreAdj'
  | 'capabilities'
  | 'noNewPrivileges'
>;

export interface LauncherParts {
  readonly addon: Addon;
  readonly self: Identity;
  /** Takes warnings, such as that a program does not run as the user of its options. Called once for each process. */
  readonly warn: (text: string, fields: LogFields) => void;
  /** Value of oom_score_adj for programs without one of their own; null, as without it: they inherit ours. */
  readonly oomScoreAdj?: number | null;
  /** Frees descriptors when there are none. Returns false if there is nothing to free. */
  readonly freeDescriptors?: () => boolean;
}

/** Starts processes. */
export class Launcher {
  readonly #parts: LauncherParts;
  readonly #warned = new Set<string>();

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  /**
   * Starts a process and returns its pid and our ends of its pipes, which the caller owns. The exec has succeeded then.
   * Throws {@link import('./spawn-error.ts').SpawnError} after cleaning up.
   */
  launch(target: LaunchTarget, context: LaunchContext): SpawnResult {
    const { options, argv } = target;
    const own = new Map([...options.environment, ...context.added]);
    const programPath = own.get('PATH') ?? context.files.get('PATH') ?? null;
    const ownPath = context.common.get('PATH') ?? context.inherited['PATH'];
    const file = findCommand(argv[0] ?? '', { programPath, ownPath, directory: options.directory });
    const { credentials, env } = this.#settle(target, context);
    const request = { file, env, ...this.#buildRequest(target, credentials, context) };
    return this.withDescriptors(() => this.#spawn(target, credentials.uid, request));
  }

  /** Does work of a start. If there is no descriptor for it, frees descriptors and tries once more. */
  withDescriptors<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      const isFreed =
        error instanceof SpawnError && isNoDescriptor(error.code) && this.#parts.freeDescriptors?.() === true;
      if (!isFreed) throw error;
      return work();
    }
  }

  /**
   * Returns the settings that a program would start with, for another command. Throws a SpawnError for an unknown user.
   */
  settingsOf(target: LaunchTarget, context: LaunchContext): LaunchSettings {
    const { credentials, env } = this.#settle(target, context);
    const { directory, umask, uid, gid, groups, limits, nice, oomScoreAdj, capabilities, noNewPrivileges } =
      this.#buildRequest(target, credentials, context);
    return { env, directory, umask, uid, gid, groups, limits, nice, oomScoreAdj, capabilities, noNewPrivileges };
  }

  /** Determines the user and the environment of a start. */
  #settle(target: LaunchTarget, context: LaunchContext): { readonly credentials: Credentials; readonly env: string[] } {
    const { options } = target;
    const { addon, self } = this.#parts;
    const own = new Map([...options.environment, ...context.added]);
    const credentials = resolveCredentials(addon, self, options.user, options.strict_user);
    if (credentials.warning !== null)
      this.#warnOnce(target, `cannot run '${target.name}' as its user: ${credentials.warning}`);
    const isTerminal = isTerminalPlan(context.stdio);
    const inherited = options.environment_clear
      ? passVariables(context.inherited, options.environment_pass)
      : context.inherited;
    const environment = buildEnvironment(
      {
        inherited: isTerminal ? { TERM: DEFAULT_TERM, ...inherited } : inherited,
        common: context.common,
        processName: target.name,
        groupName: target.group,
        serverUrl: formatServerUrl(options.serverurl) ?? context.serverUrl,
        files: context.files,
        own,
      },
      options.user_env ? credentials.login : null,
    );
    const expanded = expandFileVariables(environment, options.expand_file_variables);
    if (context.pidVariable !== null) expanded.delete(context.pidVariable);
    return { credentials, env: formatEnvironment(expanded) };
  }

  /** Spawns the program. As in a shell, /bin/sh runs a text file without `#!`. */
  #spawn(target: LaunchTarget, uid: number | null, request: SpawnRequest): SpawnResult {
    const { addon } = this.#parts;
    const {
      options: { directory },
      argv,
      name,
    } = target;
    try {
      return addon.spawn(request);
    } catch (error) {
      if (!isSpawnFailure(error)) throw error;
      if (error.stage === 'pty' && !isNoDescriptor(error.code))
        return this.#spawnOnPipes(target, uid, request, error.code);
      const head = error.stage === 'exec' ? readHead(pathIn(request.file, directory)) : null;
      const isScript = error.code === 'ENOEXEC' && head !== null && isPlainScript(head);
      if (isScript && request.file !== SHELL && existsSync(SHELL)) return this.#spawnByShell(target, uid, request);
      throw describeSpawnFailure(error, {
        name,
        command: argv[0] ?? '',
        directory,
        uid,
        cause: error.stage === 'exec' ? explainExec(error.code, head) : null,
      });
    }
  }

  /** Spawns a program whose terminal cannot be made. Its output still goes into one stream. */
  #spawnOnPipes(target: LaunchTarget, uid: number | null, request: SpawnRequest, code: string): SpawnResult {
    const advice = code === 'ENOENT' || code === 'ENODEV' ? '; mount devpts on /dev/pts' : '';
    this.#warnOnce(
      target,
      `cannot give '${target.name}' a terminal (tty=true): ${code} from /dev/ptmx${advice}; its output goes through ` +
        'a pipe, and may be late',
    );
    return this.#spawn(target, uid, { ...request, stdout: 'pipe' });
  }

  #spawnByShell(target: LaunchTarget, uid: number | null, request: SpawnRequest): SpawnResult {
    const { file, argv } = request;
    // The shell would interpret a name with a leading - as an option.
    const script = file.startsWith('-') ? `./${file}` : file;
    const result = this.#spawn(target, uid, { ...request, file: SHELL, argv: [SHELL, script, ...argv.slice(1)] });
    this.#warnOnce(
      target,
      `'${target.name}' is run by ${SHELL}: ${file} does not begin with #! and the path of its interpreter, as ` +
        `#!/bin/sh`,
    );
    return result;
  }

  /** Builds the parts of a request that options, credentials and context decide alone. */
  #buildRequest(
    target: LaunchTarget,
    credentials: Credentials,
    context: LaunchContext,
  ): Omit<SpawnRequest, 'file' | 'env'> {
    const { options, argv } = target;
    const { stdin, stdout, stderr, leadership } = context.stdio;
    return {
      argv,
      directory: options.directory,
      umask: options.umask,
      uid: credentials.uid,
      gid: credentials.gid,
      groups: credentials.groups,
      limits: mergeLimits(context.limits, options),
      nice: options.nice,
      oomScoreAdj: options.oom_score_adj ?? this.#parts.oomScoreAdj ?? null,
      capabilities: capabilitiesOf(target, credentials.uid),
      noNewPrivileges: options.no_new_privs,
      cgroup: context.cgroup,
      parentDeathSignal: options.pdeathsig,
      stdin,
      stdout,
      stderr: isStderrJoined(target) ? 'stdout' : stderr,
      leadership,
      descriptors: context.descriptors,
      pidVariable: context.pidVariable,
    };
  }

  #warnOnce({ group, name }: LaunchTarget, warning: string): void {
    const id = `${group}:${name} ${warning}`;
    if (this.#warned.has(id)) return;
    this.#warned.add(id);
    this.#parts.warn(warning, { event: 'message', ...processFields({ group, name }) });
  }
}

/** True if the output of a program goes through a terminal (`tty`). */
function isTerminalPlan({ stdout }: StdioPlan): boolean {
  return typeof stdout === 'object';
}

/** Returns the capabilities of a program that runs as `uid`, null for ours. Throws a {@link SpawnError}. */
function capabilitiesOf({ name, options }: LaunchTarget, uid: number | null): SpawnRequest['capabilities'] {
  if (options.capabilities === null) return null;
  const plan = planCapabilities(options.capabilities, readOwnCapabilities(), {
    isRoot: (uid ?? process.getuid?.()) === 0,
    noNewPrivileges: options.no_new_privs,
  });
  if (plan.ok) return plan.sets;
  throw new SpawnError('capabilities', 'EPERM', `cannot set the capabilities of '${name}': ${plan.reason}`);
}

/** compat: the stdout of a listener carries the protocol, so `redirect_stderr` has no effect. */
function isStderrJoined({ type, options }: LaunchTarget): boolean {
  return options.redirect_stderr && type !== 'eventlistener';
}

/** compat: AUTO, in upper or lower case, means the URL of the supervisor. */
function formatServerUrl(option: string | null): string | null {
  return option === null || option.trim().toUpperCase() === 'AUTO' ? null : option;
}

function mergeLimits(given: readonly ResourceLimit[], options: LaunchOptions): ResourceLimit[] {
  const limits = new Map(given.map((limit) => [limit.resource, limit]));
  for (const resource of LIMITED_RESOURCES) {
    const limit = options[`rlimit_${resource}`];
    if (limit !== null) limits.set(resource, { resource, ...limit });
  }
  return [...limits.values()];
}
