/** Starts a command as a child with our standard streams and in our process group. */
import { type Addon, INHERITED, type SpawnRequest } from '../native/addon.ts';
import { type CommandContext, findCommand } from '../process/command.ts';
import { describeSpawnFailure, isSpawnFailure } from '../process/spawn-error.ts';

/** A command, with what it does not inherit from us. */
export interface OwnStreamsCommand {
  readonly argv: readonly string[];
  readonly env: readonly string[];
  /** Paths in which the command is searched. */
  readonly search: Pick<CommandContext, 'programPath' | 'ownPath'>;
  readonly settings?: Partial<Omit<SpawnRequest, 'stdin' | 'stdout' | 'stderr' | 'leadership'>>;
  /** User that an error names; null for ours. */
  readonly uid?: number | null;
}

/** Starts the command and returns its pid. Throws a SpawnError. */
export function spawnWithOwnStreams(
  addon: Addon,
  { argv, env, search, settings = {}, uid = null }: OwnStreamsCommand,
): number {
  const { directory = null } = settings;
  const command = argv[0] ?? '';
  const file = findCommand(command, { ...search, directory });
  const streams = { stdin: 0, stdout: 1, stderr: 2, leadership: 'none' } as const;
  try {
    return addon.spawn({ ...INHERITED, ...settings, file, argv, env, ...streams }).pid;
  } catch (error) {
    if (!isSpawnFailure(error)) throw error;
    throw describeSpawnFailure(error, { name: command, command, directory, uid, cause: null });
  }
}
