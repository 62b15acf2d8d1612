import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { suite, test, type TestContext } from 'node:test';
import { readProportionalBytes, readUsage, readUsageOf } from '../../src/process/usage.ts';
import { readProcess, type TreeEntry, treesOf } from '../../src/process/process-tree.ts';
import { compile, until } from '../e2e/observe.ts';

const MB = 1024 * 1024;

/** An entry of a fictitious machine. */
const entry = (pid: number, parent: number, group: number, session = group): TreeEntry => ({
  pid,
  name: '',
  parent,
  group,
  session,
  isZombie: false,
  residentPages: 1,
  cpuMs: 0,
});

suite('the tree of a program', () => {
  const entries = [
    entry(1, 0, 1),
    // A program with a child and a grandchild, which has a group of its own.
    entry(10, 1, 10, 1),
    entry(11, 10, 10, 1),
    entry(12, 11, 12, 1),
    // Its orphans below PID 1: one in its group, one in the group of its grandchild, and their descendants.
    entry(13, 1, 10, 1),
    entry(14, 13, 14, 14),
    entry(15, 1, 12, 1),
    // Another program, which leads a session, and a remaining process of that session in another group.
    entry(20, 1, 20),
    entry(21, 1, 21, 20),
    // A process of no program.
    entry(30, 1, 30),
  ];
  const pidsOf = (pid: number): number[] =>
    (treesOf([10, 20, 99], entries).get(pid) ?? []).map((found) => found.pid).toSorted((a, b) => a - b);

  test('has its descendants and the remaining processes of its groups', () =>
    assert.deepEqual(pidsOf(10), [10, 11, 12, 13, 14, 15]));
  test('has the remaining processes of its session', () => assert.deepEqual(pidsOf(20), [20, 21]));
  test('is empty for an unknown program', () => assert.deepEqual(pidsOf(99), []));
});

test('a process has a group and a session', () => {
  const own = readProcess(process.pid);
  assert.equal(own?.parent, process.ppid);
  assert.equal(readProcess(own.group)?.group ?? own.group, own.group);
});

/** Starts the program as the leader of a group, and waits until it uses this much memory. */
async function use(t: TestContext, path: string, megabytes: number, who: string): Promise<number> {
  const child: ChildProcess = spawn(path, [String(megabytes), who], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { pid, stdout } = child;
  assert.ok(pid !== undefined && stdout !== null);
  t.after(() => process.kill(-pid, 'SIGKILL'));
  const [line] = (await once(createInterface({ input: stdout }), 'line')) as [string];
  assert.equal(line, 'using');
  return pid;
}

test('the memory of a program is that of its whole tree', async (t) => {
  const path = await compile(t, 'uses-memory');
  const [self, child, left] = await Promise.all([
    use(t, path, 40, 'self'),
    use(t, path, 60, 'child'),
    use(t, path, 80, 'left'),
  ]);
  const usages = await readUsage([self, child, left]);
  for (const [pid, megabytes] of [
    [self, 40],
    [child, 60],
    [left, 80],
  ] as const) {
    const used = (usages.get(pid)?.residentBytes ?? 0) / MB;
    assert.ok(used >= megabytes && used < megabytes + 15, `${used} MB of ${megabytes}`);
  }
});

test('some programs are measured by their descendants and their control groups', async (t) => {
  const path = await compile(t, 'uses-memory');
  const [self, child] = await Promise.all([use(t, path, 20, 'self'), use(t, path, 60, 'child')]);
  const usages = await readUsageOf([self, child, 2 ** 22], { isProgram: () => true });
  assert.deepEqual([...usages.keys()], [self, child]);
  const bytesOf = (pid: number): number => usages.get(pid)?.residentBytes ?? 0;
  assert.ok(bytesOf(child) >= 60 * MB && bytesOf(child) < 75 * MB, String(bytesOf(child)));
  assert.equal(usages.get(child)?.processes[0]?.pid, child);
  const whole = (await readUsage([child])).get(child);
  assert.deepEqual(
    usages.get(child)?.processes.map(({ pid }) => pid),
    whole?.processes.map(({ pid }) => pid),
  );
  const grouped = await readUsageOf([self], {
    groups: { membersOf: () => [self, process.pid] },
    isProgram: () => true,
  });
  assert.ok((grouped.get(self)?.processes ?? []).some(({ pid }) => pid === process.pid));
});

test('a program that is not visible has no size', async () => {
  const child = spawn('true');
  await once(child, 'exit');
  assert.deepEqual([...(await readUsage([child.pid ?? 0, process.pid])).keys()], [process.pid]);
});

test('the processor time of a program is that of its whole tree, ended children included', async (t) => {
  // A fixed amount of work: on a loaded machine, two seconds may be a few milliseconds of processor time.
  const loop = 'i=0; while [ "$i" -lt 300000 ]; do i=$((i + 1)); done';
  const child = spawn('sh', ['-c', `sh -c '${loop}'; echo done; read line`], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  await once(createInterface({ input: child.stdout }), 'line');
  const usage = (await readUsage([child.pid ?? 0])).get(child.pid ?? 0);
  assert.ok((usage?.cpuMs ?? 0) >= 100, `${usage?.cpuMs} ms`);
  assert.equal(usage?.processes[0]?.pid, child.pid);
});

test('memory with shared pages divided among their users is less than the sum', async (t) => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1e6)'], { stdio: 'ignore' });
  t.after(() => child.kill('SIGKILL'));
  const pids = [process.pid, child.pid ?? 0];
  const usages = await until('the child is measured', async () => {
    const found = await readUsage(pids);
    return (found.get(child.pid ?? 0)?.residentBytes ?? 0) > 20 * MB ? found : undefined;
  });
  // Both processes have the pages of one executable. The tree of this process has the child already.
  const sum = usages.get(process.pid)?.residentBytes ?? 0;
  const proportional = await readProportionalBytes(pids);
  assert.ok(proportional > 0 && proportional < sum, `${proportional} of ${sum}`);
  assert.equal(await readProportionalBytes([2 ** 22]), 0, 'a process that has ended');
});
