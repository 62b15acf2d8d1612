/**
 * Finds the mode of the supervisor: main process of a container, or as Supervisor itself. The mode decides the defaults
 * of the configuration, and `nodaemon` of the configuration is part of the decision. So the configuration may be read
 * twice.
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

/** The mode, and the configuration for that mode. */
export interface ModeOutcome<R extends Reading = Reading> {
  readonly isContainer: boolean;
  /** True for the main process of a container that will leave it, because the configuration lacks `nodaemon`. */
  readonly leavesContainer: boolean;
  readonly reading: R;
}

/** Returns the mode that a flag, ONEVISOR_CONTAINER or PID 1 determines. Null if it depends on the environment. */
export function explicitMode({ env, self, flags }: ModeQuestion): boolean | null {
  if (flags.isContainer) return true;
  return readSwitch(env, 'ONEVISOR_CONTAINER') ?? (self.pid === 1 ? true : null);
}

/** True if the container ends when this process does. */
export function isMain(question: ModeQuestion): boolean {
  return explicitMode(question) ?? isMainProcess(readContainerFacts(question.env, question.self.parent));
}

/** Finds the mode, and reads the configuration in it. */
export function findMode<R extends Reading>(question: ModeQuestion, read: (isContainer: boolean) => R): ModeOutcome<R> {
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
 * True if the supervisor stays in the foreground even outside containers: because of `nodaemon`, a main program, or a
 * missing configuration file.
 */
export function staysInForeground({ supervisord, main, file }: NonNullable<Reading['config']>): boolean {
  return supervisord.nodaemon || main !== null || file === null;
}
