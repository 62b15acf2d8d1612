/**
 * Not a test itself: a small init mode, at the terminal that `script` provides. Starts a main program that prints the
 * owner of the foreground, takes the foreground back, and prints the owner again.
 */
import { inheritedStdio } from '../../src/process/launcher.ts';
import { ignoreTerminalStops } from '../../src/process/signals.ts';
import { addon, ending, shell } from './programs.ts';

ignoreTerminalStops(addon);
const ours = addon.foregroundGroup(0);
const { pid } = addon.spawn(
  shell(
    'read _ _ _ _ group _ _ foreground _ < /proc/self/stat; stty -a > /dev/null && echo "main $((group == $$)) ' +
      '$((foreground == $$))"',
    inheritedStdio(addon),
  ),
);
const status = await ending(pid);
// Now in the background, at a terminal that stops background writers (stty tostop). Our output must still arrive.
process.stdout.write(`ended ${JSON.stringify(status)} ${addon.foregroundGroup(0) === pid}\n`);
const result = addon.setForegroundGroup(0, ours);
process.stdout.write(`back ${result} ${addon.foregroundGroup(0) === ours}\n`);
