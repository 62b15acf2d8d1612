/** The work for an event of one process does not grow with the number of processes. Counted, not timed. */
import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import type { GroupConfig, ProcessConfig } from '../../src/config/model.ts';
import { ProcessTable } from '../../src/engine/process-table.ts';
import { REQUEST } from '../causes.ts';
import { exitWith, type Program, World } from './world.ts';

/** Pid of the first program that starts. */
const FIRST_PID = 100;

let reads = 0;

/** A world that counts each look at the configuration of a process. */
class CountingWorld extends World {
  override groupsOf(programs: readonly Program[]): GroupConfig[] {
    return super.groupsOf(programs).map((group) => ({ ...group, processes: group.processes.map(counted) }));
  }
}

function counted(proc: ProcessConfig): ProcessConfig {
  return new Proxy(proc, {
    get: (target, name) => {
      reads++;
      return target[name as keyof ProcessConfig];
    },
  });
}

/** Returns the looks at processes, and the copies of the whole table, that the events of one process take. */
function visitsAmong(count: number, exitWhenIdle: boolean): { readonly reads: number; readonly copies: number } {
  const programs = Array.from({ length: count }, (_, index) => ({ name: `p${index}`, startretries: 0 }));
  const world = new CountingWorld(programs, { exitWhenIdle });
  world.engine.start();
  while (world.turns.length > 0) world.turns.shift()?.();
  world.clock.advance(2000);
  const copying = mock.method(ProcessTable.prototype, 'all');
  reads = 0;
  const id = 'p0:p0';
  world.engine.reaped([{ pid: FIRST_PID, status: exitWith(1) }]);
  world.engine.process(id);
  world.engine.request(id, 'stop', REQUEST);
  world.engine.reaped([{ pid: FIRST_PID + count, status: 15 }]);
  world.engine.request(id, 'start', REQUEST);
  world.engine.reaped([{ pid: FIRST_PID + count + 1, status: exitWith(1) }]);
  const copies = copying.mock.callCount();
  copying.mock.restore();
  assert.equal(world.engine.process(id)?.record.run, 3);
  assert.equal(world.engine.process(id)?.record.state, 'FATAL');
  return { reads, copies };
}

for (const exitWhenIdle of [false, true])
  test(`the events of one process look at no others (exit_when_idle=${exitWhenIdle})`, () => {
    const few = visitsAmong(10, exitWhenIdle);
    assert.equal(few.copies, 0);
    assert.ok(few.reads > 0);
    assert.deepEqual(visitsAmong(1000, exitWhenIdle), few);
  });
