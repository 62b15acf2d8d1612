import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeJsonAnswer, encodeJsonAnswer } from '../../../src/rpc/json-answer.ts';
import {
  decodeResponse,
  encodeResponse,
  Utf8Text,
  type XmlRpcValue,
  XmlRpcSyntaxError,
} from '../../../src/rpc/xmlrpc.ts';

test('an answer in JSON is read as the same answer in XML', () => {
  const values = fc.jsonValue({ stringUnit: 'binary', maxDepth: 4 });
  fc.assert(
    fc.property(values, (value) => {
      const json = encodeJsonAnswer(value as XmlRpcValue);
      fc.pre(json !== null);
      assert.deepEqual(decodeResponse(encodeResponse(value as XmlRpcValue)), {
        kind: 'value',
        value: decodeJsonAnswer(json),
      });
    }),
  );
});

test('XML carries what JSON cannot carry, and texts that XML changes', () => {
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

test('JSON that is no answer is an error of the protocol', () => {
  for (const text of ['', '{', '[]', 'null', '{}', '"value"', '{"__proto__":{"value":1}}'])
    assert.throws(() => decodeJsonAnswer(text), XmlRpcSyntaxError, text);
});
