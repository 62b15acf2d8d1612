/** The parts that a supervision gets from the program that runs it. Types only. */
import type { Config } from '../config/model.ts';
import type { ExitCause } from '../core/exit-policy.ts';
import type { Hub } from '../logs/ports.ts';
import type { SystemClock } from '../process/clock.ts';
import type { ConfigurationReader } from './config-reader.ts';
import type { ConfigurationWatchParts } from './configuration-watch.ts';
import type { FindOwner } from './owner-lookup.ts';
import type { ProgramSockets } from './program-sockets.ts';
import type { StarterParts } from './program-starter.ts';
import type { StopBudget } from './stop-budget.ts';

/** Parts of a {@link import('./supervision.ts').Supervision}. */
export interface SupervisionParts extends Omit<StarterParts, 'report'> {
  readonly clock: SystemClock;
  readonly hub: Hub;
  readonly findOwner: FindOwner;
  readonly stopBudget: StopBudget;
  /** True if standard input, output or error is a terminal. */
  readonly hasTerminal: boolean;
  /** The sockets of the programs, those of the first configuration already open. */
  readonly sockets: ProgramSockets;
  /** Reads the configuration again and reports its warnings. */
  readonly configuration: ConfigurationReader;
  /** Applies a new configuration to our own log, the signals and the servers, while no program runs. Never rejects. */
  readonly reconfigure: (config: Config) => Promise<void>;
  /** Applies a new configuration to our own log and the signals, while programs run. */
  readonly configureSelf: (config: Config) => void;
  /** Puts changed sections `[notify:x]` into use while programs run. */
  readonly updateNotifications: ConfigurationWatchParts['updateNotifications'];
  /** Called before the programs with autostart are started, also after a reload. */
  readonly started: () => void;
  /** Called when all programs have ended. */
  readonly finished: (cause: ExitCause) => void;
}
