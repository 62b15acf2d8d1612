/** Time limits of commands: a supervisor that stops answering, before any request, does not hold a command. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Methods, processStruct, run, serve } from './fake-server.ts';

const SILENT = new Promise<never>(() => undefined);
const RUNNING = processStruct('web', 'RUNNING', { pid: 7, health: 'healthy' });

/** Methods of a supervisor. */
const METHODS: Methods = {
  getVersion: () => '3.0',
  getState: () => ({ statecode: 1, statename: 'RUNNING' }),
  getAllConfigInfo: () => [],
  getAllProcessInfo: () => [RUNNING],
  getProcessInfo: () => RUNNING,
  startProcess: () => true,
  stopProcess: () => true,
  'onevisor.getDependents': () => ['db'],
  'onevisor.getMissingDependencies': () => ['db'],
  'onevisor.getStatus': () => [RUNNING],
  'onevisor.readEvents': (after) => ({ events: [], complete: true, next: after }),
};

/** The methods of a supervisor that answers `count` requests, and then none. */
function silentAfter(count: number): { readonly methods: Methods; readonly isSilent: () => boolean } {
  let left = count;
  const limited = Object.entries(METHODS).map(([name, method]): [string, Methods[string]] => [
    name,
    (...params) => {
      left -= 1;
      return left < 0 ? SILENT : method(...params);
    },
  ]);
  return { methods: Object.fromEntries(limited), isSilent: () => left < 0 };
}

/** Commands, their exit code if there is no answer, and the least number of requests that each makes. */
const COMMANDS: ReadonlyArray<readonly [line: string, code: number, requests: number]> = [
  ['wait --timeout 0.2 web', 124, 3],
  ['start --timeout 0.2 web', 124, 2],
  ['start --with-dependencies --timeout 0.2 web', 124, 4],
  ['restart --timeout 0.2 web', 124, 5],
  ['restart --with-dependents --timeout 0.2 web', 124, 6],
  ['restart --rolling --timeout 0.2 web', 124, 5],
  ['health --wait=0.2 web', 1, 3],
];

for (const [line, code, requests] of COMMANDS)
  test(`${line}: ends, whichever request has no answer`, async () => {
    let limit = 0.2;
    for (let count = 0; ; count++) {
      const { methods, isSilent } = silentAfter(count);
      const server = await serve(methods);
      try {
        const result = await run(server, line.replace('0.2', String(limit)));
        if (!isSilent() && result.code !== 0 && limit < 10) {
          // The machine is slow, and the time was over although each request was answered.
          limit *= 2;
          count -= 1;
          continue;
        }
        if (!isSilent()) {
          assert.equal(result.code, 0, result.stdout);
          assert.ok(count >= requests, `${count} requests`);
          return;
        }
        assert.equal(result.code, code, `after ${count} answers: ${result.stdout}`);
        assert.match(
          result.stdout,
          /^(.*\n)*.*(?:ERROR \((?:no answer|timeout) after|not healthy after [\d.]+ s: no answer).*\n$/,
        );
      } finally {
        await server.close();
      }
    }
  });

test('a stop that takes its time is not cut, because nothing would be started', async () => {
  const { promise: stopped, resolve } = Promise.withResolvers<boolean>();
  let questions = 0;
  const server = await serve({
    ...METHODS,
    // The second question is asked while the process stops.
    getVersion() {
      questions += 1;
      if (questions === 2) setTimeout(() => resolve(true), 400);
      return '3.0';
    },
    stopProcess: () => stopped,
  });
  try {
    const { stdout, code } = await run(server, 'restart --timeout 0.2 web');
    assert.deepEqual([stdout, code], ['web: stopped\nweb: started\n', 0]);
  } finally {
    await server.close();
  }
});
