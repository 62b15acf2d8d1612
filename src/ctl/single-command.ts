/**
 * Loads one command without the others. Probes and scripts run `status` and `health` again and again, and loading all
 * commands takes longer than their request.
 */
import type { Command } from './command.ts';

const LOADERS: Readonly<Record<string, () => Promise<Command>>> = {
  health: async () => (await import('./commands/health.ts')).health,
  status: async () => (await import('./commands/status.ts')).status,
};

/** A line of the client, as `parseLine` in dispatch.ts divides it. */
interface Line {
  readonly name: string;
  readonly argument: string;
}

/** Loads the command of a line alone. Null if that is impossible: the help of a command needs all commands. */
export async function loadAlone({ name, argument }: Line): Promise<ReadonlyMap<string, Command> | null> {
  const load = Object.hasOwn(LOADERS, name) ? LOADERS[name] : undefined;
  if (load === undefined || /(?:^|\s)(?:-h|--help)(?:\s|$)/.test(argument)) return null;
  return new Map([[name, await load()]]);
}
