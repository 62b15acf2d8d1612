/** The sockets of programs with the real kernel: when they close, and the work that the event of one process costs. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { sampleConfig } from '../../build/sample-program.ts';
import { initialRecord, type ProcessRecord } from '../../src/core/process-record.ts';
import { namespecOf, type ProcessView } from '../../src/engine/process-table.ts';
import { loadAddon } from '../../src/native/load.ts';
import { ProgramSockets } from '../../src/supervisor/program-sockets.ts';

const folder = mkdtempSync(join(tmpdir(), 'onevisor-sockets-'));
after(() => rmSync(folder, { recursive: true }));

interface Scene {
  readonly path: string;
  /** Number of processes that were looked at. */
  readonly looks: () => number;
  /** Changes a record, and tells the sockets. */
  readonly change: (id: string, record: Partial<ProcessRecord>) => void;
  readonly close: () => void;
}

/** Runs a program with processes that share one socket. */
function scene(name: string, count: number): Scene {
  const path = join(folder, name);
  const config = sampleConfig(
    `[program:web]\ncommand=/bin/web\nlisten=unix://${path}\nnumprocs=${count}\nprocess_name=%(process_num)d`,
  );
  const views = new Map<string, ProcessView>();
  for (const proc of config.groups.flatMap(({ processes }) => processes))
    views.set(namespecOf(proc), { id: namespecOf(proc), config: proc, record: { ...initialRecord, state: 'RUNNING' } });
  const sockets = new ProgramSockets(loadAddon());
  let looks = 0;
  sockets.attach({
    engine: () => ({
      processes: () => [...views.values()],
      process: (id) => {
        looks++;
        return views.get(id) ?? null;
      },
    }),
    report: () => undefined,
  });
  sockets.begin(config);
  return {
    path,
    looks: () => looks,
    change: (id, record) => {
      const view = views.get(id);
      assert.ok(view !== undefined, id);
      const changed = { ...view, record: { ...view.record, ...record } };
      views.set(id, changed);
      sockets.observe({ type: 'process', process: changed, from: view.record.state, expected: true, pid: null });
    },
    close: () => sockets.closeAll(),
  };
}

test('a socket closes when all programs that name it are FATAL', (t) => {
  const { path, change, close } = scene('three', 3);
  t.after(close);
  assert.ok(existsSync(path));
  for (const id of ['web:0', 'web:2']) change(id, { state: 'FATAL' });
  assert.ok(existsSync(path));
  change('web:0', { state: 'STARTING' });
  change('web:1', { state: 'FATAL' });
  assert.ok(existsSync(path));
  change('web:0', { state: 'FATAL' });
  assert.ok(!existsSync(path));
});

test('the end of one process costs a few looks, and that of all less than three for each process', (t) => {
  const count = 400;
  const { path, change, looks, close } = scene('many', count);
  t.after(close);
  change('web:399', { state: 'FATAL' });
  assert.equal(looks(), 1);
  for (let index = 0; index < count - 1; index++) change(`web:${index}`, { state: 'FATAL' });
  assert.ok(!existsSync(path));
  assert.ok(looks() < 3 * count, `${looks()} looks`);
});
