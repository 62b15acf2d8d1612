/** Events as listeners read them: the tree of types, the payloads with Supervisor's texts and order, the header. */
import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  formatDelivery,
  formatPayload,
  type StateEvent,
  type SupervisorEvent,
  typeOf,
  weightOf,
} from '../../../src/core/event-payload.ts';
import { countBytes, countCharacters, decodeOutput, formatPythonBytes } from '../../../src/core/event-text.ts';
import { eventTypes, type EventType, isSubscribed } from '../../../src/core/event-types.ts';
import { processStateNames } from '../../../src/core/states.ts';
import { countSplitBytes } from '../../../src/core/utf8.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const state = (change: Partial<StateEvent>): StateEvent => ({
  kind: 'state',
  process: 'cat',
  group: 'pets',
  from: 'STARTING',
  to: 'RUNNING',
  pid: 2766,
  tries: 0,
  expected: true,
  ...change,
});
const output = { process: 'cat', group: 'pets', pid: 2766, stream: 'stdout' } as const;

/** Payloads of supervisord 4.2.5, recorded. */
const payloads: ReadonlyArray<readonly [SupervisorEvent, EventType, string]> = [
  [
    state({ from: 'STOPPED', to: 'STARTING', pid: 0 }),
    'PROCESS_STATE_STARTING',
    'processname:cat groupname:pets from_state:STOPPED tries:0',
  ],
  [state({}), 'PROCESS_STATE_RUNNING', 'processname:cat groupname:pets from_state:STARTING pid:2766'],
  [
    state({ to: 'BACKOFF', tries: 2 }),
    'PROCESS_STATE_BACKOFF',
    'processname:cat groupname:pets from_state:STARTING tries:2',
  ],
  [
    state({ from: 'RUNNING', to: 'STOPPING' }),
    'PROCESS_STATE_STOPPING',
    'processname:cat groupname:pets from_state:RUNNING pid:2766',
  ],
  [
    state({ from: 'STOPPING', to: 'STOPPED' }),
    'PROCESS_STATE_STOPPED',
    'processname:cat groupname:pets from_state:STOPPING pid:2766',
  ],
  [
    state({ from: 'RUNNING', to: 'EXITED', expected: false }),
    'PROCESS_STATE_EXITED',
    'processname:cat groupname:pets from_state:RUNNING expected:0 pid:2766',
  ],
  [
    state({ from: 'RUNNING', to: 'EXITED' }),
    'PROCESS_STATE_EXITED',
    'processname:cat groupname:pets from_state:RUNNING expected:1 pid:2766',
  ],
  [state({ from: 'BACKOFF', to: 'FATAL' }), 'PROCESS_STATE_FATAL', 'processname:cat groupname:pets from_state:BACKOFF'],
  [
    state({ from: 'STOPPING', to: 'UNKNOWN' }),
    'PROCESS_STATE_UNKNOWN',
    'processname:cat groupname:pets from_state:STOPPING',
  ],
  [
    { kind: 'log', ...output, bytes: utf8('hé\n') },
    'PROCESS_LOG_STDOUT',
    'processname:cat groupname:pets pid:2766 channel:stdout\nhé\n',
  ],
  [
    { kind: 'log', ...output, stream: 'stderr', bytes: utf8('x') },
    'PROCESS_LOG_STDERR',
    'processname:cat groupname:pets pid:2766 channel:stderr\nx',
  ],
  [
    { kind: 'log', ...output, bytes: bytes(0xff, 0xfe, 120, 39, 10) },
    'PROCESS_LOG_STDOUT',
    'processname:cat groupname:pets pid:2766 channel:stdout\nUndecodable: b"\\xff\\xfex\'\\n"',
  ],
  [
    { kind: 'communication', ...output, bytes: utf8('hello\nthere') },
    'PROCESS_COMMUNICATION_STDOUT',
    'processname:cat groupname:pets pid:2766\nhello\nthere',
  ],
  [
    { kind: 'communication', ...output, stream: 'stderr', bytes: utf8('') },
    'PROCESS_COMMUNICATION_STDERR',
    'processname:cat groupname:pets pid:2766\n',
  ],
  [{ kind: 'remote', type: 'my type', data: 'data é\nx' }, 'REMOTE_COMMUNICATION', 'type:my type\ndata é\nx'],
  [{ kind: 'remote', type: 't', data: '' }, 'REMOTE_COMMUNICATION', 'type:t\n'],
  [{ kind: 'group', group: 'pets', change: 'added' }, 'PROCESS_GROUP_ADDED', 'groupname:pets\n'],
  [{ kind: 'group', group: 'pets', change: 'removed' }, 'PROCESS_GROUP_REMOVED', 'groupname:pets\n'],
  [{ kind: 'supervisor', change: 'running' }, 'SUPERVISOR_STATE_CHANGE_RUNNING', ''],
  [{ kind: 'supervisor', change: 'stopping' }, 'SUPERVISOR_STATE_CHANGE_STOPPING', ''],
  [{ kind: 'tick', period: 5, whenS: 1795226680 }, 'TICK_5', 'when:1795226680'],
  [{ kind: 'tick', period: 60, whenS: 60 }, 'TICK_60', 'when:60'],
  [{ kind: 'tick', period: 3600, whenS: 3600 }, 'TICK_3600', 'when:3600'],
];

for (const [event, type, payload] of payloads) {
  test(`payload of ${type}: ${JSON.stringify(payload)}`, () => {
    assert.equal(typeOf(event), type);
    assert.equal(formatPayload(event), payload);
    assert.ok(weightOf(event) > payload.length);
  });
}

test('every type that is not abstract is the type of some event', () => {
  const abstract = eventTypes.filter((type) =>
    eventTypes.some((other) => other !== type && isSubscribed(other, new Set([type]))),
  );
  assert.deepEqual(abstract, [
    'EVENT',
    'PROCESS_STATE',
    'PROCESS_COMMUNICATION',
    'PROCESS_LOG',
    'SUPERVISOR_STATE_CHANGE',
    'TICK',
    'PROCESS_GROUP',
  ]);
  assert.deepEqual(
    new Set(payloads.map(([, type]) => type)),
    new Set(eventTypes.filter((type) => !abstract.includes(type))),
  );
  for (const to of processStateNames) assert.ok(eventTypes.includes(typeOf(state({ to }))));
});

test('a subscription includes a type and all its descendants', () => {
  assert.equal(isSubscribed('PROCESS_STATE_FATAL', new Set(['PROCESS_STATE'])), true);
  assert.equal(isSubscribed('TICK_5', new Set(['EVENT'])), true);
  assert.equal(isSubscribed('TICK_5', new Set(['TICK_5'])), true);
  assert.equal(isSubscribed('TICK_5', new Set(['TICK_60', 'PROCESS_STATE'])), false);
  assert.equal(isSubscribed('PROCESS_STATE', new Set(['PROCESS_STATE_FATAL'])), false);
  assert.equal(isSubscribed('EVENT', new Set(['NOTHING'])), false);
});

test("the header has the fields in Supervisor's order, and len counts characters", () => {
  const delivery = { server: 'watch', serial: 45, pool: 'raw', poolSerial: 6 };
  assert.equal(
    formatDelivery({ kind: 'remote', type: 'my type', data: 'data é\nx' }, delivery),
    'ver:3.0 server:watch serial:45 pool:raw poolserial:6 eventname:REMOTE_COMMUNICATION bytes:22 len:21\n' +
      'type:my type\ndata é\nx',
  );
  assert.match(formatDelivery({ kind: 'remote', type: '', data: '😀' }, delivery), / bytes:10 len:7\ntype:\n😀$/);
  assert.match(
    formatDelivery({ kind: 'supervisor', change: 'running' }, delivery),
    / eventname:SUPERVISOR_STATE_CHANGE_RUNNING bytes:0 len:0\n$/,
  );
});

test('characters are counted as in Python', () => {
  for (const [text, count] of [
    ['', 0],
    ['aé', 2],
    ['😀', 1],
    ['a😀b😀', 4],
    ['\ud800', 1],
    ['\ud800a', 2],
  ] as const)
    assert.equal(countCharacters(text), count);
});

test('bytes that are not UTF-8 are formatted as in Python', () => {
  assert.equal(formatPythonBytes(utf8('plain')), "b'plain'");
  assert.equal(formatPythonBytes(utf8("it's")), 'b"it\'s"');
  assert.equal(formatPythonBytes(utf8('it\'s "it"')), "b'it\\'s \"it\"'");
  assert.equal(formatPythonBytes(bytes(0, 9, 10, 13, 31, 92, 126, 127, 255)), "b'\\x00\\t\\n\\r\\x1f\\\\~\\x7f\\xff'");
});

test('output is either UTF-8 or undecodable as a whole; a byte order mark is kept', () => {
  assert.equal(decodeOutput(bytes(0xef, 0xbb, 0xbf, 97)), '\ufeffa');
  assert.equal(decodeOutput(bytes(97, 0xc3)), "Undecodable: b'a\\xc3'");
  assert.equal(decodeOutput(bytes(0xed, 0xa0, 0x80)), "Undecodable: b'\\xed\\xa0\\x80'");
});

test('an incomplete character at the end of bytes is recognized', () => {
  const cases: ReadonlyArray<readonly [Uint8Array, number]> = [
    [bytes(), 0],
    [utf8('a'), 0],
    [utf8('é'), 0],
    [bytes(97, 0xc3), 1],
    [bytes(0xe2, 0x82), 2],
    [bytes(0xe2), 1],
    [utf8('€'), 0],
    [bytes(0xf0, 0x9f, 0x98), 3],
    [bytes(0xf0, 0x9f), 2],
    [utf8('😀'), 0],
    [bytes(0x80, 0x80, 0x80, 0x80), 0],
    [bytes(0x80), 0],
    [bytes(0xff), 0],
    [bytes(0xc0), 0],
    [bytes(0xf5, 0x80), 0],
  ];
  for (const [value, count] of cases) assert.equal(countSplitBytes(value), count, `[${value.join(' ')}]`);
});

test('the length in bytes is that of the encoded text', () => {
  for (const text of ['', 'plain', 'café', '€', '😀', 'a\ud800b', 'a\udc00', '😀é€x\n'])
    assert.equal(countBytes(text), new TextEncoder().encode(text).length, text);
});
