/**
 * Init mode: what follows from a stop signal beside that it is sent on to the main program. A command may ignore it, as
 * a shell does, and programs beside it would never get theirs before the container is killed. So they are stopped some
 * seconds later. The command itself is only waited for, unless somebody has set how long it may take.
 */
import type { Config, ProcessConfig } from '../config/model.ts';
import { signalNumbers } from '../core/signals.ts';
import type { Engine } from '../engine/engine.ts';
import type { Clock } from '../engine/ports.ts';
import { namespecOf } from '../engine/process-table.ts';
import type { StopBudget } from './stop-budget.ts';

const SECOND_MS = 1000;
/** From the signal until the other programs are stopped. */
const ALONE_MS = 4000;

/** Its parts. The configuration and the engine are other ones after a reload. */
export interface MainStopParts {
  readonly config: () => Config;
  readonly engine: () => Pick<Engine, 'end' | 'request' | 'phase'>;
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

  /** A signal that means the end was sent on to the main program. The first one counts. */
  forwarded(signal: number): void {
    // Ctrl-C at a command is for that command.
    if (signal === signalNumbers.SIGINT || signal === signalNumbers.SIGQUIT) return;
    const { config, clock, stopBudget } = this.#parts;
    const settings = config();
    stopBudget.signalled(settings, 'forwarded');
    const main = settings.groups.find(({ name }) => name === settings.main)?.processes[0];
    if (this.#isCounting || main === undefined || !isMoreThanForwarded(settings)) return;
    this.#isCounting = true;
    clock.alarm(clock.nowMs() + delayMs(settings), () => this.#stopOthers(main, signal));
  }

  #stopOthers(main: ProcessConfig, signal: number): void {
    this.#isCounting = false;
    const engine = this.#parts.engine();
    if (engine.phase !== 'running') return;
    const { mainStopWait, supervisord } = this.#parts.config();
    const id = namespecOf(main);
    engine.end('exit', { kind: 'signal', signal }, { id, mayKill: supervisord.shutdown_timeout !== null });
    if (mainStopWait !== null) engine.request(id, 'kill');
  }
}

/** With nothing beside the command, and nothing set for it, signals are sent on and no more, as tini does. */
function isMoreThanForwarded({ groups, mainStopWait, supervisord }: Config): boolean {
  return groups.length > 1 || mainStopWait !== null || supervisord.shutdown_timeout !== null;
}

/** Where there is less time than usual, the others get half of it. */
function delayMs({ mainStopWait, stopBudget, supervisord }: Config): number {
  if (mainStopWait !== null) return mainStopWait * SECOND_MS;
  const shortest = Math.min(stopBudget ?? Infinity, supervisord.shutdown_timeout ?? Infinity);
  return Math.min(ALONE_MS, (shortest * SECOND_MS) / 2);
}
