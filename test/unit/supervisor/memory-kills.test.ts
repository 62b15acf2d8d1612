/** Programs that the kernel has killed because memory ran out, detected by the counter of the cgroup (v1 and v2). */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ExitStatus } from '../../../src/core/exit-status.ts';
import { initialRecord } from '../../../src/core/process-record.ts';
import type { ProcessStateName } from '../../../src/core/states.ts';
import type { EngineEvent, Listener } from '../../../src/engine/events.ts';
import type { ProcessView } from '../../../src/engine/process-table.ts';
import { readOomKills } from '../../../src/process/oom-kills.ts';
import { MemoryKills } from '../../../src/supervisor/memory-kills.ts';

const KILLED: ExitStatus = { kind: 'signaled', signal: 9, core: false };

/** Programs that end, with a controlled clock and a controlled counter. */
class Scene {
  counter: number | null = 5;
  nowMs = 0;
  readonly log: string[] = [];
  readonly kills: MemoryKills;
  #tell: Listener = () => undefined;

  constructor(counter: number | null = 5) {
    this.counter = counter;
    this.kills = new MemoryKills({
      subscribe: (listener) => (this.#tell = listener),
      report: (_level, text) => void this.log.push(text),
      nowMs: () => this.nowMs,
      wallMs: () => 1_795_223_700_000,
      readKills: () => this.counter,
    });
  }

  spawned(id: string): void {
    this.#tell({ type: 'spawned', process: this.#view(id, null), run: 1, pid: 7 });
  }

  ended(id: string, exit: ExitStatus, from: ProcessStateName = 'RUNNING'): void {
    this.#tell({ type: 'process', process: this.#view(id, exit), from, expected: false, pid: 7 });
  }

  removed(group: string): void {
    this.#tell({ type: 'group', group, change: 'removed', ids: [`${group}:${group}`] } satisfies EngineEvent);
  }

  restarted(...ids: string[]): void {
    this.#tell({ type: 'restarted', ids: new Set(ids) });
  }

  counts(...ids: string[]): number[] {
    return ids.map((id) => this.kills.countOf(id));
  }

  #view(id: string, exit: ExitStatus | null): ProcessView {
    return {
      id,
      config: { name: id.split(':')[1] } as ProcessView['config'],
      record: { ...initialRecord, state: 'EXITED', exit },
    };
  }
}

test('a program that gives up after such a kill keeps the remark, and the kill counts once', () => {
  for (const steps of [
    ['STARTING', 'BACKOFF'],
    ['RUNNING', 'EXITED'],
  ] as const) {
    const scene = new Scene();
    scene.spawned('web:web');
    scene.counter = 6;
    for (const from of steps) scene.ended('web:web', KILLED, from);
    assert.equal(scene.kills.remark('web:web')?.kind, 'outOfMemory');
    assert.deepEqual([scene.counts('web:web'), scene.log.length], [[1], 1]);
  }
});

test('an exit by SIGKILL while the counter increases is such a kill: in the log, the status and the count', () => {
  const scene = new Scene();
  scene.spawned('web:web');
  scene.nowMs = 60_000;
  scene.counter = 6;
  scene.ended('web:web', KILLED);
  assert.match(
    scene.log.join(),
    new RegExp(
      String.raw`^web: out of memory: the kernel killed it or a process ` +
        String.raw`it had started; raise the memory limit of the container, or .* max_memory$`,
    ),
  );
  assert.equal(scene.kills.remark('web:web')?.kind, 'outOfMemory');
  assert.deepEqual(scene.counts('web:web', 'db:db'), [1, 0]);
  // A shell that exits with 137: its child was killed.
  scene.counter = 7;
  scene.ended('web:web', { kind: 'exited', code: 137 });
  assert.deepEqual(scene.counts('web:web'), [2]);
  scene.ended('web:web', { kind: 'exited', code: 0 });
  assert.deepEqual([scene.kills.remark('web:web'), scene.counts('web:web')], [null, [2]], 'the latest end was another');
  scene.restarted('web:web');
  assert.deepEqual(scene.counts('web:web'), [2], 'a restart of the supervisor keeps what is still there');
  scene.removed('web');
  assert.deepEqual(scene.counts('web:web'), [0]);
});

test('another SIGKILL is not, nor is any other exit while the counter increases', () => {
  const scene = new Scene();
  scene.ended('web:web', KILLED);
  scene.counter = 6;
  scene.ended('web:web', { kind: 'exited', code: 1 });
  assert.deepEqual([scene.log, scene.counts('web:web'), scene.kills.remark('web:web')], [[], [0], null]);
});

test('several kills at once are counted, and not more than happened', () => {
  const scene = new Scene();
  scene.counter = 7;
  for (const id of ['a:a', 'b:b', 'c:c']) scene.ended(id, KILLED);
  assert.deepEqual(scene.counts('a:a', 'b:b', 'c:c'), [1, 1, 0]);
});

test('an old kill of a process that is no program explains no later exit', () => {
  const scene = new Scene();
  scene.counter = 7;
  scene.ended('a:a', KILLED);
  scene.nowMs = 6000;
  scene.ended('b:b', KILLED);
  assert.deepEqual(scene.counts('a:a', 'b:b'), [1, 0]);
  scene.nowMs = 20_000;
  scene.counter = 9;
  scene.spawned('b:b');
  scene.ended('b:b', KILLED);
  assert.deepEqual(scene.counts('b:b'), [0]);
});

test('a machine without the counter reports nothing', () => {
  const scene = new Scene(null);
  scene.ended('a:a', KILLED);
  scene.counter = 3;
  scene.ended('a:a', KILLED);
  assert.deepEqual([scene.log, scene.counts('a:a')], [[], [0]]);
});

const V2 = 'low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 0\n';
const V1 = 'oom_kill_disable 0\nunder_oom 0\noom_kill 4\n';
const machines: ReadonlyArray<readonly [title: string, files: Readonly<Record<string, string>>, count: number | null]> =
  [
    [
      'v2, below the mount',
      {
        '/proc/self/cgroup': '0::/docker/abc\n',
        '/sys/fs/cgroup/docker/abc/memory.events': V2,
        '/sys/fs/cgroup/memory.events': 'oom_kill 99\n',
      },
      3,
    ],
    ['v2, in a namespace', { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.events': V2 }, 3],
    [
      'v2, the path is not below the mount',
      { '/proc/self/cgroup': '0::/../other\n', '/sys/fs/cgroup/memory.events': V2 },
      3,
    ],
    [
      'v1, below the mount',
      {
        '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/docker/abc\n0::/\n',
        '/sys/fs/cgroup/memory/docker/abc/memory.oom_control': V1,
      },
      4,
    ],
    [
      'v1, its own part is mounted',
      { '/proc/self/cgroup': '4:cpu,memory:/docker/abc\n', '/sys/fs/cgroup/memory/memory.oom_control': V1 },
      4,
    ],
    [
      'v1 of an old kernel',
      {
        '/proc/self/cgroup': '4:memory:/\n',
        '/sys/fs/cgroup/memory/memory.oom_control': 'oom_kill_disable 0\nunder_oom 0\n',
      },
      null,
    ],
    ['nothing', {}, null],
  ];
for (const [title, files, count] of machines)
  test(`the counter: ${title}`, () =>
    assert.equal(
      readOomKills((path) => files[path] ?? null),
      count,
    ));
test('the counter of this machine is a number, or there is none', () =>
  assert.match(String(readOomKills()), /^(\d+|null)$/));
