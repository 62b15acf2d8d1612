/** Actions: the requests to the supervisor, and the messages about their results. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RpcFault } from '../../../../src/core/faults.ts';
import { InterruptError } from '../../../../src/ctl/errors.ts';
import { Actions } from '../../../../src/ctl/top/actions.ts';
import type { Action, Target } from '../../../../src/ctl/top/state.ts';
import type { XmlRpcValue } from '../../../../src/rpc/xmlrpc.ts';

const WEB: Target = { name: 'web', request: 'web:web', ids: ['web:web'] };
const GROUP: Target = { name: 'w:*', request: 'w:*', ids: ['w:a', 'w:b'] };

type Answer = () => XmlRpcValue | Promise<XmlRpcValue>;

/** Actions with a supervisor of these answers; each other method answers true. */
function makeActions(answers: Readonly<Record<string, Answer>> = {}): {
  actions: Actions;
  calls: string[];
  messages: string[];
} {
  const calls: string[] = [];
  const messages: string[] = [];
  const actions = new Actions({
    call: async (method, ...params) => {
      const name = method.replace('supervisor.', '');
      calls.push(`${name} ${params.map((param) => JSON.stringify(param).replaceAll('"', '')).join(' ')}`);
      return (await answers[name]?.()) ?? true;
    },
    explain: (error) => (error as Error).message,
    show: ({ tone, text }) => messages.push(`${tone}: ${text}`),
    pause: async () => undefined,
  });
  return { actions, calls, messages };
}

/** Runs an action to its end. */
async function run(
  action: Action,
  answers: Readonly<Record<string, Answer>> = {},
): Promise<readonly [string[], string[]]> {
  const { actions, calls, messages } = makeActions(answers);
  actions.begin(action);
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  await actions.finish();
  return [calls, messages];
}

const fault = (name: Parameters<typeof RpcFault.of>[0]) => (): never => {
  throw RpcFault.of(name);
};

describe('actions', () => {
  it('starts and stops without waiting, and sends signals', async () => {
    assert.deepEqual(await run({ kind: 'start', target: WEB }), [
      ['startProcess web:web false'],
      ['good: web: start requested'],
    ]);
    assert.deepEqual(await run({ kind: 'stop', target: GROUP }), [
      ['stopProcess w:* false'],
      ['good: w:*: stop requested'],
    ]);
    assert.deepEqual(await run({ kind: 'signal', signal: 'HUP', target: WEB }), [
      ['signalProcess web:web HUP'],
      ['good: web: HUP was sent'],
    ]);
  });

  it('shows a fault, and the failures of a group', async () => {
    assert.deepEqual((await run({ kind: 'stop', target: WEB }, { stopProcess: fault('NOT_RUNNING') }))[1], [
      'bad: web: NOT_RUNNING',
    ]);
    const startProcess = (): XmlRpcValue => [
      { group: 'w', name: 'a', status: 80, description: 'OK' },
      { group: 'w', name: 'b', status: 50, description: 'SPAWN_ERROR', reason: 'no\u001b file' },
      { group: 'w', name: 'c', status: 60, description: 'ALREADY_STARTED' },
    ];
    assert.deepEqual((await run({ kind: 'start', target: GROUP }, { startProcess }))[1], ['bad: w:b: no\\u001b file']);
  });

  it('restarts, also what does not run', async () => {
    const [calls, messages] = await run({ kind: 'restart', target: WEB }, { stopProcess: fault('NOT_RUNNING') });
    assert.deepEqual(calls, ['stopProcess web:web true', 'startProcess web:web false']);
    assert.deepEqual(messages, ['busy: web: stopping, to be started again', 'good: web: restarted']);
    const failed = await run({ kind: 'restart', target: WEB }, { stopProcess: fault('FAILED') });
    assert.deepEqual(failed[1].at(-1), 'bad: web: FAILED');
  });

  it('restarts a group one after the other, and waits for health', async () => {
    let looks = 0;
    const getProcessInfo = (): XmlRpcValue => ({ health: ++looks < 3 ? 'starting' : 'healthy' });
    const [calls, messages] = await run({ kind: 'rolling', target: GROUP }, { getProcessInfo });
    assert.deepEqual(
      calls.filter((call) => !call.startsWith('get')),
      ['stopProcess w:a true', 'startProcess w:a true', 'stopProcess w:b true', 'startProcess w:b true'],
    );
    assert.equal(looks, 4);
    assert.equal(messages.at(-1), 'good: rolling restart of w:*: all 2 processes are up');
  });

  it('ends a rolling restart at the first process that does not come up, or is not healthy', async () => {
    const [calls, messages] = await run({ kind: 'rolling', target: GROUP }, { startProcess: fault('SPAWN_ERROR') });
    assert.equal(
      calls.some((call) => call.includes('w:b')),
      false,
    );
    assert.equal(messages.at(-1), 'bad: rolling restart of w:* stopped at w:a: SPAWN_ERROR');
    const unhealthy = await run(
      { kind: 'rolling', target: GROUP },
      { getProcessInfo: () => ({ health: 'unhealthy' }) },
    );
    assert.equal(unhealthy[1].at(-1), 'bad: rolling restart of w:* stopped at w:a: it is not healthy');
  });

  it('finishes the process that was stopped, and no more, when the view ends', async () => {
    let goOn: (() => void) | undefined;
    const stopProcess = (): Promise<XmlRpcValue> => new Promise((resolve) => (goOn = () => resolve(true)));
    const { actions, calls } = makeActions({ stopProcess });
    actions.begin({ kind: 'rolling', target: GROUP });
    await Promise.resolve();
    assert.deepEqual(actions.unfinished, ['restart of w:*']);
    const finished = actions.finish();
    goOn?.();
    await finished;
    assert.deepEqual(calls, ['stopProcess w:a true', 'startProcess w:a true']);
    assert.deepEqual(actions.unfinished, []);
  });

  it('says nothing about an action that the user has interrupted', async () => {
    const stopProcess = (): never => {
      throw new InterruptError('');
    };
    assert.deepEqual((await run({ kind: 'stop', target: WEB }, { stopProcess }))[1], []);
  });
});
