/** The terminal of init mode. The main program has it while it runs. */
import type { Addon } from '../native/addon.ts';
import type { Leftovers } from '../process/leftovers.ts';
import { ignoreTerminalStops } from '../process/signals.ts';

/** Gives the terminal back at the end to the process group that had it before. Does nothing without a terminal. */
export function keepTerminal(addon: Addon, leftovers: Leftovers): void {
  const before = addon.foregroundGroup(0);
  if (before < 0) return;
  ignoreTerminalStops(addon);
  leftovers.add(() => {
    addon.setForegroundGroup(0, before);
  });
}
