/**
 * Implements the engine's port to the kernel: starts programs with their streams, and sends signals. The engine keeps
 * the record of what runs.
 */
import { closeSync } from 'node:fs';
import { constants } from 'node:os';
import type { Config, ProcessConfig } from '../config/model.ts';
import type { Clock, Processes, Report, SpawnOutcome } from '../engine/ports.ts';
import { FIRST_LISTEN_FD, type InheritedSockets, LISTEN_PID, listenVariables } from '../core/socket-activation.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { Addon, ResourceLimit, SpawnRequest, SpawnResult } from '../native/addon.ts';
import type { Cgroups } from '../process/cgroups.ts';
import { type OuterVariables, readEnvironmentFiles } from '../process/environment-files.ts';
import {
  inheritedStdio,
  type LaunchContext,
  type Launcher,
  type LaunchSettings,
  PIPED,
  type StdioPlan,
} from '../process/launcher.ts';
import { NotificationChannels } from '../process/notification-channels.ts';
import { type LookedAt, pathProbe } from '../files/path-probe.ts';
import { SpawnError } from '../process/spawn-error.ts';
import { pathsOfStart } from '../process/start-paths.ts';
import { pathsOfSockets, type ProgramSockets } from './program-sockets.ts';
import type { ProgramStreams } from './program-streams.ts';
import { ReadyLogs } from './ready-logs.ts';

/** Names of the errors of kill(2) with a valid signal. */
const KILL_ERRORS: ReadonlyMap<number, string> = new Map([
  [constants.errno.ESRCH, 'ESRCH'],
  [constants.errno.EPERM, 'EPERM'],
]);

/** Parts that stay the same over all configurations. */
export interface StarterParts {
  readonly addon: Addon;
  readonly launcher: Launcher;
  readonly clock: Clock;
  readonly report: Report;
  /** Environment of the supervisor. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Limits that programs need because those of the supervisor differ. */
  readonly limits: readonly ResourceLimit[];
  /** Sockets that a service manager has passed to us for the main program; null for none. */
  readonly inherited: InheritedSockets | null;
  /** Value of SUPERVISOR_SERVER_URL; null if there is no server. */
  readonly serverUrl: () => string | null;
  readonly cgroups: Cgroups;
}

/** Parts that belong to one configuration. */
export interface StarterContext {
  readonly config: Config;
  readonly streams: ProgramStreams;
  readonly sockets: ProgramSockets;
}

/** Parts of a spawn for its sockets. */
interface Activation {
  readonly variables: ReadonlyArray<readonly [name: string, value: string]>;
  readonly descriptors: SpawnRequest['descriptors'];
}

/** Starts and signals the programs of the current configuration. */
export class ProgramStarter implements Processes {
  /** Notifications of the programs: readiness, status, watchdog. */
  readonly channels: NotificationChannels;
  /** Notifications in the output of programs. */
  readonly readyLogs: ReadyLogs;
  readonly #parts: StarterParts;
  readonly #context: () => StarterContext;

  constructor(parts: StarterParts, context: () => StarterContext) {
    this.#parts = parts;
    this.#context = context;
    this.readyLogs = new ReadyLogs(parts.report);
    this.channels = new NotificationChannels({
      addon: parts.addon,
      clock: parts.clock,
      self: () => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }),
    });
  }

  reach(proc: ProcessConfig, done: (reason: string | null) => void): () => void {
    const paths = (): LookedAt[] => [...pathsOfStart(proc, this.#outerVariables), ...pathsOfSockets(proc)];
    return pathProbe.look(paths, done);
  }

  /** Variables that come before those of a program. */
  get #outerVariables(): OuterVariables {
    return { inherited: this.#parts.env, common: this.#context().config.supervisord.environment };
  }

  spawn(proc: ProcessConfig, run: number): SpawnOutcome {
    if (proc.commandError !== null) return { ok: false, reason: proc.commandError, exitCode: 1 };
    try {
      const result = this.#parts.launcher.withDescriptors(() => this.#launch(proc, run));
      const { streams } = this.#context();
      streams.attach(proc, result);
      this.readyLogs.watch({ proc, run, pid: result.pid }, (id, stream) => streams.channel(id, stream));
      return { ok: true, pid: result.pid };
    } catch (error) {
      if (error instanceof SpawnError) return { ok: false, reason: error.message, exitCode: error.exitCode };
      throw error;
    }
  }

  signal(pid: number, signal: number, group: boolean): string | null {
    const { addon, cgroups } = this.#parts;
    const inCgroup = group ? cgroups.signal(pid, signal) : null;
    const errno = inCgroup ?? addon.kill(group ? -pid : pid, signal);
    return errno === 0 ? null : (KILL_ERRORS.get(errno) ?? `errno ${errno}`);
  }

  readRemaining(pid: number): void {
    this.#context().streams.readRemaining(pid);
  }

  /**
   * Returns the settings that a program would start with. Throws a {@link SpawnError} for an unknown user, and if a
   * file of the start cannot be read or reached.
   */
  async settingsOf(proc: ProcessConfig): Promise<LaunchSettings> {
    const { launcher } = this.#parts;
    const silence = await pathProbe.reach(() => pathsOfStart(proc, this.#outerVariables));
    if (silence !== null) throw new SpawnError('exec', 'ETIMEDOUT', silence);
    return launcher.settingsOf(proc, {
      ...this.#launchContext(proc),
      added: new Map(),
      stdio: PIPED,
      cgroup: null,
      descriptors: [],
      pidVariable: null,
    });
  }

  /** Returns the part of a start that all runs of a program have. */
  #launchContext(
    proc: ProcessConfig,
  ): Omit<LaunchContext, 'added' | 'stdio' | 'descriptors' | 'cgroup' | 'pidVariable'> {
    const { limits, serverUrl } = this.#parts;
    const { options } = proc;
    const { inherited, common } = this.#outerVariables;
    const outer = { inherited: options.notify === null ? inherited : withoutWatchdog(inherited), common };
    return {
      ...outer,
      files: readEnvironmentFiles(options, outer),
      serverUrl: serverUrl(),
      limits,
    };
  }

  #launch(proc: ProcessConfig, run: number): SpawnResult {
    const { launcher, cgroups } = this.#parts;
    const activation = this.#activationOf(proc);
    const cgroup = cgroups.open(proc);
    const channel = this.channels.open(namespecOf(proc), proc, run);
    let result: SpawnResult;
    try {
      result = launcher.launch(proc, {
        ...this.#launchContext(proc),
        added: new Map([...channel.environment, ...activation.variables]),
        stdio: this.#stdioOf(proc),
        cgroup: cgroup?.fd ?? null,
        descriptors: [...channel.descriptors, ...activation.descriptors],
        pidVariable: activation.variables.length === 0 ? null : LISTEN_PID,
      });
    } catch (error) {
      channel.failed();
      throw error;
    } finally {
      if (cgroup !== null) closeSync(cgroup.fd);
    }
    cgroups.started(result.pid, cgroup?.path ?? null);
    channel.started(result.pid);
    return result;
  }

  /** Returns the sockets of a start as sd_listen_fds(3) has them: those of `listen`, or for the main program ours. */
  #activationOf(proc: ProcessConfig): Activation {
    const { config, sockets } = this.#context();
    const { inherited } = this.#parts;
    const passed = sockets.passedTo(proc);
    if (passed.length > 0) {
      const variables = listenVariables(passed.map(({ name }) => name));
      return { variables, descriptors: passed.map(({ fd }, index) => ({ from: fd, to: FIRST_LISTEN_FD + index })) };
    }
    if (inherited === null || proc.group !== config.main) return { variables: [], descriptors: [] };
    const numbers = Array.from({ length: inherited.count }, (_, index) => FIRST_LISTEN_FD + index);
    return { variables: inherited.variables, descriptors: numbers.map((fd) => ({ from: fd, to: fd })) };
  }

  /**
   * The main program has our own streams. A FastCGI program accepts connections on its standard input. With `tty`, both
   * outputs are one terminal, and the input stays a pipe: nothing reads the terminal, so it never gets Ctrl-C or EOF.
   */
  #stdioOf(proc: ProcessConfig): StdioPlan {
    const { config, sockets } = this.#context();
    if (proc.group === config.main) return inheritedStdio(this.#parts.addon);
    const stdin = sockets.inputOf(proc);
    const { tty, tty_size: size } = proc.options;
    return { ...PIPED, stdin: stdin ?? PIPED.stdin, stdout: tty ? size : PIPED.stdout };
  }
}

/**
 * Removes the variables of our own watchdog, which systemd sets. A program with its own watchdog would find
 * WATCHDOG_PID with our pid, and would then ignore its watchdog.
 */
function withoutWatchdog({
  WATCHDOG_PID: _pid,
  WATCHDOG_USEC: _limit,
  ...rest
}: StarterParts['env']): StarterParts['env'] {
  return rest;
}
