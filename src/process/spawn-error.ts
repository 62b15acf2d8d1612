/**
 * The error of a start that failed before the program ran: stage, errno, message, and exit code for a container. The
 * messages are Supervisor's wherever Supervisor has one (process.py: spawn, _spawn_as_child), because other tools
 * search logs for them.
 */
import type { SpawnFailure, SpawnStage } from '../native/addon.ts';

/**
 * Exit codes of shells and Docker for a command that is not found, or cannot be executed. Other failures have code 1.
 */
export const EXIT_NOT_FOUND = 127;
export const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_STARTED = 1;

/** Error of a program that could not be started. */
export class SpawnError extends Error {
  readonly stage: SpawnStage;
  /** Name of the errno. */
  readonly code: string;
  /** Exit code of a container whose main program this is. */
  readonly exitCode: number;

  constructor(stage: SpawnStage, code: string, message: string, exitCode: number = exitCodeOf(stage, code)) {
    super(message);
    this.name = 'SpawnError';
    this.stage = stage;
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** Names in the messages about a failed start. */
export interface SpawnSubject {
  /** Name of the process in log lines. */
  readonly name: string;
  /** The command as written: argv[0]. */
  readonly command: string;
  readonly directory: string | null;
  readonly uid: number | null;
  /** Reason why the file was not executed; null if unknown. */
  readonly cause: string | null;
}

/** True for an error of {@link import('../native/addon.ts').Addon.spawn}. A TypeError is a bug of ours. */
export function isSpawnFailure(error: unknown): error is SpawnFailure {
  return error instanceof Error && 'stage' in error && 'code' in error;
}

/** True for the code of an error that means that there is no descriptor: too many open files, ours or of all. */
export function isNoDescriptor(code: string): boolean {
  return code === 'EMFILE' || code === 'ENFILE';
}

/** Creates an error with a message from a failure of the addon. */
export function describeSpawnFailure({ stage, code }: SpawnFailure, subject: SpawnSubject): SpawnError {
  return new SpawnError(stage, code, formatFailure(stage, code, subject));
}

function exitCodeOf(stage: SpawnStage, code: string): number {
  if (stage !== 'exec') return EXIT_NOT_STARTED;
  return code === 'ENOENT' ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE;
}

function formatFailure(
  stage: SpawnStage,
  code: string,
  { name, command, directory, uid, cause }: SpawnSubject,
): string {
  switch (stage) {
    case 'pipe':
      return code === 'EMFILE'
        ? `too many open files to spawn '${name}'`
        : `unknown error making dispatchers for '${name}': ${code}`;
    case 'pty':
      return `cannot give '${name}' a terminal: ${code}`;
    case 'fork':
      return code === 'EAGAIN'
        ? `Too many processes in process table to spawn '${name}'`
        : `unknown error during fork for '${name}': ${code}`;
    case 'groups':
      return `couldn't setuid to ${uid}: Could not set groups of effective user`;
    case 'gid':
      return `couldn't setuid to ${uid}: Could not set group id of effective user`;
    case 'uid':
      return `couldn't setuid to ${uid}: ${code}`;
    case 'directory':
      return `couldn't chdir to ${directory}: ${code}`;
    case 'exec':
      return `couldn't exec ${command}: ${code}${cause === null ? '' : `; ${cause}`}`;
    case 'group':
      return `cannot give '${name}' a process group: ${code}`;
    case 'terminal':
      return `cannot give '${name}' the terminal: ${code}`;
    case 'stdio':
      return `cannot connect the standard streams of '${name}': ${code}`;
    case 'descriptors':
      return `cannot hand descriptors to '${name}': ${code}`;
    case 'limits':
      return `cannot set the resource limits of '${name}': ${code}${adviceFor(stage, code)}`;
    case 'nice':
      return `cannot set the niceness of '${name}': ${code}${adviceFor(stage, code)}`;
    case 'capabilities':
      return `cannot set the capabilities of '${name}': ${code}`;
    case 'cgroup':
      return `cannot move '${name}' into its cgroup: ${code}`;
    case 'privileges':
      return `cannot set no_new_privs of '${name}': ${code}`;
    case 'oom':
      return `cannot set the oom_score_adj of '${name}': ${code}${adviceFor(stage, code)}`;
  }
}

/** The capability that a refused change of limits or priorities needs; empty for other errors. */
function adviceFor(stage: 'limits' | 'nice' | 'oom', code: string): string {
  if (code !== 'EPERM' && code !== 'EACCES') return '';
  switch (stage) {
    case 'limits':
      return '; only root with CAP_SYS_RESOURCE may raise a limit above its hard limit';
    case 'nice':
      return '; only root with CAP_SYS_NICE may lower it';
    case 'oom':
      return '; only root with CAP_SYS_RESOURCE may lower it';
  }
}
