/**
 * What the commands of one run share: where the supervisor is, what was printed, the exit code so far, what Ctrl-C
 * ends. Owns the connection check that most commands begin with. Never reads a configuration, never ends the process.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { callRemoteMethod, type Endpoint } from './transport.ts';
import { ConnectionError } from './errors.ts';
import { ExitCode } from './exit-codes.ts';
import type { CtlIo } from './io.ts';
import { SupervisorClient } from './supervisor-client.ts';
import type { LineSource } from './lines.ts';

/** Version of the API that the commands are made for (`supervisor.getVersion`). */
const API_VERSION = '3.0';

/** Faults that say: the program does not run. */
const DEAD_PROGRAM_FAULTS: ReadonlySet<number> = new Set([
  faults.SPAWN_ERROR,
  faults.ABNORMAL_TERMINATION,
  faults.NOT_RUNNING,
]);

/** One run of the client. */
export class Session {
  readonly io: CtlIo;
  readonly lines: LineSource;
  readonly client: SupervisorClient;
  /** Changed by `open` and by the question for a password. */
  endpoint: Endpoint;
  /** Whether there is somebody to ask. */
  readonly isInteractive: boolean;
  /** Aborted when the reader of our output has gone away: what goes on printing ends then. */
  readonly gone: AbortSignal;
  exitCode: number = ExitCode.SUCCESS;
  /** Aborted by Ctrl-C; a new one for each command. */
  interrupt: AbortController = new AbortController();

  constructor(io: CtlIo, lines: LineSource, endpoint: Endpoint, isInteractive: boolean, gone: AbortSignal) {
    this.io = io;
    this.lines = lines;
    this.endpoint = endpoint;
    this.isInteractive = isInteractive;
    this.gone = gone;
    this.client = new SupervisorClient((method, ...params) =>
      callRemoteMethod(this.endpoint, method, params, this.interrupt.signal),
    );
  }

  /** Prints a line. */
  output(line: string): void {
    this.io.stdout.write(`${line}\n`);
  }

  /** Prints lines. */
  outputAll(lines: readonly string[]): void {
    for (const line of lines) this.output(line);
  }

  /** Prints what is wrong, and with it the exit code that this has. */
  fail(line: string, exitCode: number = ExitCode.GENERIC): void {
    this.output(line);
    this.exitCode = exitCode;
  }

  /** Takes a fault into the exit code, unless it is the one that does no harm here. */
  noteFault(code: number, harmless?: number): void {
    if (code === harmless || code === faults.SUCCESS) return;
    this.exitCode = DEAD_PROGRAM_FAULTS.has(code) ? ExitCode.NOT_RUNNING : ExitCode.GENERIC;
  }

  /**
   * Whether there is a supervisor that we understand; if not, says so. Throws what a call throws where supervisorctl
   * has no words for it.
   */
  async upcheck(): Promise<boolean> {
    const { serverUrl } = this.endpoint;
    try {
      const version = await this.client.getVersion();
      if (version === API_VERSION) return true;
      this.fail(
        `Sorry, this version of supervisorctl expects to talk to a server with API version ${API_VERSION}, but the remote version is ${version}.`,
        ExitCode.NOT_INSTALLED,
      );
    } catch (error) {
      if (error instanceof RpcFault && error.code === faults.UNKNOWN_METHOD) {
        const advice =
          'Please check that the [rpcinterface:supervisor] section is enabled in the configuration file (see sample.conf).';
        this.fail(
          `Sorry, supervisord responded but did not recognize the supervisor namespace commands that supervisorctl uses to control it.  ${advice}`,
          ExitCode.UNIMPLEMENTED_FEATURE,
        );
      } else if (error instanceof ConnectionError && error.code === 'ECONNREFUSED') {
        this.fail(`${serverUrl} refused connection`, ExitCode.INSUFFICIENT_PRIVILEGES);
      } else if (error instanceof ConnectionError && error.code === 'ENOENT') {
        this.fail(`${serverUrl} no such file`, ExitCode.NOT_RUNNING);
      } else {
        throw error;
      }
    }
    return false;
  }
}
