/** The watch for `ready_log`: both streams of one run, until the first match. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleProgram } from '../../../build/sample-program.ts';
import type { ProcessConfig } from '../../../src/config/model.ts';
import type { BytesListener } from '../../../src/logs/ports.ts';
import { ReadyLogs } from '../../../src/supervisor/ready-logs.ts';

const PID = 7;

class Scene {
  readonly log: string[] = [];
  readonly ready: string[] = [];
  readonly logs = new ReadyLogs((level, text) => void this.log.push(`${level} ${text}`));
  /** Listeners of the streams, by name. */
  readonly listeners = new Map<string, Set<BytesListener>>([
    ['stdout', new Set()],
    ['stderr', new Set()],
  ]);

  constructor() {
    this.logs.listen((id, run) => void this.ready.push(`${id} ${run}`));
  }

  watch(change: Partial<ProcessConfig> = {}, run = 1, streams: readonly string[] = ['stdout', 'stderr']): void {
    const proc = { ...sampleProgram('ready_log=^ready \\d+$'), name: 'web', group: 'site', ...change };
    this.logs.watch({ proc, run, pid: PID }, (id, stream) => {
      assert.equal(id, 'site:web');
      const set = this.listeners.get(stream);
      if (set === undefined || !streams.includes(stream)) return null;
      return {
        onBytes: (listener) => {
          set.add(listener);
          return () => set.delete(listener);
        },
      };
    });
  }

  write(stream: string, text: string, pid = PID): void {
    for (const listener of this.listeners.get(stream) ?? []) listener(Buffer.from(text), pid);
  }

  get listening(): string[] {
    return [...this.listeners].flatMap(([stream, set]) => Array.from(set, () => stream));
  }
}

test('each stream is searched by itself, in pieces, and nothing listens after the first match', () => {
  const scene = new Scene();
  scene.watch();
  assert.deepEqual(scene.listening, ['stdout', 'stderr']);
  scene.write('stdout', 'not ready 1\nrea');
  scene.write('stderr', 'dy 2\nready ');
  scene.write('stdout', 'dy x\n');
  assert.deepEqual(scene.ready, []);
  scene.write('stderr', '3\r\nready 4\n');
  assert.deepEqual(scene.ready, ['site:web 1']);
  assert.deepEqual(scene.listening, []);
});

test('the output of another process does not count, and a new run begins anew', () => {
  const scene = new Scene();
  scene.watch();
  scene.write('stdout', 'ready 1\n', PID + 1);
  scene.write('stdout', 'ready ');
  scene.watch({}, 2);
  assert.deepEqual(scene.listening, ['stdout', 'stderr']);
  scene.write('stdout', '1\n');
  assert.deepEqual(scene.ready, []);
  scene.write('stdout', 'ready 1\n');
  assert.deepEqual(scene.ready, ['site:web 2']);
});

test('a watch ends with its run, and with the supervisor', () => {
  const scene = new Scene();
  scene.watch();
  scene.logs.close('site:web');
  assert.deepEqual(scene.listening, []);
  scene.watch();
  scene.logs.closeAll();
  assert.deepEqual(scene.listening, []);
  assert.deepEqual(scene.log, []);
});

test('the protocol of an event listener is not searched', () => {
  const scene = new Scene();
  scene.watch({ type: 'eventlistener' });
  assert.deepEqual(scene.listening, ['stderr']);
});

test('a program without the option, and one whose output the supervisor does not read', () => {
  const scene = new Scene();
  scene.watch(sampleProgram());
  assert.deepEqual([scene.listening, scene.log], [[], []]);
  scene.watch({}, 1, []);
  assert.deepEqual(scene.log, [
    "warn cannot look for ready_log in the output of 'web': the supervisor does not read it",
  ]);
});
