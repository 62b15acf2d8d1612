/**
 * Implements the engine's port to the kernel: starts programs with their streams, and sends signals. The engine keeps
 * the record of what runs.
 */
import { constants } from 'node:os';
import type { Config, ProcessConfig } from '../config/model.ts';
import type { Clock, Processes, SpawnOutcome } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { Addon, ResourceLimit, SpawnResult } from '../native/addon.ts';
import { readEnvironmentFiles } from '../process/environment-files.ts';
import {
  inheritedStdio,
  type LaunchContext,
  type Launcher,
  type LaunchSettings,
  PIPED,
  type StdioPlan,
} from '../process/launcher.ts';
import { NotificationChannels } from '../process/notification-channels.ts';
import { SpawnError } from '../process/spawn-error.ts';
import type { FastCgiSockets } from './fastcgi-sockets.ts';
import type { ProgramStreams } from './program-streams.ts';

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
  /** Environment of the supervisor. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Limits that programs need because those of the supervisor differ. */
  readonly limits: readonly ResourceLimit[];
  /** Value of SUPERVISOR_SERVER_URL; null if there is no server. */
  readonly serverUrl: () => string | null;
}

/** Parts that belong to one configuration. */
export interface StarterContext {
  readonly config: Config;
  readonly streams: ProgramStreams;
  readonly sockets: FastCgiSockets;
}

/** Starts and signals the programs of the current configuration. */
export class ProgramStarter implements Processes {
  /** Notifications of the programs: readiness, status, watchdog. */
  readonly channels: NotificationChannels;
  readonly #parts: StarterParts;
  readonly #context: () => StarterContext;

  constructor(parts: StarterParts, context: () => StarterContext) {
    this.#parts = parts;
    this.#context = context;
    this.channels = new NotificationChannels({
      addon: parts.addon,
      clock: parts.clock,
      self: () => ({ uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 }),
    });
  }

  spawn(proc: ProcessConfig, run: number): SpawnOutcome {
    if (proc.commandError !== null) return { ok: false, reason: proc.commandError, exitCode: 1 };
    try {
      const result = this.#launch(proc, run);
      this.#context().streams.attach(proc, result);
      return { ok: true, pid: result.pid };
    } catch (error) {
      if (error instanceof SpawnError) return { ok: false, reason: error.message, exitCode: error.exitCode };
      throw error;
    }
  }

  signal(pid: number, signal: number, group: boolean): string | null {
    const errno = this.#parts.addon.kill(group ? -pid : pid, signal);
    return errno === 0 ? null : (KILL_ERRORS.get(errno) ?? `errno ${errno}`);
  }

  readRemaining(pid: number): void {
    this.#context().streams.readRemaining(pid);
  }

  /** Returns the settings that a program would start with. Throws a {@link SpawnError} for an unknown user. */
  settingsOf(proc: ProcessConfig): LaunchSettings {
    const { launcher } = this.#parts;
    return launcher.settingsOf(proc, { ...this.#launchContext(proc), added: new Map(), stdio: PIPED, descriptors: [] });
  }

  /** Returns the part of a start that all runs of a program have. */
  #launchContext(proc: ProcessConfig): Omit<LaunchContext, 'added' | 'stdio' | 'descriptors'> {
    const { env, limits, serverUrl } = this.#parts;
    const { options } = proc;
    const inherited = options.notify === null ? env : withoutWatchdog(env);
    const outer = { inherited, common: this.#context().config.supervisord.environment };
    return {
      ...outer,
      files: readEnvironmentFiles(options, outer),
      serverUrl: serverUrl(),
      limits,
    };
  }

  #launch(proc: ProcessConfig, run: number): SpawnResult {
    const { launcher } = this.#parts;
    const channel = this.channels.open(namespecOf(proc), proc, run);
    let result: SpawnResult;
    try {
      result = launcher.launch(proc, {
        ...this.#launchContext(proc),
        added: channel.environment,
        stdio: this.#stdioOf(proc),
        descriptors: channel.descriptors,
      });
    } catch (error) {
      channel.failed();
      throw error;
    }
    channel.started(result.pid);
    return result;
  }

  /**
   * The main program has our own streams. A FastCGI program accepts connections on its standard input. With `tty`, both
   * outputs are one terminal, and the input stays a pipe: nothing reads the terminal, so it never gets Ctrl-C or EOF.
   */
  #stdioOf(proc: ProcessConfig): StdioPlan {
    const { config, sockets } = this.#context();
    if (proc.group === config.main) return inheritedStdio(this.#parts.addon);
    const stdin = sockets.socketOf(proc);
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
