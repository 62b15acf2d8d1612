/** `--` ends the options of a command of `onevisor`. It is a name for the one that is called `supervisorctl`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandSpecs } from '../../../src/cli/commands.ts';
import { type Methods, processStruct, serve, start } from './fake-server.ts';

const NAMES = ['-dash', '--json', '--rolling', '--timeout', '-f'];
const INFOS = NAMES.map((name) => processStruct(name, 'RUNNING', { pid: 7 }));

/** Commands with names, with words before `--` and behind the name. */
const COMMANDS: ReadonlyArray<readonly [before: string, behind: string]> = [
  ['status', ''],
  ['status --json', ''],
  ['describe', ''],
  ['why', ''],
  ['wait --timeout 5', ''],
  ['health', ''],
  ['start', ''],
  ['stop', ''],
  ['restart --timeout 5', ''],
  ['restart --rolling', ''],
  ['signal HUP', ''],
  ['clear', ''],
  ['pid', ''],
  ['tail', ''],
  ['tail', 'stderr'],
  ['tail -100', ''],
  ['add', ''],
  ['remove', ''],
  ['reload-program', ''],
  ['reopen', ''],
  ['rotate', ''],
];

/** A server that notes the names that it is asked for. */
function noting(names: Set<unknown>): Methods {
  const note =
    (answer: unknown) =>
    (name: unknown): never => {
      names.add(name);
      return answer as never;
    };
  const done = ['startProcess', 'stopProcess', 'signalProcess', 'clearProcessLogs', 'addProcessGroup'];
  return {
    getState: () => ({ statecode: 1, statename: 'RUNNING' }),
    getAllProcessInfo: () => INFOS,
    getAllConfigInfo: () => [],
    getProcessInfo: note(INFOS[0]),
    removeProcessGroup: note(true),
    readProcessStdoutLog: note('text'),
    readProcessStderrLog: note('text'),
    'onevisor.getStatus': () => INFOS,
    'onevisor.reloadProcess': note('SIGHUP'),
    'onevisor.reopenProcessLogs': note(true),
    'onevisor.rotateProcessLogs': note(true),
    'onevisor.readEvents': (after) => ({ events: [], complete: true, next: after }),
    ...Object.fromEntries(done.map((method) => [method, note(true)])),
  };
}

for (const [before, behind] of COMMANDS)
  for (const name of NAMES)
    test(`onevisor ${before} -- ${name} ${behind}`, async () => {
      const asked = new Set<unknown>();
      const server = await serve(noting(asked));
      try {
        const args = [...before.split(' '), '--', name, ...behind.split(' ')].filter((word) => word !== '');
        const running = start(args, { cwd: server.directory, isOwnName: true });
        await running.code;
        assert.doesNotMatch(running.text(), /Error:|no such|^--:/m);
        assert.ok(
          [...asked].every((other) => other === name),
          [...asked].join(),
        );
        assert.ok(asked.size > 0 || running.text() === '' || running.text().includes(name), running.text());
      } finally {
        await server.close();
      }
    });

test('all commands that take names of processes are tested', () => {
  const tested = new Set(COMMANDS.map(([before]) => before.split(' ')[0]));
  // `logs` reads its words itself, `fg` takes exactly one, and `top` is a screen.
  const others = new Set(['logs', 'fg', 'top', 'run', 'scale', 'update', 'maintail']);
  const missing = commandSpecs.filter(
    ({ kind, name, takes }) =>
      kind === 'client' && takes.includes('processes') && !tested.has(name) && !others.has(name),
  );
  assert.deepEqual(
    missing.map(({ name }) => name),
    [],
  );
});

test('for supervisorctl it is a name', async () => {
  const server = await serve(noting(new Set()));
  try {
    const running = start(['status', '--', '-dash'], { cwd: server.directory });
    assert.equal(await running.code, 4);
    assert.match(running.text(), /^--: ERROR \(no such process\)$/m);
  } finally {
    await server.close();
  }
});
