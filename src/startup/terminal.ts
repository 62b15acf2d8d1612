/** The terminal in init mode. The main program owns it while it runs. */
import type { Addon } from '../native/addon.ts';
import type { Leftovers } from '../process/leftovers.ts';
import { ignoreTerminalStops } from '../process/signals.ts';

/** Returns the terminal at exit to its previous process group. Does nothing without a terminal. */
export function keepTerminal(addon: Addon, leftovers: Leftovers): void {
  const before = addon.foregroundGroup(0);
  if (before < 0) return;
  ignoreTerminalStops(addon);
  leftovers.add(() => {
    addon.setForegroundGroup(0, before);
  });
}
