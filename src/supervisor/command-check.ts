/** Looks up the command of a program without starting it. */
import { resolve } from 'node:path';
import type { ProcessConfig } from '../config/model.ts';
import { candidatesOf, type CommandContext, findCommand, pathIn } from '../process/command.ts';
import { findRemote, readMounts } from '../files/remote-mounts.ts';
import { EXIT_NOT_FOUND, SpawnError } from '../process/spawn-error.ts';
import type { SupervisorApi } from '../rpc/supervisor-api.ts';

function contextOf(options: ProcessConfig['options'], ownPath: string | undefined): CommandContext {
  return { programPath: options.environment.get('PATH') ?? null, ownPath, directory: options.directory };
}

function placesOf(argv: readonly string[], context: CommandContext): string[] {
  return candidatesOf(argv[0] ?? '', context).map((path) => resolve(pathIn(path, context.directory)));
}

/** Returns the reason why a command cannot be executed; null if it can. `ownPath`: PATH of the supervisor. */
export function checkCommand(
  { argv, options, commandError }: ProcessConfig,
  ownPath: string | undefined,
): ReturnType<SupervisorApi['checkCommand']> {
  if (commandError !== null) return { fault: 'NOT_EXECUTABLE', reason: commandError };
  const context = contextOf(options, ownPath);
  const mounts = readMounts();
  // A look at a file system that hangs would not return. The start finds out without waiting for it.
  if (mounts.size > 0 && placesOf(argv, context).some((path) => findRemote(path, mounts) !== null)) return null;
  try {
    findCommand(argv[0] ?? '', context);
    return null;
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return { fault: error.exitCode === EXIT_NOT_FOUND ? 'NO_FILE' : 'NOT_EXECUTABLE', reason: error.message };
  }
}
