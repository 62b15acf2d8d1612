/**
 * The kernel as the engine sees it: starts the programs of the configuration at work with their streams, and sends signals.
 * It keeps no record of what runs.
 */
import type { Config, ProcessConfig } from '../config/model.ts';
import type { Processes, SpawnOutcome } from '../engine/ports.ts';
import type { Addon, ResourceLimit } from '../native/addon.ts';
import { readEnvironmentFiles } from '../process/environment-files.ts';
import { inheritedStdio, type Launcher, PIPED, type StdioPlan } from '../process/launcher.ts';
import { SpawnError } from '../process/spawn-error.ts';
import type { FastCgiSockets } from './fastcgi.ts';
import type { ProgramStreams } from './program-streams.ts';

/** What stays the same over all configurations. */
export interface StarterParts {
  readonly addon: Addon;
  readonly launcher: Launcher;
  /** Environment of the supervisor. */
  readonly env: Readonly<NodeJS.ProcessEnv>;
  /** Limits that programs get back because ours differ. */
  readonly limits: readonly ResourceLimit[];
  /** Where the supervisor is reached, for SUPERVISOR_SERVER_URL; null for nowhere. */
  readonly serverUrl: () => string | null;
}

/** What belongs to the configuration at work. */
export interface StarterSurroundings {
  readonly config: Config;
  readonly streams: ProgramStreams;
  readonly sockets: FastCgiSockets;
}

/** Starts and signals. */
export class ProgramStarter implements Processes {
  readonly #parts: StarterParts;
  readonly #surroundings: () => StarterSurroundings;

  constructor(parts: StarterParts, surroundings: () => StarterSurroundings) {
    this.#parts = parts;
    this.#surroundings = surroundings;
  }

  spawn(process: ProcessConfig, _run: number): SpawnOutcome {
    if (process.commandError !== null) return { ok: false, reason: process.commandError, exitCode: 1 };
    const { launcher, env, limits, serverUrl } = this.#parts;
    const { config, streams } = this.#surroundings();
    try {
      const result = launcher.launch(process, {
        inherited: env,
        common: config.supervisord.environment,
        files: readEnvironmentFiles(process.options.environment_file, process.options.environment_dir),
        added: new Map(),
        serverUrl: serverUrl(),
        limits,
        stdio: this.#stdioOf(process),
        descriptors: [],
      });
      streams.attach(process, result);
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

  /** The main program has our own streams; what is a FastCGI program accepts on its standard input. */
  #stdioOf(process: ProcessConfig): StdioPlan {
    const { config, sockets } = this.#surroundings();
    if (process.group === config.main) return inheritedStdio(this.#parts.addon);
    const stdin = sockets.socketOf(process);
    return stdin === null ? PIPED : { ...PIPED, stdin };
  }
}

/** Name of an errno of kill(2); the others cannot come from it. */
function errnoName(errno: number): string {
  return errno === 3 ? 'ESRCH' : errno === 1 ? 'EPERM' : `errno ${errno}`;
}
