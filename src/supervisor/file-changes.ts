/**
 * Restarts or signals programs when their files change (`restart_on_change`, `signal_on_change`). Programs with the
 * same patterns share a watch. Only asks the engine.
 */
import type { Cause } from '../core/cause.ts';
import { causeFields, processFields } from '../core/log-fields.ts';
import { formatCauseOf } from '../core/cause.ts';
import { formatSignal } from '../core/signals.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Monitor } from '../engine/monitor.ts';
import type { Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { WatchFiles } from './watched-files.ts';

/** Parts of {@link FileChanges}. */
export interface FileChangesParts {
  readonly engine: Pick<Engine, 'request' | 'restartProcess' | 'signalProcess' | 'process'>;
  readonly report: Report;
  readonly watchFiles: WatchFiles;
}

/** A watch, and the processes that it is for. */
interface SharedWatch {
  readonly ids: Set<string>;
  readonly close: () => void;
}

/** The watched files of the programs of one engine. */
export class FileChanges implements Monitor {
  readonly #parts: FileChangesParts;
  /** By patterns. */
  readonly #watches = new Map<string, SharedWatch>();
  /** The patterns of each process that is watched. */
  readonly #watchOf = new Map<string, string>();

  constructor(parts: FileChangesParts) {
    this.#parts = parts;
  }

  begin(processes: readonly ProcessView[]): void {
    for (const proc of processes) this.#follow(proc);
  }

  observe(event: EngineEvent): void {
    if (event.type === 'supervisor') this.close();
    else if (event.type === 'configured') this.#follow(event.process);
    else if (event.type === 'group') this.#followGroup(event.ids);
  }

  close(): void {
    for (const { close } of this.#watches.values()) close();
    this.#watches.clear();
    this.#watchOf.clear();
  }

  /** Follows the processes of a group that was added or removed. */
  #followGroup(ids: readonly string[]): void {
    for (const id of ids) {
      const proc = this.#parts.engine.process(id);
      if (proc === null) this.#leave(id);
      else this.#follow(proc);
    }
  }

  /** Watches the files of a process, and no others. */
  #follow({ id, config }: ProcessView): void {
    const patterns = config.options.restart_on_change;
    const wanted = patterns.join('\n');
    if (this.#watchOf.get(id) === wanted) return;
    this.#leave(id);
    if (patterns.length === 0) return;
    const watch = this.#watches.get(wanted) ?? this.#open(wanted, patterns);
    watch.ids.add(id);
    this.#watchOf.set(id, wanted);
  }

  #open(key: string, patterns: readonly string[]): SharedWatch {
    const ids = new Set<string>();
    const option = 'restart_on_change';
    const watch = {
      ids,
      close: this.#parts.watchFiles({
        patterns,
        option,
        changed: (cause) => ids.forEach((id) => this.#act(id, cause)),
      }),
    };
    this.#watches.set(key, watch);
    return watch;
  }

  /** Ends the watch of a process, if it has one. The last process of a watch closes it. */
  #leave(id: string): void {
    const key = this.#watchOf.get(id);
    if (key === undefined) return;
    this.#watchOf.delete(id);
    const watch = this.#watches.get(key);
    watch?.ids.delete(id);
    if (watch?.ids.size !== 0) return;
    watch.close();
    this.#watches.delete(key);
  }

  /**
   * Acts on changed files. A program that runs is restarted or signalled. A program that has failed or ended is started
   * again, since the change may be the repair. A program that was stopped on request stays down.
   */
  #act(id: string, cause: Extract<Cause, { kind: 'file' }>): void {
    const { engine } = this.#parts;
    const proc = engine.process(id);
    switch (proc?.record.state) {
      case 'STARTING':
      case 'RUNNING':
        // A program that is not executed yet will read the new file.
        if (proc.record.pid === null) return;
        if (proc.config.options.signal_on_change === null) engine.restartProcess(id, cause);
        else this.#signal(proc, proc.config.options.signal_on_change, cause);
        return;
      case 'BACKOFF':
        engine.request(id, 'stop', cause);
        return this.#start(proc, cause);
      case 'EXITED':
      case 'FATAL':
        return this.#start(proc, cause);
      case 'STOPPED':
      case 'STOPPING':
      case 'UNKNOWN':
      case undefined:
    }
  }

  #start(proc: ProcessView, cause: Cause): void {
    this.#tell(proc, `starting '${proc.config.name}'`, cause);
    this.#parts.engine.request(proc.id, 'start', cause);
  }

  #signal(proc: ProcessView, signal: number, cause: Cause): void {
    const failure = this.#parts.engine.signalProcess(proc.id, signal, cause);
    const name = formatSignal(signal);
    if (failure === null) this.#tell(proc, `sent ${name} to '${proc.config.name}'`, cause);
    else
      this.#parts.report('warn', `cannot send ${name} to '${proc.config.name}': ${failure}`, {
        event: 'signal_failed',
        ...processFields(proc.config),
        signal: name,
      });
  }

  #tell({ config, record }: ProcessView, what: string, cause: Cause): void {
    this.#parts.report('info', `${what}: ${formatCauseOf(cause)}`, {
      event: 'changed',
      ...processFields(config),
      state: record.state,
      ...causeFields(cause),
    });
  }
}
