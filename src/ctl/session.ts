/**
 * The state that the commands of one run share, and the test of the connection that most commands begin with. Never
 * reads a configuration, never ends the process.
 */
import { faults, RpcFault } from '../core/faults.ts';
import { callRemoteMethod, type Endpoint } from './transport.ts';
import { ConnectionError, formatError, InterruptError } from './errors.ts';
import { explainError, explainSilence } from './explain.ts';
import { ExitCode } from './exit-codes.ts';
import type { CtlIo } from './io.ts';
import { SupervisorClient } from './supervisor-client.ts';
import type { LineSource } from './line-source.ts';
import type { TimeLimit } from './time-limit.ts';

/** Version of the API that the commands need (`supervisor.getVersion`). */
const API_VERSION = '3.0';

/** Time after which a person is told that there is no answer yet. */
export const SILENCE_MS = 5000;

/** Faults that mean that the program does not run. */
const DEAD_PROGRAM_FAULTS: ReadonlySet<number> = new Set([
  faults.SPAWN_ERROR,
  faults.ABNORMAL_TERMINATION,
  faults.NOT_RUNNING,
]);

const WRONG_VERSION =
  'Sorry, this version of supervisorctl expects to talk to a server with API version ' +
  `${API_VERSION}, but the remote version is`;
const NO_SUPERVISOR_NAMESPACE =
  'Sorry, supervisord responded but did not recognize the supervisor namespace commands that supervisorctl uses to ' +
  'control it.  Please check that the [rpcinterface:supervisor] section is enabled in the configuration file ' +
  '(see sample.conf).';

/** The parts that a session is made from. */
export interface SessionParts {
  readonly io: CtlIo;
  /** Opens standard input. Called when a command reads it: loading the editor takes longer than a request. */
  readonly openLines: () => Promise<LineSource>;
  readonly endpoint: Endpoint;
  readonly isInteractive: boolean;
  /** True for the command of a command line; false in the shell. */
  readonly isOneCommand: boolean;
  readonly gone: AbortSignal;
}

/** One run of the client. */
export class Session {
  readonly io: CtlIo;
  readonly client: SupervisorClient;
  /** The address of the supervisor and our user. `open` and the prompt for a password change this. */
  endpoint: Endpoint;
  /** True if commands may ask the user a question. */
  readonly isInteractive: boolean;
  readonly isOneCommand: boolean;
  /** Aborted when the reader of our output has closed it. Commands that print again and again end then. */
  readonly gone: AbortSignal;
  exitCode: number = ExitCode.SUCCESS;
  /** True after the first answer, or after the line that there is none. */
  #hasAnswer = false;
  /** Hints that the command has shown. */
  readonly shownHints = new Set<string>();
  /** Removes the line that a wait shows on the terminal; null if there is none. */
  clearLine: (() => void) | null = null;
  /** The time limit of the command; null for none. */
  limit: TimeLimit | null = null;
  /** Aborted by Ctrl-C, and when the time limit is over. Each command gets a new one. */
  interrupt: AbortController = new AbortController();
  readonly #openLines: () => Promise<LineSource>;
  #lines: Promise<LineSource> | null = null;

  constructor({ io, openLines, endpoint, isInteractive, isOneCommand, gone }: SessionParts) {
    this.io = io;
    this.isOneCommand = isOneCommand;
    this.#openLines = openLines;
    this.endpoint = endpoint;
    this.isInteractive = isInteractive;
    this.gone = gone;
    this.client = new SupervisorClient((method, ...params) =>
      this.#untilFirstAnswer(() => callRemoteMethod(this.endpoint, method, params, this.interrupt.signal)),
    );
  }

  /**
   * Makes a request. The first one of a session needs no work of the supervisor. If its answer does not come, a line on
   * standard error says so to a person: the supervisor may hang.
   */
  async #untilFirstAnswer<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#hasAnswer || !this.hasOwnViews) return ask();
    const timer = setTimeout(() => {
      if (this.#hasAnswer) return;
      this.#hasAnswer = true;
      this.clearLine?.();
      for (const line of explainSilence(this.endpoint, SILENCE_MS / 1000)) this.io.stderr.write(`${line}\n`);
    }, SILENCE_MS);
    try {
      return await ask();
    } finally {
      this.#hasAnswer = true;
      clearTimeout(timer);
    }
  }

  /** Opens standard input, once. */
  lines(): Promise<LineSource> {
    this.#lines ??= this.#openLines();
    return this.#lines;
  }

  /** Reads a line of standard input, as {@link LineSource}. */
  async readLine(prompt: string, signal: AbortSignal): Promise<string | null> {
    const lines = await this.lines();
    if (signal.aborted) throw new InterruptError();
    return lines.readLine(prompt, signal);
  }

  /** Stops reading standard input. */
  async closeLines(): Promise<void> {
    if (this.#lines !== null) (await this.#lines).close();
  }

  /** True if a person reads our output. Scripts get the output of Supervisor's client. */
  get isForPeople(): boolean {
    return this.io.stdout.isTTY === true;
  }

  /** True if commands show our own views. Supervisor's client shows the same to people and to scripts. */
  get hasOwnViews(): boolean {
    return this.isForPeople && this.io.isOwnName === true;
  }

  /** Prints a line. */
  output(line: string): void {
    this.clearLine?.();
    this.io.stdout.write(`${line}\n`);
  }

  /** Prints lines. */
  outputAll(lines: readonly string[]): void {
    // One write: each write to a terminal waits for the terminal.
    if (lines.length > 0) this.output(lines.join('\n'));
  }

  /** Prints an error and sets the exit code. */
  fail(line: string, exitCode: number = ExitCode.GENERIC): void {
    this.output(line);
    this.exitCode = exitCode;
  }

  /** Describes an error that the command does not handle, for the reader of our output. */
  describe(error: unknown): readonly string[] {
    return this.isForPeople ? explainError(error, this.endpoint) : [formatError(error)];
  }

  /** Prints an error that the command does not handle, and sets the exit code. */
  failWith(error: unknown, exitCode: number = ExitCode.GENERIC): void {
    for (const line of this.describe(error)) this.fail(line, exitCode);
  }

  /** Sets the exit code for a fault, unless the fault is `harmless`. */
  noteFault(code: number, harmless?: number): void {
    if (code === harmless || code === faults.SUCCESS) return;
    this.exitCode = DEAD_PROGRAM_FAULTS.has(code) ? ExitCode.NOT_RUNNING : ExitCode.GENERIC;
  }

  /**
   * Tests the connection and the version of the server. Returns false after printing a message. Throws errors for which
   * supervisorctl has no message.
   */
  async upcheck(): Promise<boolean> {
    const { serverUrl } = this.endpoint;
    try {
      const version = await this.client.getVersion();
      if (version === API_VERSION) return true;
      this.fail(`${WRONG_VERSION} ${version}.`, ExitCode.NOT_INSTALLED);
    } catch (error) {
      if (error instanceof RpcFault && error.code === faults.UNKNOWN_METHOD) {
        this.fail(NO_SUPERVISOR_NAMESPACE, ExitCode.UNIMPLEMENTED_FEATURE);
      } else if (error instanceof ConnectionError && error.code === 'ECONNREFUSED') {
        this.#refuse(error, `${serverUrl} refused connection`, ExitCode.INSUFFICIENT_PRIVILEGES);
      } else if (error instanceof ConnectionError && error.code === 'ENOENT') {
        this.#refuse(error, `${serverUrl} no such file`, ExitCode.NOT_RUNNING);
      } else {
        throw error;
      }
    }
    return false;
  }

  /**
   * Asks a method of our own server, whose answer alone shows that the server is up and has our version. Null if there
   * is no such answer. {@link askIfUp} then finds the reason, or asks a method of Supervisor.
   */
  async askOwn<T>(ask: () => Promise<T | null>): Promise<T | null> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof InterruptError) throw error;
      return null;
    }
  }

  /**
   * Asks for something while {@link upcheck} runs, so that both take the time of one. Returns null after the message of
   * a failed test.
   */
  async askIfUp<T>(ask: () => Promise<T>): Promise<{ readonly answer: T } | null> {
    const pending = ask();
    // The error of the test comes first. That of the question is thrown below.
    pending.catch(() => undefined);
    return (await this.upcheck()) ? { answer: await pending } : null;
  }

  /** Prints an error for which Supervisor's client has a text of its own. */
  #refuse(error: ConnectionError, text: string, exitCode: number): void {
    if (this.isForPeople) this.failWith(error, exitCode);
    else this.fail(text, exitCode);
  }
}
