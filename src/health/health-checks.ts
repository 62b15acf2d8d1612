/** The monitor of health checks. */
import type { ProcessConfig } from '../config/model.ts';
import { processFields } from '../core/log-fields.ts';
import type { CheckResult } from '../core/probe.ts';
import type { ProcessRemark } from '../core/process-remark.ts';
import type { Engine } from '../engine/engine.ts';
import type { Monitor } from '../engine/monitor.ts';
import type { EngineEvent } from '../engine/events.ts';
import type { Jobs, Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import { HostLookups } from './host-lookups.ts';
import type { CheckParts } from './check.ts';
import { Watch } from './watch.ts';

/** Dependencies of the health checks. */
export interface HealthCheckParts {
  readonly engine: Pick<Engine, 'reportHealth' | 'restartProcess' | 'shutDown'>;
  readonly clock: CheckParts['clock'];
  readonly report: Report;
  readonly jobs: Jobs;
}

/**
 * Begins the checks of a program with each run, and ends them with the run. Reports the health to the engine and to the
 * log, and carries out `healthcheck_action`.
 */
export class HealthChecks implements Monitor {
  readonly #parts: HealthCheckParts;
  readonly #lookups = new HostLookups();
  /** Watches of the processes that are up and have a check, by namespec. */
  readonly #watches = new Map<string, Watch>();

  constructor(parts: HealthCheckParts) {
    this.#parts = parts;
  }

  /** Begins the checks of the processes that are up already. */
  begin(processes: readonly ProcessView[]): void {
    for (const proc of processes) this.#update(proc);
  }

  observe(event: EngineEvent): void {
    if (event.type === 'spawned' || event.type === 'configured') return this.#update(event.process);
    if (event.type !== 'process') return;
    const { id, record } = event.process;
    if (!isUp(event.process)) this.#end(id);
    else if (record.state === 'RUNNING') this.#watches.get(id)?.cameUp();
  }

  /** Returns the reason of the latest failed check, unless the process is healthy; null for none. */
  remark(id: string): ProcessRemark | null {
    const watch = this.#watches.get(id);
    if (watch === undefined || watch.health === 'healthy' || watch.latestFailure === null) return null;
    return { kind: 'healthFailure', reason: watch.latestFailure };
  }

  lastCheck(id: string): CheckResult | null {
    return this.#watches.get(id)?.latestCheck ?? null;
  }

  close(): void {
    for (const id of this.#watches.keys()) this.#end(id);
  }

  /** Begins, changes or ends the checks of a process, for its current run and configuration. */
  #update({ id, config, record }: ProcessView): void {
    const probe = config.options.healthcheck;
    const watch = this.#watches.get(id);
    if (record.pid === null || !isUp({ record })) return this.#end(id);
    if (probe === null) {
      this.#end(id);
      if (record.health !== null) this.#parts.engine.reportHealth(id, record.run, null);
    } else if (watch?.run === record.run) {
      watch.configure(config, probe);
    } else {
      this.#end(id);
      this.#watches.set(
        id,
        new Watch({ proc: config, probe, run: record.run }, { ...this.#parts, lookups: this.#lookups }, (changed) =>
          this.#reportHealth(id, changed),
        ),
      );
      this.#parts.engine.reportHealth(id, record.run, 'starting');
    }
  }

  #end(id: string): void {
    this.#watches.get(id)?.close();
    this.#watches.delete(id);
  }

  #reportHealth(id: string, watch: Watch): void {
    const { engine, report } = this.#parts;
    const { health, failures, process: proc, run } = watch;
    const reason = watch.latestFailure ?? '';
    const count = `${failures} failure${failures === 1 ? '' : 's'}`;
    const fields = { event: 'health', ...processFields(proc), health } as const;
    if (health === 'healthy') report('info', `health: ${proc.name} is healthy`, fields);
    else report('warn', `health: ${proc.name} is ${health}: ${reason} (${count})`, fields);
    engine.reportHealth(id, run, health);
    if (health === 'unhealthy') this.#act(id, proc, reason);
  }

  #act(id: string, { name, options }: ProcessConfig, reason: string): void {
    const { engine } = this.#parts;
    switch (options.healthcheck_action) {
      case 'none':
        return;
      case 'restart':
        engine.restartProcess(id, { kind: 'health', reason });
        return;
      case 'exit':
        return engine.shutDown('exit', {
          kind: 'program',
          id: name,
          rule: 'healthcheck_action',
          code: 1,
          how: `unhealthy: ${reason}`,
          wasExecuted: true,
        });
    }
  }
}

/** True if a process should be checked. A process that is being stopped should not. */
function isUp({ record: { state } }: Pick<ProcessView, 'record'>): boolean {
  return state === 'STARTING' || state === 'RUNNING';
}
