/**
 * Finds the origin of a signal: outside or inside our process tree, as /proc shows it now. The work is bounded and does
 * not wait.
 */
import type { SignalOrigin } from '../core/shutdown-signals.ts';
import { type ProcessEntry, readProcess } from './process-tree.ts';

/** Limit on the steps from a process to its parent. A longer chain exists only to trick us, and counts as inside. */
const MAX_STEPS = 256;
/** Limit on restarts of the walk. An ancestor that stays invisible is hidden from us (hidepid). */
const MAX_RESTARTS = 3;

/**
 * Returns the origin of a signal. `code` and `sender` are si_code and si_pid of sigaction(2), `self` is our own pid,
 * and `read` reads a process. The sender may have ended. In rare cases its pid already belongs to another process,
 * which cannot be detected.
 */
export function originOf(
  code: number,
  sender: number,
  self: number,
  read: (pid: number) => ProcessEntry | null = readProcess,
): SignalOrigin {
  if (code > 0) return 'kernel';
  // From another PID namespace: the container engine, or a process in a parent namespace.
  if (sender === 0) return 'outside';
  if (sender < 0) return 'unknown';
  return originInTree(sender, self, read);
}

function originInTree(sender: number, self: number, read: (pid: number) => ProcessEntry | null): SignalOrigin {
  let restarts = 0;
  let pid = sender;
  for (let step = 0; step < MAX_STEPS; step += 1) {
    if (pid === self) return 'inside';
    // PID 1 has no parent in its namespace, and we have reached it without passing our own process.
    if (pid <= 1) return 'outside';
    const entry = read(pid);
    if (entry !== null && !(pid === sender && entry.isZombie)) pid = entry.parent;
    // An ancestor that ended during the walk has passed its children to another process. Start the walk again.
    else if (pid === sender || restarts === MAX_RESTARTS) return 'unknown';
    else {
      restarts += 1;
      pid = sender;
    }
  }
  return 'inside';
}
