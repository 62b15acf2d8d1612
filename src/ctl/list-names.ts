/** The names of the running supervisor, for the completion of shells: quick, and without a word about errors. */
import { openSource, readGivenFile } from '../config/source.ts';
import type { Discovery } from './discovery.ts';
import type { Named } from './names.ts';
import { parseOptions } from './options.ts';
import { readSettings } from './settings.ts';
import { SupervisorClient } from './supervisor-client.ts';
import { callRemoteMethod } from './transport.ts';

/** The place where the user types. */
export interface TypingPlace {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Path of our executable. The configuration is also searched near it. */
  readonly calledPath: string;
  readonly discovery: Discovery;
}

/**
 * Returns the processes of the supervisor that a command line with these options means. Returns none if no supervisor
 * answers before the signal is aborted.
 */
export async function listNames(
  options: readonly string[],
  { env, cwd, calledPath, discovery }: TypingPlace,
  signal: AbortSignal,
): Promise<readonly Named[]> {
  const parsed = parseOptions(options);
  if (!parsed.ok) return [];
  try {
    const given = await readGivenFile(parsed.options.file ?? env['ONEVISOR_CONF']);
    const reading = readSettings(parsed.options, { ...openSource(env, null, given), cwd }, calledPath, discovery);
    if (!reading.ok) return [];
    const { settings } = reading;
    const client = new SupervisorClient((method, ...params) => callRemoteMethod(settings, method, params, signal));
    return await client.getAllProcessInfo();
  } catch {
    // No supervisor, no permission, a wrong password: an error in the middle of typing helps no one.
    return [];
  }
}
