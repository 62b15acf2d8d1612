/** The table of the cases, in the order of the run. */
import { healthRows, rpcRows, statusRows } from './client.ts';
import type { Case } from './context.ts';
import { growthRows } from './growth.ts';
import { idleRows } from './idle.ts';
import { orphanRows, termRows } from './init.ts';
import { memoryRows } from './memory.ts';
import { fileRows, lineRows, manyRows, relayRows, tailRows } from './relay.ts';
import { restartRows } from './restart.ts';
import { sizeRows } from './size.ts';
import { spawnRows } from './spawn.ts';
import { fleetRows, startRows } from './start.ts';
import { syslogRows } from './syslog.ts';

export const CASES: readonly Case[] = [
  { name: 'start', about: 'from exec to the exec of the first program', run: startRows },
  { name: 'restart', about: 'from kill -9 to the exec of the successor', run: restartRows },
  { name: 'spawn', about: 'one spawn, with a small and with a large heap', run: spawnRows },
  { name: 'fleet', about: '500 programs up and down', run: fleetRows },
  { name: 'memory', about: 'memory at rest with 3, 500 and 2,000 programs', run: memoryRows },
  { name: 'relay', about: 'lines of one program: prefix, JSON, logfmt, raw', run: relayRows },
  { name: 'file', about: 'lines to a rotating file, also compressed', run: fileRows },
  { name: 'lines', about: 'short and long lines', run: lineRows },
  { name: 'many', about: 'lines of 100 programs at once', run: manyRows },
  { name: 'tail', about: 'the cost of the lines in memory', run: tailRows },
  { name: 'syslog', about: 'lines to a log server', run: syslogRows },
  { name: 'orphans', about: '20,000 orphans to collect', run: orphanRows },
  { name: 'term', about: 'from SIGTERM at PID 1 to the handler of the program', run: termRows },
  { name: 'idle', about: 'wakeups while nothing happens', run: idleRows },
  { name: 'status', about: "the client's status of 500 programs", run: statusRows },
  { name: 'rpc', about: 'getAllProcessInfo of 500 programs at the socket', run: rpcRows },
  { name: 'health', about: 'one health probe as a command', run: healthRows },
  { name: 'growth', about: 'time and memory of each program, up to 5,000', run: growthRows },
  { name: 'size', about: 'size of the executable', run: sizeRows },
];
