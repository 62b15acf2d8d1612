/**
 * Updates the programs when a file of the configuration has changed (`watch_config`), as the command `update` does. A
 * configuration with errors changes nothing.
 */
import type { ConfigDiff } from '../config/diff.ts';
import type { Config } from '../config/model.ts';
import { formatProblem } from '../config/problems.ts';
import { type Cause, formatCauseOf } from '../core/cause.ts';
import { causeFields } from '../core/log-fields.ts';
import type { Engine } from '../engine/engine.ts';
import type { Level } from '../core/log-level.ts';
import type { Report } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { ActiveGroups } from './active-groups.ts';
import { problemFields } from './config-reader.ts';
import { stopProcesses } from './group-update.ts';
import { SocketRefusal } from './program-sockets.ts';
import type { WatchFiles } from './watched-files.ts';

/** Parts of a {@link ConfigurationWatch}. */
export interface ConfigurationWatchParts {
  readonly engine: Engine;
  readonly groups: ActiveGroups;
  /** Applies the settings of the supervisor itself that can change while programs run. */
  readonly updateSettings: () => void;
  readonly report: Report;
  readonly watchFiles: WatchFiles;
  /** Puts sections `[notify:x]` into use. */
  readonly updateNotifications: (sections: Config['notifications']) => ConfigDiff;
}

/** Watches the configuration of one engine, from its creation until {@link ConfigurationWatch.close}. */
export class ConfigurationWatch {
  readonly #parts: ConfigurationWatchParts;
  /** The last update. Never rejects. */
  #updated: Promise<void> = Promise.resolve();
  #watched = '';
  #endWatch: () => void = () => undefined;
  #isClosed = false;

  constructor(parts: ConfigurationWatchParts) {
    this.#parts = parts;
    this.#follow();
  }

  /** Ends the watch. An update under way stops before its next group. */
  close(): void {
    this.#isClosed = true;
    this.#endWatch();
  }

  /** Watches the files of the latest configuration. */
  #follow(): void {
    const patterns = this.#parts.groups.latest.sources;
    const key = patterns.join('\n');
    if (this.#isClosed || key === this.#watched) return;
    this.#endWatch();
    this.#watched = key;
    this.#endWatch = this.#parts.watchFiles({
      patterns,
      option: 'watch_config',
      changed: (cause) => {
        this.#updated = this.#updated.then(() => this.#update(cause));
      },
    });
  }

  async #update(cause: Cause): Promise<void> {
    if (!this.#mayGoOn()) return;
    const { groups } = this.#parts;
    const changes = await groups.reach((unread) => unread ?? groups.reread());
    if (!this.#mayGoOn()) return;
    if ('problems' in changes) {
      for (const error of changes.errors) this.#parts.report('error', formatProblem(error), problemFields(error));
      return this.#tell('error', `${formatCauseOf(cause)}, but it is invalid: everything stays as it was`, cause);
    }
    this.#follow();
    const { removed, changed, added } = changes;
    const notifications = this.#parts.updateNotifications(groups.latest.notifications);
    this.#tell('info', `${formatCauseOf(cause)}: ${summarize(changes, notifications)}`, cause);
    // Programs that are restarted get the new settings.
    this.#parts.updateSettings();
    await Promise.all(removed.map((name) => this.#remove(name, cause)));
    await Promise.all(changed.map((name) => this.#change(name, cause)));
    for (const name of added) if (this.#mayGoOn()) this.#report(groups.add(name, cause));
  }

  async #remove(name: string, cause: Cause): Promise<void> {
    const { groups, engine } = this.#parts;
    await stopProcesses(engine, groups.get(name)?.processes.map(namespecOf) ?? [], cause);
    if (this.#mayGoOn()) groups.remove(name);
  }

  /** Updates a group in place, or replaces it if its processes share more than their options. */
  async #change(name: string, cause: Cause): Promise<void> {
    const { groups } = this.#parts;
    const updated = await groups.update(name, cause);
    if (updated !== null) return this.#report(updated);
    await this.#remove(name, cause);
    if (this.#mayGoOn()) this.#report(groups.add(name, cause));
  }

  /** False once a shutdown has begun: it has closed the streams that a new program would need. */
  #mayGoOn(): boolean {
    return !this.#isClosed && this.#parts.engine.phase === 'running';
  }

  /** Reports a socket that cannot be opened. Its group stays as it was. */
  #report(outcome: unknown): void {
    if (outcome instanceof SocketRefusal) this.#parts.report('error', outcome.message);
  }

  #tell(level: Level, text: string, cause: Cause): void {
    this.#parts.report(level, text, { event: 'changed', ...causeFields(cause) });
  }
}

/** Formats the groups and the sections `[notify:x]` that change: `removed db; added web, notify:ops`. */
function summarize(groups: ConfigDiff, notifications: ConfigDiff): string {
  const lists = (['removed', 'changed', 'added'] as const).flatMap((list) => {
    const names = [...groups[list], ...notifications[list].map((name) => `notify:${name}`)];
    return names.length === 0 ? [] : [`${list} ${names.join(', ')}`];
  });
  return lists.join('; ') || 'no program has changed';
}
