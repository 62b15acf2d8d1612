/**
 * The kernel as the engine sees it: starts the programs of the configuration at work with their streams, and sends
 * signals. It keeps no record of what runs.
 */
import type { Config, ProcessConfig } from '../config/model.ts';
import type { Clock, Processes, SpawnOutcome } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { Addon, ResourceLimit, SpawnResult } from '../native/addon.ts';
import { readEnvironmentFiles } from '../process/environment-files.ts';
import { inheritedStdio, type Launcher, PIPED, type StdioPlan } from '../process/launcher.ts';
import { NotificationChannels } from '../process/notification-channels.ts';
import { SpawnError } from '../process/spawn-error.ts';
import type { FastCgiSockets } from './fastcgi-sockets.ts';
import type { ProgramStreams } from './program-streams.ts';

/** What stays the same over all configurations. */
export interface StarterParts {
  readonly addon: Addon;
  readonly launcher: Launcher;
  readonly clock: Clock;
  /** Environment of the supervisor. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Limits that programs get back because ours differ. */
  readonly limits: readonly ResourceLimit[];
  /** Where the supervisor is reached, for SUPERVISOR_SERVER_URL; null for nowhere. */
  readonly serverUrl: () => string | null;
}

/** What belongs to the configuration at work. */
export interface StarterContext {
  readonly config: Config;
  readonly streams: ProgramStreams;
  readonly sockets: FastCgiSockets;
}

/** Starts and signals. */
export class ProgramStarter implements Processes {
  /** The ways on which the programs that it starts tell how they are. */
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
    return errno === 0 ? null : errnoName(errno);
  }

  ended(pid: number): void {
    this.#context().streams.takeRest(pid);
  }

  #launch(proc: ProcessConfig, run: number): SpawnResult {
    const { launcher, env, limits, serverUrl } = this.#parts;
    const { options } = proc;
    const channel = this.channels.open(namespecOf(proc), proc, run);
    let result: SpawnResult;
    try {
      result = launcher.launch(proc, {
        inherited: options.notify === null ? env : withoutWatchdog(env),
        common: this.#context().config.supervisord.environment,
        files: readEnvironmentFiles(options.environment_file, options.environment_dir),
        added: channel.environment,
        serverUrl: serverUrl(),
        limits,
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

  /** The main program has our own streams; what is a FastCGI program accepts on its standard input. */
  #stdioOf(proc: ProcessConfig): StdioPlan {
    const { config, sockets } = this.#context();
    if (proc.group === config.main) return inheritedStdio(this.#parts.addon);
    const stdin = sockets.socketOf(proc);
    return stdin === null ? PIPED : { ...PIPED, stdin };
  }
}

/**
 * A watchdog of ours, as systemd's, is none of a program's that has its own: WATCHDOG_PID would keep it from counting.
 */
function withoutWatchdog({
  WATCHDOG_PID: _pid,
  WATCHDOG_USEC: _limit,
  ...rest
}: StarterParts['env']): StarterParts['env'] {
  return rest;
}

/** Name of an errno of kill(2); the others cannot come from it. */
function errnoName(errno: number): string {
  return errno === 3 ? 'ESRCH' : errno === 1 ? 'EPERM' : `errno ${errno}`;
}
