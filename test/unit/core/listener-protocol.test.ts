/** The output of listeners: a table of whole conversations, each also split into reads in every way. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  readListenerOutput,
  initialListener,
  type ListenerOutcome,
  type ListenerRecord,
  type ListenerState,
  markBusy,
  markUnknown,
} from '../../../src/core/listener-protocol.ts';

const READY: ListenerOutcome = { type: 'ready' };
const OK: ListenerOutcome = { type: 'result', accepted: true, result: 'OK' };
const refused = (result: string): ListenerOutcome => ({ type: 'result', accepted: false, result });
const VIOLATED = { type: 'violated' } as const;

const inState = (state: ListenerState): ListenerRecord => ({ ...initialListener, state });

/** State, output, expected outcomes, next state. */
const conversations: ReadonlyArray<
  readonly [ListenerState, string, readonly (ListenerOutcome | typeof VIOLATED)[], ListenerState]
> = [
  ['ACKNOWLEDGED', '', [], 'ACKNOWLEDGED'],
  ['ACKNOWLEDGED', 'READ', [], 'ACKNOWLEDGED'],
  ['ACKNOWLEDGED', 'READY\n', [READY], 'READY'],
  ['ACKNOWLEDGED', 'hi', [VIOLATED], 'UNKNOWN'],
  ['ACKNOWLEDGED', '\nREADY\n', [VIOLATED], 'UNKNOWN'],
  ['ACKNOWLEDGED', 'READY\r\n', [VIOLATED], 'UNKNOWN'],
  ['ACKNOWLEDGED', 'READY\nREADY\n', [READY, VIOLATED], 'UNKNOWN'],
  ['READY', '', [], 'READY'],
  ['READY', ' ', [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'RESULT 2\nOK', [OK], 'ACKNOWLEDGED'],
  ['BUSY', 'RESULT 2\nOKREADY\n', [OK, READY], 'READY'],
  ['BUSY', 'RESULT 2\nOKREADY\nRESULT 2\nOK', [OK, READY, VIOLATED], 'UNKNOWN'],
  ['BUSY', 'RESULT 2\r\nOKREADY\n', [OK, READY], 'READY'],
  ['BUSY', 'RESULT  +2 \nOKREADY\n', [OK, READY], 'READY'],
  ['BUSY', 'RESULT 4\nFAILREADY\n', [refused('FAIL'), READY], 'READY'],
  ['BUSY', 'RESULT 2\nNOREADY\n', [refused('NO'), READY], 'READY'],
  ['BUSY', 'RESULT 3\nOK\nREADY\n', [refused('OK\n'), READY], 'READY'],
  ['BUSY', 'RESULT 0\nREADY\n', [refused(''), READY], 'READY'],
  ['BUSY', 'RESULT 5\nREADY\n', [refused('READY'), VIOLATED], 'UNKNOWN'],
  ['BUSY', `RESULT 200\n${'x'.repeat(200)}READY\n`, [refused('x'.repeat(64)), READY], 'READY'],
  ['BUSY', 'RESULT 99999999\nabc', [], 'BUSY'],
  ['BUSY', 'RESULT x\n', [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'RESULT -3\nREADY\n', [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'RESULT \n', [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'result 2\nOK', [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'OK\n', [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'READY\n', [VIOLATED], 'UNKNOWN'],
  ['BUSY', `RESULT 2${' '.repeat(60)}\nOK`, [VIOLATED], 'UNKNOWN'],
  ['BUSY', 'RESULT 2', [], 'BUSY'],
  ['UNKNOWN', 'READY\n', [], 'UNKNOWN'],
];

/** Compares reasons by their kind only, since the quoted part of the output depends on the reads. */
function simplified(outcomes: readonly ListenerOutcome[]): unknown[] {
  return outcomes.map((outcome) => (outcome.type === 'violated' ? VIOLATED : outcome));
}

function hearAll(
  state: ListenerState,
  reads: readonly string[],
): { state: ListenerState; outcomes: ListenerOutcome[] } {
  let record = inState(state);
  const outcomes: ListenerOutcome[] = [];
  for (const read of reads) {
    const heard = readListenerOutput(record, read);
    record = heard.record;
    outcomes.push(...heard.outcomes);
  }
  return { state: record.state, outcomes };
}

for (const [state, said, outcomes, next] of conversations) {
  test(`${state} and ${JSON.stringify(said)} → ${next}, in one read or many`, () => {
    const whole = hearAll(state, [said]);
    assert.deepEqual(simplified(whole.outcomes), outcomes);
    assert.equal(whole.state, next);
    const bytewise = hearAll(state, [...said]);
    assert.deepEqual(simplified(bytewise.outcomes), outcomes);
    assert.equal(bytewise.state, next);
    fc.assert(
      fc.property(fc.array(fc.nat(said.length), { maxLength: 5 }), (cuts) => {
        const places = [0, ...cuts.toSorted((a, b) => a - b), said.length];
        const cut = hearAll(
          state,
          places.slice(1).map((to, index) => said.slice(places[index], to)),
        );
        assert.deepEqual(simplified(cut.outcomes), outcomes);
        assert.equal(cut.state, next);
      }),
      { numRuns: 50 },
    );
  });
}

test('any bytes in any state: at most one violation, which is the last outcome', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('READY\n', 'RESULT 2\nOK', 'RESULT 4\nFAIL', 'RESULT ', '\n', '3\n'),
  );
  fc.assert(
    fc.property(
      fc.constantFrom<ListenerState>('ACKNOWLEDGED', 'READY', 'BUSY', 'UNKNOWN'),
      fc.array(piece),
      (state, said) => {
        const { outcomes, state: end } = hearAll(state, said);
        const at = outcomes.findIndex(({ type }) => type === 'violated');
        assert.ok(at === -1 || at === outcomes.length - 1);
        assert.equal(end === 'UNKNOWN', at !== -1 || state === 'UNKNOWN');
      },
    ),
  );
});

test('sending an event makes the listener BUSY, and earlier output does not count as its result', () => {
  const { record } = readListenerOutput(initialListener, 'READY\n');
  assert.deepEqual(readListenerOutput(markBusy(record), 'RESULT 2\nOK').outcomes, [OK]);
  assert.deepEqual(readListenerOutput(markUnknown(record), 'READY\n').outcomes, []);
});

test('the memory does not grow with the output', () => {
  let record = markBusy(initialListener);
  ({ record } = readListenerOutput(record, `RESULT 100000000\n`));
  for (let round = 0; round < 100; round++) ({ record } = readListenerOutput(record, 'x'.repeat(100_000)));
  assert.ok(JSON.stringify(record).length < 500);
});

test('reasons fit on one line and quote the output', () => {
  assert.deepEqual(readListenerOutput(initialListener, 'Hi\nthere\x1b\xff').outcomes, [
    { type: 'violated', reason: "READY was expected, but it wrote 'Hi\\nthere\\x1b\\xff'" },
  ]);
  assert.deepEqual(readListenerOutput(inState('READY'), 'x').outcomes, [
    { type: 'violated', reason: "it wrote without an event: 'x'" },
  ]);
  assert.deepEqual(readListenerOutput(inState('BUSY'), 'RESULT x\n').outcomes, [
    { type: 'violated', reason: "bad result line: 'RESULT x'" },
  ]);
});
