/**
 * Starts the process that a configuration describes: command, environment, user, limits and streams become one spawn.
 * It keeps no record of what runs, and decides nothing about when.
 */
import { existsSync } from 'node:fs';
import type { ProcessConfig } from '../config/model.ts';
import { LIMITED_RESOURCES, type Limit, type LimitedResource } from '../core/resource-limits.ts';
import type { Addon, ResourceLimit, SpawnRequest, SpawnResult, StdioRequest } from '../native/addon.ts';
import { findCommand, placeOf } from './command.ts';
import { resolveCredentials } from './credentials.ts';
import type { Credentials, Identity, OwnerOption } from './credentials.ts';
import { buildEnvironment, formatEnvironment } from './environment.ts';
import { explainExec, isPlainScript, readHead } from './exec-cause.ts';
import { describeSpawnFailure, isSpawnFailure } from './spawn-error.ts';

/** Interpreter of a script that names none. */
const SHELL = '/bin/sh';

/** Options of a program that its start depends on, by their names in the file. */
export type LaunchOptions = {
  readonly directory: string | null;
  readonly umask: number | null;
  readonly user: OwnerOption | null;
  readonly environment: ReadonlyMap<string, string>;
  readonly serverurl: string | null;
  readonly redirect_stderr: boolean;
  readonly user_env: boolean;
  readonly strict_user: boolean;
  readonly nice: number | null;
  readonly oom_score_adj: number | null;
  readonly pdeathsig: number | null;
} & { readonly [R in `rlimit_${LimitedResource}`]: Limit | null };

/** The part of a {@link ProcessConfig} that is needed; a command of a hook or a check has one too. */
export type LaunchTarget = Pick<ProcessConfig, 'name' | 'group' | 'type' | 'argv'> & {
  readonly options: LaunchOptions;
};

/** What a start needs besides its configuration. */
export interface LaunchContext {
  /** Environment of the supervisor. */
  readonly inherited: Readonly<Record<string, string | undefined>>;
  /** `environment` of [supervisord]. */
  readonly common: ReadonlyMap<string, string>;
  /** Variables of `environment_file` and `environment_dir`. */
  readonly files: ReadonlyMap<string, string>;
  /** Variables that this start adds, as NOTIFY_SOCKET; they come last. */
  readonly added: ReadonlyMap<string, string>;
  /** Where the supervisor is reached; a program's `serverurl` comes before it. */
  readonly serverUrl: string | null;
  /** Limits that all programs get back, because ours differ; a program's own come after them. */
  readonly limits: readonly ResourceLimit[];
  /** Streams that are not pipes of ours, and the place of the process at the terminal. */
  readonly stdio: StdioPlan;
  /** Further descriptors, as that of `notification_fd`. */
  readonly descriptors: SpawnRequest['descriptors'];
}

/** Where the standard streams lead. */
export interface StdioPlan {
  readonly stdin: StdioRequest;
  readonly stdout: StdioRequest;
  readonly stderr: StdioRequest;
  readonly leadership: SpawnRequest['leadership'];
}

/**
 * Three pipes and a process group of its own, as Supervisor gives to every program. stdin stays open for
 * sendProcessStdin.
 */
export const PIPED: StdioPlan = { stdin: 'pipe', stdout: 'pipe', stderr: 'pipe', leadership: 'group' };

/** The streams of the main program in init mode: ours, and the terminal's foreground where stdin is our terminal. */
export function inheritedStdio(addon: Pick<Addon, 'foregroundGroup'>): StdioPlan {
  return { stdin: 0, stdout: 1, stderr: 2, leadership: addon.foregroundGroup(0) >= 0 ? 'foreground' : 'group' };
}

export interface LauncherParts {
  readonly addon: Addon;
  readonly self: Identity;
  /** A program runs as somebody else than was asked for. Said once for each process. */
  readonly warn: (text: string) => void;
}

/** Starts processes. */
export class Launcher {
  readonly #parts: LauncherParts;
  readonly #warned = new Set<string>();

  constructor(parts: LauncherParts) {
    this.#parts = parts;
  }

  /**
   * Starts a process and returns its pid and our ends of its pipes, which the caller owns; its exec has succeeded then.
   * Throws {@link import('./spawn-error.ts').SpawnError}, and nothing is left behind.
   */
  launch(target: LaunchTarget, context: LaunchContext): SpawnResult {
    const { options, argv } = target;
    const { addon, self } = this.#parts;
    const own = new Map([...options.environment, ...context.added]);
    const programPath = own.get('PATH') ?? context.files.get('PATH') ?? null;
    const ownPath = context.common.get('PATH') ?? context.inherited['PATH'];
    const file = findCommand(argv[0] ?? '', { programPath, ownPath, directory: options.directory });
    const credentials = resolveCredentials(addon, self, options.user, options.strict_user);
    if (credentials.warning !== null)
      this.#warnOnce(target, `cannot run '${target.name}' as its user: ${credentials.warning}`);
    const environment = buildEnvironment(
      {
        inherited: context.inherited,
        common: context.common,
        processName: target.name,
        groupName: target.group,
        serverUrl: formatServerUrl(options.serverurl) ?? context.serverUrl,
        files: context.files,
        own,
      },
      options.user_env ? credentials.login : null,
    );
    return this.#spawn(
      target,
      credentials.uid,
      buildRequest(file, target, credentials, formatEnvironment(environment), context),
    );
  }

  /** As a shell would: text that begins with no `#!` is run by /bin/sh. */
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
      const head = error.stage === 'exec' ? readHead(placeOf(request.file, directory)) : null;
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

  #spawnByShell(target: LaunchTarget, uid: number | null, request: SpawnRequest): SpawnResult {
    const { file, argv } = request;
    // A name that begins with - would be an option of the shell.
    const script = file.startsWith('-') ? `./${file}` : file;
    const result = this.#spawn(target, uid, { ...request, file: SHELL, argv: [SHELL, script, ...argv.slice(1)] });
    this.#warnOnce(
      target,
      `'${target.name}' is run by ${SHELL}: ${file} does not begin with #! and the path of its interpreter, as #!/bin/sh`,
    );
    return result;
  }

  #warnOnce({ group, name }: LaunchTarget, warning: string): void {
    const id = `${group}:${name} ${warning}`;
    if (this.#warned.has(id)) return;
    this.#warned.add(id);
    this.#parts.warn(warning);
  }
}

function buildRequest(
  file: string,
  target: LaunchTarget,
  credentials: Credentials,
  env: readonly string[],
  context: LaunchContext,
): SpawnRequest {
  const { options, argv } = target;
  const { stdin, stdout, stderr, leadership } = context.stdio;
  return {
    file,
    argv,
    env,
    directory: options.directory,
    umask: options.umask,
    uid: credentials.uid,
    gid: credentials.gid,
    groups: credentials.groups,
    limits: mergeLimits(context.limits, options),
    nice: options.nice,
    oomScoreAdj: options.oom_score_adj,
    parentDeathSignal: options.pdeathsig,
    stdin,
    stdout,
    stderr: isStderrJoined(target) ? 'stdout' : stderr,
    leadership,
    descriptors: context.descriptors,
  };
}

/** compat: a listener's stdout carries the protocol, so its stderr stays apart whatever `redirect_stderr` says. */
function isStderrJoined({ type, options }: LaunchTarget): boolean {
  return options.redirect_stderr && type !== 'eventlistener';
}

/** compat: AUTO, in any case, stands for the server's own URL. */
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
