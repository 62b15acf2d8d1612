/** The command `reload-program`: makes programs read their own configuration again, one process after the other. */
import { perProcessCommand } from '../per-process.ts';

export const reloadProgram = perProcessCommand({
  name: 'reload-program',
  otherWay: 'use `signal HUP NAME`, or what the program needs',
  act: async ({ client }, proc) => `reloaded (${await client.reloadProcess(proc)})`,
});
