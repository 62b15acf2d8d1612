/**
 * Asks programs to read their own configuration again: sends `reload_signal`, or runs `reload_command`. Changes no
 * process. A command is cancelled when its program is stopped, and by a shutdown. A command that makes its program end
 * goes on: the program may be executed anew.
 */
import type { Cause } from '../core/cause.ts';
import { causeFields, processFields } from '../core/log-fields.ts';
import { formatReload, refuseReload, type ReloadResult, reloadWayOf } from '../core/program-reload.ts';
import type { Engine } from '../engine/engine.ts';
import type { EngineEvent } from '../engine/events.ts';
import { failureOf } from '../engine/hooks.ts';
import type { Jobs, Report } from '../engine/ports.ts';
import type { ProcessView } from '../engine/process-table.ts';
import type { ReloadAnswer } from '../rpc/supervisor-api.ts';

const COMMAND = 'reload_command';
const SECOND_MS = 1000;

/** Parts of {@link ProgramReloads}. A reload of the supervisor replaces the engine. */
export interface ReloadParts {
  readonly engine: () => Pick<Engine, 'process' | 'signalProcess' | 'phase'>;
  readonly jobs: Jobs;
  readonly report: Report;
}

/** The reloads of one supervisor. A process has at most one running command. */
export class ProgramReloads {
  readonly #parts: ReloadParts;
  /** Functions that cancel the running commands, by namespec. */
  readonly #running = new Map<string, () => void>();

  constructor(parts: ReloadParts) {
    this.#parts = parts;
  }

  /** Reloads a process. Resolves when the signal was sent, or when the command has ended. Never rejects. */
  async reload(id: string, cause: Cause): Promise<ReloadAnswer> {
    const proc = this.#parts.engine().process(id);
    if (proc === null) return { kind: 'refused', reason: 'it is not active any more' };
    const way = reloadWayOf(proc.config.options);
    const reason = refuseReload(way, proc.record.state, this.#running.has(id));
    if (way === null || reason !== null) return { kind: 'refused', reason: reason ?? '' };
    const failure = way.kind === 'signal' ? this.#signal(proc, way.signal, cause) : await this.#run(proc);
    return { kind: 'tried', result: this.#tell(proc, { way, failure }, cause) };
  }

  /** Observes every change. */
  observe(event: EngineEvent): void {
    if (event.type === 'supervisor') for (const cancel of this.#running.values()) cancel();
    if (event.type !== 'process') return;
    const { id, record } = event.process;
    // During a shutdown, nothing may run longer than the programs.
    const isLast = record.pid === null && this.#parts.engine().phase !== 'running';
    if (record.state === 'STOPPING' || isLast) this.#running.get(id)?.();
  }

  #signal({ id }: ProcessView, signal: number, cause: Cause): string | null {
    const code = this.#parts.engine().signalProcess(id, signal, cause);
    return code === null ? null : `the signal could not be sent: ${code}`;
  }

  #run({ id, config, record }: ProcessView): Promise<string | null> {
    const { reload_command: command, reload_timeout: seconds } = config.options;
    const environment = new Map(record.pid === null ? [] : [['SUPERVISOR_PID', String(record.pid)]]);
    const job = {
      name: COMMAND,
      command: command ?? '',
      timeoutMs: seconds * SECOND_MS,
      environment,
      output: 'log',
    } as const;
    return new Promise((resolve) => {
      const cancel = this.#parts.jobs.run(config, job, (outcome) => {
        this.#running.delete(id);
        if (outcome.kind === 'cancelled') resolve(`${COMMAND} was cancelled: the program is being stopped`);
        else resolve(failureOf(COMMAND, outcome, seconds)?.reason ?? null);
      });
      this.#running.set(id, cancel);
    });
  }

  #tell({ config }: ProcessView, result: ReloadResult, cause: Cause): ReloadResult {
    const level = result.failure === null ? 'info' : 'warn';
    const fields = { event: 'reloaded', ...processFields(config), ...causeFields(cause) } as const;
    this.#parts.report(level, `${config.name}: ${formatReload(result)}`, fields);
    return result;
  }
}
