/** Processes as `onevisor.getStatus` describes them, for the tests of the views. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessStateName } from '../../../src/core/states.ts';
import { type ProcessStatus, readStatus } from '../../../src/ctl/process-status.ts';
import { SupervisorClient } from '../../../src/ctl/supervisor-client.ts';
import type { XmlRpcStruct } from '../../../src/rpc/xmlrpc.ts';
import { processStruct } from './fake-server.ts';

/** Returns a screen, as people see it. Look at the files: they are the best description of the views. */
export function screen(name: string): string {
  return readFileSync(join(import.meta.dirname, 'screens', `${name}.txt`), 'utf8').trimEnd();
}

/** The time of the answers, in seconds since 1970. */
export const NOW = 1_795_953_600;

/** Makes the status of a process, through the reader of the client. */
export async function statusOf(
  name: string,
  statename: ProcessStateName,
  more: XmlRpcStruct = {},
): Promise<ProcessStatus> {
  const struct = processStruct(name, statename, {
    start: statename === 'STOPPED' ? 0 : NOW - 200,
    now: NOW,
    pid: statename === 'RUNNING' || statename === 'STARTING' || statename === 'STOPPING' ? 4711 : 0,
    restarts: 0,
    autostart: true,
    flapping: false,
    unexpected_restarts: 0,
    ...more,
  });
  const client = new SupervisorClient(() => Promise.resolve([struct]));
  const [info] = (await client.getStatus(false)) ?? [];
  if (info === undefined) throw new Error('no process');
  return readStatus(info);
}

/** The end of a run, `ageS` seconds ago. */
export function endStruct(ageS: number, more: XmlRpcStruct): XmlRpcStruct {
  return { at: (NOW - ageS) * 1000, lasted_ms: 1500, planned: false, text: 'exit status 3', ...more };
}

/** The end with exit code 3. */
export const EXIT_3 = { outcome: 'exited', exit_code: 3, expected: false } as const;

/** The cause of a stop by a client. */
export const STOPPED_BY_CLIENT = {
  kind: 'request',
  text: 'supervisor.stopProcess of a client (user admin, uid 0, pid 77)',
} as const;
