/** The settings that a program starts with, completed with our own, for a client (`onevisor run`). */
import type { ProcessConfig } from '../config/model.ts';
import { SpawnError } from '../process/spawn-error.ts';
import type { ProgramSettings } from '../rpc/supervisor-api.ts';
import type { Supervision } from './supervision.ts';

/** Returns the settings of a program, or the reason why it could not be started with them. */
export async function programSettings(
  supervision: Pick<Supervision, 'launchSettingsOf' | 'config'>,
  proc: ProcessConfig,
  mountNamespace: string,
): Promise<ProgramSettings | string> {
  try {
    const settings = await supervision.launchSettingsOf(proc);
    return {
      ...settings,
      // The client may have another user, directory and umask than we have.
      directory: settings.directory ?? process.cwd(),
      umask: settings.umask ?? supervision.config.supervisord.umask,
      uid: settings.uid ?? process.getuid?.() ?? 0,
      gid: settings.gid ?? process.getgid?.() ?? 0,
      groups: settings.groups ?? process.getgroups?.() ?? [],
      mountNamespace,
    };
  } catch (error) {
    if (!(error instanceof SpawnError)) throw error;
    return error.message;
  }
}
