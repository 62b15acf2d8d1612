/** The outputs that a selection means, also those of a process that is being removed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type OutputParts, selectOutputs } from '../../../src/supervisor/line-sources.ts';

/** Active processes, and those whose logs are open. */
function parts(active: readonly string[], open: readonly string[]): OutputParts {
  const processes = active.map((name) => ({ name, group: 'pool', type: 'program' }));
  const channel = { memory: {} };
  return {
    groups: { list: [{ name: 'pool', priority: 1, processes }], get: () => ({ processes }) },
    streams: {
      channel: (id: string) => (open.includes(id) ? channel : null),
      *logs() {
        for (const id of open) for (const stream of ['stdout', 'stderr']) yield { id, stream, channel };
      },
    },
    mainLog: channel,
  } as unknown as OutputParts;
}

const names = (selection: Partial<Parameters<typeof selectOutputs>[0]>, world: OutputParts): string[] =>
  selectOutputs({ names: [], streams: [], ...selection }, world).map(({ name, stream }) => `${name} ${stream}`);

test('a process that an update is stopping still has its outputs', () => {
  const world = parts(['a'], ['pool:a', 'pool:b']);
  const b = ['pool:b stdout', 'pool:b stderr'];
  assert.deepEqual(names({}, world), ['pool:a stdout', 'pool:a stderr', ...b, 'supervisor supervisor']);
  assert.deepEqual(names({ names: ['pool:b'] }, world), b);
  assert.deepEqual(names({ names: ['pool:*'], streams: ['stderr'] }, world), ['pool:a stderr', 'pool:b stderr']);
  assert.deepEqual(names({ names: ['pool:a'] }, world), ['pool:a stdout', 'pool:a stderr']);
});
