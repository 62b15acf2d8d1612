/**
 * Not a test by itself: init mode in small, at the terminal that `script` gives. Starts a main program that says who
 * has the foreground, takes it back, and says so too.
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
// In the background now, with a terminal that stops whoever writes there (stty tostop): we must get through.
process.stdout.write(`ended ${JSON.stringify(status)} ${addon.foregroundGroup(0) === pid}\n`);
const result = addon.setForegroundGroup(0, ours);
process.stdout.write(`back ${result} ${addon.foregroundGroup(0) === ours}\n`);
