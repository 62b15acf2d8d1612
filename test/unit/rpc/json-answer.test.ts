import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RpcFault } from '../../../src/core/faults.ts';
import { decodeJsonAnswer, encodeJsonFault, encodeJsonSlices } from '../../../src/rpc/json-answer.ts';
import {
  decodeResponse,
  encodeResponse,
  encodeResponseSlices,
  Utf8Text,
  type XmlRpcValue,
  XmlRpcSyntaxError,
} from '../../../src/rpc/xmlrpc.ts';
import { encodeJsonAnswer } from './json-text.ts';

test('an answer in JSON decodes to the same value as in XML', () => {
  const values = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
  fc.assert(
    fc.property(values, (value) => {
      const json = encodeJsonAnswer(value as XmlRpcValue);
      fc.pre(json !== null);
      assert.deepEqual(decodeResponse(encodeResponse(value as XmlRpcValue)), decodeJsonAnswer(json));
    }),
  );
});

test('XML is used for values that JSON cannot carry, and for texts that XML changes', () => {
  const values = [
    new Date(0),
    new Uint8Array(2),
    new Utf8Text(new Uint8Array(2)),
    NaN,
    Infinity,
    -0,
    '\x1b[2J',
    '\ud800',
    'bell\x07',
  ];
  for (const value of values) {
    assert.equal(encodeJsonAnswer(value), null);
    assert.equal(encodeJsonAnswer([{ inner: value }]), null);
  }
  assert.equal(encodeJsonAnswer({ '\x1b': 1 }), null, 'the name of a member');
  assert.equal(encodeJsonAnswer(['a\n\tb', null, true, 1.5, {}]), '{"value":["a\\n\\tb",null,true,1.5,{}]}');
});

test('JSON without an answer is a protocol error', () => {
  for (const text of ['', '{', '[]', 'null', '{}', '"value"', '{"__proto__":{"value":1}}', '{"fault":{"code":"1"}}'])
    assert.throws(() => decodeJsonAnswer(text), XmlRpcSyntaxError, text);
});

test('a fault in JSON has the reason as a separate member', () => {
  const held = encodeJsonFault(RpcFault.ofHeldStart('web', 'waits'));
  assert.deepEqual(decodeJsonAnswer(held ?? ''), {
    kind: 'fault',
    code: 50,
    text: 'SPAWN_ERROR: web: waits',
    reason: 'waits',
  });
  const plain = encodeJsonFault(RpcFault.of('BAD_NAME', 'web'));
  assert.deepEqual(decodeJsonAnswer(plain ?? ''), { kind: 'fault', code: 10, text: 'BAD_NAME: web' });
  assert.equal(encodeJsonFault(RpcFault.of('BAD_NAME', '\x1b')), null, 'a text that XML changes');
});

test('an array becomes bytes: texts of every length and kind, and those that are encoded while they are sent', () => {
  const late = new Utf8Text(Buffer.from('log <end>\u20ac'));
  const values = [
    '',
    '\u20ac'.repeat(30_000),
    'x'.repeat(200_000),
    { log: late, rest: '\ud83d\ude00' },
    'a'.repeat(21_000),
  ];
  const parts = [...encodeResponseSlices(values)].flat();
  assert.ok(parts.includes(late));
  const text = parts.map((part) => (part instanceof Utf8Text ? [...part.encode()].join('') : part.toString())).join('');
  assert.equal(text, encodeResponse(values));
  assert.equal([...encodeResponseSlices([])].flat().join(''), encodeResponse([]));
});

test('a long array is encoded in slices, with the same text as in one piece', () => {
  const values = Array.from({ length: 601 }, (_, at) => ({ name: `p${at} & <x>`, state: at, start: 1.5 }));
  assert.equal(encodeJsonAnswer(values), JSON.stringify({ value: values }));
  assert.equal([...encodeJsonSlices(values)].length, 4);
  const parts = [...encodeResponseSlices(values)];
  assert.equal(parts.length, 3);
  assert.equal(parts.flat().join(''), encodeResponse(values));
  const inexact = { name: 'p', state: 1, start: Number.NaN };
  for (const at of [0, 300, 600]) assert.equal(encodeJsonAnswer(values.with(at, inexact)), null);
});
