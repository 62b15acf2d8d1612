/** Bytes that are not UTF-8: kept in a string, and converted back to the same bytes. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBytes, encodeBytes, toPath } from '../../../src/files/bytes.ts';

const rows: ReadonlyArray<readonly [bytes: number[], text: string]> = [
  [[], ''],
  [[0x7a, 0xe9, 0xff], 'z\udce9\udcff'],
  [[0xc3, 0xa9, 0xe9], 'é\udce9'],
  [[0xf0, 0x9f, 0x98, 0x80, 0xf0, 0x9f], '😀\udcf0\udc9f'],
  // Overlong, a surrogate, above the last character, a sequence cut short by another sequence.
  [[0xc0, 0xaf], '\udcc0\udcaf'],
  [[0xe0, 0x80, 0xaf], '\udce0\udc80\udcaf'],
  [[0xed, 0xa0, 0xbd, 0xed, 0xb2, 0x80], '\udced\udca0\udcbd\udced\udcb2\udc80'],
  [[0xf0, 0x80, 0x80, 0xaf], '\udcf0\udc80\udc80\udcaf'],
  [[0xf4, 0x90, 0x80, 0x80], '\udcf4\udc90\udc80\udc80'],
  [[0xf5, 0x41, 0xe2, 0x82, 0x41], '\udcf5A\udce2\udc82A'],
];

for (const [bytes, text] of rows) {
  test(`bytes ${Buffer.from(bytes).toString('hex')}`, () => {
    assert.equal(decodeBytes(Buffer.from(bytes)), text);
    assert.deepEqual([...encodeBytes(text)], bytes);
  });
}

test('any bytes survive the conversion to text and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) =>
      assert.deepEqual(encodeBytes(decodeBytes(bytes)), Buffer.from(bytes)),
    ),
  );
});

test('other lone surrogates are replaced; a path that is text stays text', () => {
  assert.equal(encodeBytes('a\ud800b\udc00').toString(), 'a\uFFFDb\uFFFD');
  assert.equal(encodeBytes('\ud83d\ude00\udcff').toString('hex'), 'f09f9880ff');
  assert.equal(toPath('/é'), '/é');
  assert.deepEqual(toPath('/\udce9'), Buffer.from([0x2f, 0xe9]));
});
