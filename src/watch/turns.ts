/**
 * Runs looks at files one after the other, so that they hold one thread of the pool together. A look that does not end
 * because its file system hangs keeps its thread and loses its turn, so that other files are still watched.
 */
import type { Clock } from '../engine/ports.ts';

/** Time after which a look loses its turn. */
const PATIENCE_MS = 5000;
/** Looks that may hang at the same time. More would use up the pool, and the looks after them wait. */
const MAX_HUNG = 3;

/** Runs a look when its turn has come. Calls `hung` if the look loses its turn. A look must not reject. */
export type InTurn = (look: () => Promise<void>, hung: () => void) => Promise<void>;

/** Makes the queue of all looks. */
export function makeTurns(clock: Clock): InTurn {
  let last: Promise<void> = Promise.resolve();
  const stuck = new Set<Promise<void>>();
  const run = async (look: () => Promise<void>, hung: () => void): Promise<void> => {
    if (stuck.size >= MAX_HUNG) await Promise.race(stuck);
    const { promise: expiry, resolve } = Promise.withResolvers<'expired'>();
    const callOff = clock.alarm(clock.nowMs() + PATIENCE_MS, () => resolve('expired'));
    const ended = look();
    if ((await Promise.race([ended, expiry])) !== 'expired') return callOff();
    hung();
    stuck.add(ended);
    void ended.then(() => stuck.delete(ended));
  };
  return (look, hung) => (last = last.then(() => run(look, hung)));
}
