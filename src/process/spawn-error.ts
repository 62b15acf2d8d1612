/**
 * A start that failed before the program ran: the stage, the errno, the sentence, and the exit code it means for a
 * container. The sentences are Supervisor's wherever it has one (process.py: spawn, _spawn_as_child); other tools grep
 * them.
 */
import type { SpawnFailure, SpawnStage } from '../native/addon.ts';

/**
 * Exit codes of a shell, and of Docker, for a command that cannot be executed; 1 for every other failure to start it.
 */
export const EXIT_NOT_FOUND = 127;
export const EXIT_NOT_EXECUTABLE = 126;
const EXIT_NOT_STARTED = 1;

/** Why a program could not be started. */
export class SpawnError extends Error {
  readonly stage: SpawnStage;
  /** Name of the errno. */
  readonly code: string;
  /** What a container whose program this is ends with. */
  readonly exitCode: number;

  constructor(stage: SpawnStage, code: string, message: string, exitCode: number = exitCodeOf(stage, code)) {
    super(message);
    this.name = 'SpawnError';
    this.stage = stage;
    this.code = code;
    this.exitCode = exitCode;
  }
}

/** What the sentences about a failed start name. */
export interface SpawnSubject {
  /** The process, as its log lines name it. */
  readonly name: string;
  /** The command as it was written: argv[0]. */
  readonly command: string;
  readonly directory: string | null;
  readonly uid: number | null;
  /** Why its file was not executed; null where that is not known. */
  readonly cause: string | null;
}

/** Whether an error came from {@link import('../native/addon.ts').Addon.spawn}, and not from a mistake of ours. */
export function isSpawnFailure(error: unknown): error is SpawnFailure {
  return error instanceof Error && 'stage' in error && 'code' in error;
}

/** Turns a failure of the addon into one with a sentence. */
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
      return `cannot set the resource limits of '${name}': ${code}${code === 'EPERM' ? '; only root with CAP_SYS_RESOURCE may raise one above the hard limit that it has' : ''}`;
    case 'nice':
      return `cannot set the niceness of '${name}': ${code}${code === 'EACCES' || code === 'EPERM' ? '; only root with CAP_SYS_NICE may lower it' : ''}`;
    case 'oom':
      return `cannot set the oom_score_adj of '${name}': ${code}${code === 'EACCES' || code === 'EPERM' ? '; only root with CAP_SYS_RESOURCE may lower it' : ''}`;
  }
}
