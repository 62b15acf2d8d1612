/** The steps that a start waits for after its dependencies, with their texts. Pure. */

/** Step of the cleanup after a run, by the option that asks for it. */
export type CleanupStep = 'kill_orphans' | 'stop_command' | 'post_stop_command';

/** Step that comes before the program is executed: the cleanup of its last run, or its own hook. */
export type StartWait = CleanupStep | 'pre_start_command';

/** Texts that complete a sentence after the name of the process. */
const TEXTS: Readonly<Record<StartWait, string>> = {
  kill_orphans: 'waits for the remaining processes of its last run (kill_orphans)',
  stop_command: 'waits for stop_command of its last run',
  post_stop_command: 'waits for post_stop_command of its last run',
  pre_start_command: 'waits for pre_start_command',
};

/** All steps. */
export const START_WAITS = Object.keys(TEXTS) as readonly StartWait[];

/** Formats the wait of a start so that it completes a sentence: `waits for post_stop_command of its last run`. */
export function formatStartWait(wait: StartWait): string {
  return TEXTS[wait];
}

/** Reads a step from an answer of a server; null for none, and for a step of another version. */
export function readStartWait(text: string | null): StartWait | null {
  return START_WAITS.find((wait) => wait === text) ?? null;
}
