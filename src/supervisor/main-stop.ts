/**
 * Handles a stop signal in init mode, after it was forwarded to the main program. The program may ignore the signal, as
 * a shell does. The other programs would then get no signal before the container is killed. So they are stopped some
 * seconds later. The main program itself is only waited for, unless a time limit is configured.
 */
import type { Config, ProcessConfig } from '../config/model.ts';
import type { SignalCause } from '../core/cause.ts';
import { isFromKeyboard } from '../core/signal-meaning.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { StopBudget } from './stop-budget.ts';

const SECOND_MS = 1000;
/** Time from the signal until the other programs are stopped. */
const ALONE_MS = 4000;

/** Parts of {@link MainStop}. A reload replaces the configuration and the engine. */
export interface MainStopParts {
  readonly config: () => Config;
  readonly engine: () => Pick<Engine, 'shutDown' | 'request' | 'phase'>;
  readonly clock: Clock;
  readonly stopBudget: Pick<StopBudget, 'signalled'>;
}

/** Stops the other programs after a stop signal was sent on to the main program. */
export class MainStop {
  readonly #parts: MainStopParts;
  #isCounting = false;

  constructor(parts: MainStopParts) {
    this.#parts = parts;
  }

  /** Takes note that a stop signal was forwarded to the main program. Only the first one counts. */
  forwarded(cause: SignalCause): void {
    if (isFromKeyboard(cause.signal)) return;
    const { config, clock, stopBudget } = this.#parts;
    const settings = config();
    stopBudget.signalled(settings, 'forwarded');
    const main = settings.groups.find(({ name }) => name === settings.main)?.processes[0];
    if (this.#isCounting || main === undefined || !isMoreThanForwarded(settings)) return;
    this.#isCounting = true;
    clock.alarm(clock.nowMs() + delayMs(settings), () => this.#stopOthers(main, cause));
  }

  #stopOthers(main: ProcessConfig, cause: SignalCause): void {
    this.#isCounting = false;
    const engine = this.#parts.engine();
    if (engine.phase !== 'running' && engine.phase !== 'delayed') return;
    const { mainStopWait, supervisord } = this.#parts.config();
    const id = namespecOf(main);
    engine.shutDown('exit', cause, { forwarded: { id, mayKill: supervisord.shutdown_timeout !== null } });
    if (mainStopWait !== null) engine.request(id, 'kill', { kind: 'shutdown', goal: 'exit', cause });
  }
}

/**
 * True if more than forwarding is needed. With a single program and no time limit, signals are only forwarded, as in
 * tini.
 */
function isMoreThanForwarded({ groups, mainStopWait, supervisord }: Config): boolean {
  return groups.length > 1 || mainStopWait !== null || supervisord.shutdown_timeout !== null;
}

/** Returns the delay. If there is less time than usual after `shutdown_delay`, the other programs get half of it. */
function delayMs({ mainStopWait, stopBudget, supervisord }: Config): number {
  if (mainStopWait !== null) return mainStopWait * SECOND_MS;
  const shortest = Math.min(stopBudget ?? Infinity, supervisord.shutdown_timeout ?? Infinity);
  return Math.min(ALONE_MS, ((shortest - supervisord.shutdown_delay) * SECOND_MS) / 2);
}
