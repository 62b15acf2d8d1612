/** Names that no process or group has, typed by a person: one error, the nearest name, and nothing else is done. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcFault } from '../../../src/core/faults.ts';
import { type FakeServer, type Methods, processStruct, runForPerson, serve } from './fake-server.ts';

const noSuch = (): never => {
  throw RpcFault.of('BAD_NAME');
};
const processes = [processStruct('web', 'RUNNING', { pid: 7 }), processStruct('worker:a', 'RUNNING', { pid: 8 })];
const config = (name: string) => ({ name, group: name, inuse: true, autostart: true, group_prio: 1, process_prio: 1 });
const METHODS: Methods = {
  getAllProcessInfo: () => processes,
  getAllConfigInfo: () => [config('web')],
  reloadConfig: () => [[['extra'], [], []]],
  startProcess: noSuch,
  stopProcess: noSuch,
  addProcessGroup: noSuch,
  removeProcessGroup: noSuch,
  'onevisor.scaleProgram': noSuch,
};

async function open(t: { after(close: () => Promise<void>): void }): Promise<FakeServer> {
  const server = await serve(METHODS);
  t.after(() => server.close());
  return server;
}

const rows: ReadonlyArray<[line: string, output: string]> = [
  ['tail -f wbe', 'wbe: ERROR (no such process name)\ndid you mean web?\n'],
  ['tail -f zz* web', 'zz*: ERROR (no such process name)\n'],
  ['tail -f worker web', "worker: ERROR (no such process name)\nworker is a group; use 'worker:*'\n"],
  ['restart wbe', 'wbe: ERROR (no such process)\ndid you mean web?\n'],
  ['scale wbe=2', 'wbe: ERROR (no such program; use the x of [program:x])\ndid you mean web?\n'],
  ['add wbe', 'ERROR: no such process/group: wbe\ndid you mean web?\n'],
  ['remove wbe', 'ERROR: no such process/group: wbe\ndid you mean web?\n'],
  ['update exrta', 'ERROR: no such group: exrta\ndid you mean extra?\n'],
  ['health wbe', 'wbe: ERROR (no such process)\ndid you mean web?\n'],
];
for (const [line, output] of rows)
  test(line, async (t) => {
    const { stdout, code } = await runForPerson(await open(t), line);
    assert.deepEqual([stdout, code], [output, 1]);
  });

test('restart of a known and an unknown name starts the known one', async (t) => {
  const server = await open(t);
  await runForPerson(server, 'restart wbe web');
  const starts = server.calls.filter((call) => call.startsWith('startProcess'));
  assert.deepEqual(starts, ['startProcess(web)']);
});
