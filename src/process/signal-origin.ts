/**
 * Where the sender of a signal stands: outside our tree of processes or inside, as /proc says when it is asked. Bounded
 * work, no waiting.
 */
import type { SignalOrigin } from '../core/end-signals.ts';
import { type ProcessEntry, readProcess } from './process-tree.ts';

/** Steps from a process to its parent that are followed; a longer way, which only a trick makes, counts as inside. */
const MOST_STEPS = 256;
/** A parent that is never seen is hidden from us (hidepid). */
const MOST_RESTARTS = 3;

/**
 * Origin of a signal. `code` and `sender` are si_code and si_pid of sigaction(2), `self` is our own pid, `read` looks
 * up a process.
 * The sender may have ended since; its pid may even be that of another process by then, which is rare, and told by
 * nothing.
 */
export function originOf(
  code: number,
  sender: number,
  self: number,
  read: (pid: number) => ProcessEntry | null = readProcess,
): SignalOrigin {
  if (code > 0) return 'kernel';
  // Of another pid namespace: the container engine, or a parent's.
  if (sender === 0) return 'outside';
  if (sender < 0) return 'unknown';
  return placeOf(sender, self, read);
}

function placeOf(sender: number, self: number, read: (pid: number) => ProcessEntry | null): SignalOrigin {
  let restarts = 0;
  let pid = sender;
  for (let step = 0; step < MOST_STEPS; step += 1) {
    if (pid === self) return 'inside';
    // The first process of the namespace has no parent in it, and no process of ours is above us.
    if (pid <= 1) return 'outside';
    const entry = read(pid);
    if (entry !== null && !(pid === sender && entry.isZombie)) pid = entry.parent;
    // An ancestor that ends during the walk hands its children on: the walk begins anew.
    else if (pid === sender || restarts === MOST_RESTARTS) return 'unknown';
    else {
      restarts += 1;
      pid = sender;
    }
  }
  return 'inside';
}
