import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { RpcFault } from '../../../src/core/faults.ts';
import { decodeJsonAnswer, encodeJsonAnswer, encodeJsonFault } from '../../../src/rpc/json-answer.ts';
import {
  decodeResponse,
  encodeResponse,
  Utf8Text,
  type XmlRpcValue,
  XmlRpcSyntaxError,
} from '../../../src/rpc/xmlrpc.ts';

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
