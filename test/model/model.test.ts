/**
 * The promises of src/MODEL.md hold in every state that small configurations can reach with some inputs, and a mistake
 * in the engine breaks them. The long form follows longer paths.
 */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bySize } from '../slow.ts';
import { models } from './models.ts';
import { mutate, mutations } from './mutations.ts';
import { search } from './search.ts';

/** Inputs on a path that shows a mistake. The shortest such path has at most seven. */
const MUTATION_DEPTH = 7;

describe('every state of a small configuration keeps the promises', () => {
  for (const model of models) {
    test(model.name, (context) => {
      const { fault, states, steps, depth, isComplete } = search(model, { depth: bySize(model.depth) });
      const all = isComplete ? ', which are all' : '';
      context.diagnostic(`${model.name}: ${states} states, ${steps} inputs, depth ${depth}${all}`);
      assert.equal(fault, null, fault === null ? '' : `${fault.broken.message}\n  after ${fault.path.join(' · ')}`);
    });
  }
});

describe('a mistake in the engine is found', () => {
  for (const mutation of mutations) {
    test(mutation.what, async (context) => {
      const model = models.find(({ name }) => name === mutation.model);
      assert.ok(model !== undefined);
      const { EngineClass, remove } = await mutate(mutation);
      context.after(remove);
      const { fault, states } = search(model, { depth: MUTATION_DEPTH, EngineClass });
      assert.ok(fault !== null, `${states} states keep the promises`);
      assert.ok(mutation.breaks.includes(fault.broken.promised), fault.broken.message);
      context.diagnostic(`${fault.broken.message}; after ${fault.path.join(' · ')}`);
    });
  }
});
