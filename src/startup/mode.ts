/**
 * Finds the mode that the supervisor runs in: as a container's main process, or as Supervisor does.
 * The mode decides the defaults of a configuration, and `nodaemon` of the configuration has a part in the decision, so
 * it may be read twice.
 */
import { readSwitch } from '../config/environment.ts';
import type { Flags } from '../config/flags.ts';
import type { Reading } from '../config/model.ts';
import { isMainProcess } from '../core/container-mode.ts';
import { readContainerFacts } from './container-facts.ts';

/** Facts that the decision depends on, besides the configuration. */
export interface ModeQuestion {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly self: { readonly pid: number; readonly parent: number };
  readonly flags: Pick<Flags, 'isContainer'>;
}

/** The mode, and the configuration as it is read in it. */
export interface ModeOutcome {
  readonly isContainer: boolean;
  /** This is the main process of a container, and leaves it because the configuration does not say `nodaemon`. */
  readonly leavesContainer: boolean;
  readonly reading: Reading;
}

/** The answer of a flag or of ONEVISOR_CONTAINER, or that of PID 1; null where it depends on the surroundings. */
export function explicitMode({ env, self, flags }: ModeQuestion): boolean | null {
  if (flags.isContainer) return true;
  return readSwitch(env, 'ONEVISOR_CONTAINER') ?? (self.pid === 1 ? true : null);
}

/** True if the container ends when this process does. */
export function isMain(question: ModeQuestion): boolean {
  return explicitMode(question) ?? isMainProcess(readContainerFacts(question.env, question.self.parent));
}

/** Finds the mode, and reads the configuration in it. */
export function findMode(question: ModeQuestion, read: (isContainer: boolean) => Reading): ModeOutcome {
  const explicit = explicitMode(question);
  if (explicit !== null || !isMain(question)) {
    const isContainer = explicit ?? false;
    return { isContainer, leavesContainer: false, reading: read(isContainer) };
  }
  const plain = read(false);
  const leavesContainer = plain.config !== null && !staysInForeground(plain.config);
  return leavesContainer
    ? { isContainer: false, leavesContainer, reading: plain }
    : { isContainer: true, leavesContainer, reading: read(true) };
}

/**
 * True where the supervisor does not become a daemon, even outside containers: asked not to, beside a main program, and
 * without a file.
 */
export function staysInForeground({ supervisord, main, file }: NonNullable<Reading['config']>): boolean {
  return supervisord.nodaemon || main !== null || file === null;
}
