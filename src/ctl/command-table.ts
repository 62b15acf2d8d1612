/** The table of all commands by name. */
import type { Command } from './command.ts';
import { add } from './commands/add.ts';
import { avail } from './commands/avail.ts';
import { clear } from './commands/clear.ts';
import { describe, why } from './commands/describe.ts';
import { fg } from './commands/fg.ts';
import { health } from './commands/health.ts';
import { createHelp } from './commands/help.ts';
import { reopen, rotate } from './commands/log-files.ts';
import { logs } from './commands/logs.ts';
import { maintail } from './commands/maintail.ts';
import { notify } from './commands/notify.ts';
import { open } from './commands/open.ts';
import { pid } from './commands/pid.ts';
import { endOfInput, exit, quit } from './commands/quit.ts';
import { reload } from './commands/reload.ts';
import { reloadProgram } from './commands/reload-program.ts';
import { remove } from './commands/remove.ts';
import { reread } from './commands/reread.ts';
import { restart } from './commands/restart.ts';
import { scale } from './commands/scale.ts';
import { shutdown } from './commands/shutdown.ts';
import { signal } from './commands/signal.ts';
import { start } from './commands/start.ts';
import { status } from './commands/status.ts';
import { stop } from './commands/stop.ts';
import { tail } from './commands/tail.ts';
import { top } from './commands/top.ts';
import { update } from './commands/update.ts';
import { version } from './commands/version.ts';
import { wait } from './commands/wait.ts';

const listed = [
  add,
  avail,
  clear,
  exit,
  fg,
  logs,
  maintail,
  open,
  pid,
  quit,
  reload,
  remove,
  reread,
  restart,
  shutdown,
  signal,
  start,
  status,
  stop,
  tail,
  update,
  version,
];
/** Commands that Supervisor does not have. They are not in the list of `help`. */
const added = [describe, health, notify, reloadProgram, reopen, rotate, scale, top, wait, why];
const help = createHelp([...listed, ...added]);

/** All commands. */
export const commands: ReadonlyMap<string, Command> = new Map(
  [...listed, help, ...added, endOfInput].map((command) => [command.name, command]),
);
