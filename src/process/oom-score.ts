/**
 * Protection of the supervisor from the out-of-memory killer (proc_pid_oom_score_adj(5)): if the kernel ended PID 1, it
 * would end the container. Programs do not inherit the protection.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { reasonOf } from '../core/error-text.ts';
import type { Message } from '../engine/messages.ts';

/**
 * Value for PID 1 in a container. -1000 would exempt it altogether: if PID 1 itself took all memory, the kernel would
 * have no process to kill, and the container would hang.
 */
export const PROTECTED_SCORE = -999;

const FILE = '/proc/self/oom_score_adj';

/** Reads and writes our value. Tests have their own. */
export interface ScoreFile {
  readonly read: () => string;
  readonly write: (text: string) => void;
}

const ownScore: ScoreFile = { read: () => readFileSync(FILE, 'latin1'), write: (text) => writeFileSync(FILE, text) };

/** Result of the protection. */
export interface ScoreOutcome {
  readonly messages: readonly Message[];
  /** Value for every program without a value of its own: the one that we were started with. Null: ours is the same. */
  readonly forPrograms: number | null;
}

/**
 * Sets our value. `wanted`: that of the configuration. Without it, PID 1 lowers its own where that is permitted, which
 * takes CAP_SYS_RESOURCE.
 */
export function protectFromOom(
  wanted: number | null,
  isFirst: boolean,
  { read, write }: ScoreFile = ownScore,
): ScoreOutcome {
  const score = wanted ?? (isFirst ? PROTECTED_SCORE : null);
  if (score === null) return { messages: [], forPrograms: null };
  try {
    const inherited = Number.parseInt(read(), 10);
    // A lower value comes from the one who started us.
    if (inherited === score || (wanted === null && inherited < score)) return { messages: [], forPrograms: null };
    write(`${score}`);
    return { messages: [], forPrograms: inherited };
  } catch (error) {
    const text = `cannot set the oom_score_adj of the supervisor to ${score}: ${reasonOf(error)}`;
    return {
      messages: [wanted === null ? ['debug', text] : ['warn', `${text}; it takes CAP_SYS_RESOURCE to lower it`]],
      forPrograms: null,
    };
  }
}
